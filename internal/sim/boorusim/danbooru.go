package boorusim

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// danbooru answers GET /posts.json and /posts/ID.json
// (https://danbooru.donmai.us/wiki_pages/help:api).
func (s *Server) danbooru(x *exchange) {
	if !x.allowed() {
		return
	}
	if x.r.URL.Path == "/posts.json" && x.r.Method == http.MethodGet {
		s.danbooruSearch(x)
		return
	}
	if e := s.postOf(x); e != nil {
		x.json(http.StatusOK, s.danbooruPost(e))
		return
	}
	x.danbooruError(http.StatusNotFound, "ActiveRecord::RecordNotFound", "That record was not found.")
}

func (x *exchange) danbooruError(status int, kind, message string) {
	x.json(status, map[string]any{"success": false, "error": kind, "message": message, "backtrace": []string{}})
}

// postOf is the picture of /posts/ID.json; nil if there is none.
func (s *Server) postOf(x *exchange) *entry {
	id, ok := strings.CutPrefix(x.r.URL.Path, "/posts/")
	n, err := strconv.ParseInt(strings.TrimSuffix(id, ".json"), 10, 64)
	if !ok || err != nil || x.r.Method != http.MethodGet {
		return nil
	}
	return s.find(n)
}

// danbooruSearch shows deleted posts like any other: only -status:deleted
// leaves them out. random=true is the metatag random:, which is one of the two
// tags that somebody without an account has.
func (s *Server) danbooruSearch(x *exchange) {
	tags := x.q.Get("tags")
	q, err := ParseDanbooru(tags)
	if err == nil && (x.q.Get("random") == "true" || x.q.Get("random") == "1") && q.Random == 0 {
		q.Order = "random"
		if q.Terms++; q.Terms > anonymousTags {
			err = errTagLimit(anonymousTags)
		}
	}
	if err != nil {
		x.refused(tags, err)
		kind := "PostQuery::Error"
		if strings.HasPrefix(err.Error(), "You cannot search") {
			kind = "PostQuery::TagLimitError"
		}
		x.danbooruError(http.StatusUnprocessableEntity, kind, err.Error())
		return
	}
	found := s.posts(q)
	size := q.Limit
	if size == 0 {
		size = x.param("limit", 20)
	}
	if q.Random > 0 {
		size = q.Random
	}
	given := []*entry{}
	if size = min(size, 200); size > 0 {
		given = page(found, x.param("page", 1), size)
	}
	x.found(tags, len(found), given)
	all := []any{}
	for _, e := range given {
		all = append(all, s.danbooruPost(e))
	}
	x.json(http.StatusOK, all)
}

// posts is what a search finds, in its order.
func (s *Server) posts(q PostQuery) []*entry {
	found := slices.DeleteFunc(s.all(), func(e *entry) bool {
		return !q.match(e.doc) || e.hidden() && !q.Deleted && !e.Stale
	})
	by, up := strings.CutSuffix(q.Order, "_asc")
	by = strings.TrimSuffix(by, "_desc")
	switch by {
	case "random":
		shuffle(found, s.random())
		return found
	case "id":
		if up = q.Order != "id_desc"; up {
			return found
		}
	case "score", "favcount", "filesize", "mpixels", "tagcount", "duration":
		slices.SortStableFunc(found, func(a, b *entry) int {
			switch x, y := postNumber(a.doc, by), postNumber(b.doc, by); {
			case x < y:
				return -1
			case x > y:
				return 1
			}
			return 0
		})
		if up {
			return found
		}
	}
	slices.Reverse(found)
	return found
}

// danbooruPost is a post as GET /posts.json has it. One whose file is not for
// everyone has no addresses and no md5.
func (s *Server) danbooruPost(e *entry) map[string]any {
	im := &e.Image
	const format = "2006-01-02T15:04:05.000-07:00"
	general, artist := underscored(im.Tags), underscored(im.Artists)
	character, copyrights, meta := underscored(im.Characters), underscored(im.Copyrights), underscored(im.Meta)
	general = append(general, underscored(im.Species)...)
	every := slices.Concat(artist, character, copyrights, general, meta)
	slices.Sort(every)
	every = slices.Compact(every)
	var rating, parent any
	if letter := im.letter(Danbooru); letter != "" {
		rating = letter
	}
	if im.DuplicateOf != 0 {
		parent = im.DuplicateOf
	}
	source := ""
	if len(im.Sources) > 0 {
		source = im.Sources[0]
	}
	sum, size := md5Of(im), s.size(e)
	folder := sum[:2] + "/" + sum[2:4] + "/" + sum
	original, preview := s.cdn+"/original/"+folder+"."+im.Format, s.cdn+"/180x180/"+folder+".jpg"
	asset := map[string]any{"id": im.ID, "created_at": im.Created.Format(format), "updated_at": im.Updated.Format(format),
		"file_ext": im.Format, "file_size": size, "image_width": im.Width, "image_height": im.Height,
		"duration": nil, "status": "active", "is_public": !im.NoRepresentations, "pixel_hash": sum}
	if im.animated() {
		asset["duration"] = im.duration()
	}
	doc := map[string]any{
		"id": im.ID, "created_at": im.Created.Format(format), "updated_at": im.Updated.Format(format),
		"uploader_id": im.UploaderID, "approver_id": nil, "score": im.score(), "up_score": im.Upvotes, "down_score": -im.Downvotes,
		"fav_count": im.Faves, "source": source, "rating": rating, "image_width": im.Width, "image_height": im.Height,
		"file_ext": im.Format, "file_size": size, "parent_id": parent, "has_children": false, "has_active_children": false,
		"has_visible_children": false, "has_large": false, "is_pending": false, "is_flagged": false, "is_deleted": im.hidden(),
		"is_banned": false, "pixiv_id": nil, "bit_flags": 0, "last_commented_at": nil, "last_comment_bumped_at": nil,
		"last_noted_at": nil, "media_asset": asset,
		"tag_string": strings.Join(every, " "), "tag_string_general": strings.Join(general, " "),
		"tag_string_artist": strings.Join(artist, " "), "tag_string_character": strings.Join(character, " "),
		"tag_string_copyright": strings.Join(copyrights, " "), "tag_string_meta": strings.Join(meta, " "),
		"tag_count": len(every), "tag_count_general": len(general), "tag_count_artist": len(artist),
		"tag_count_character": len(character), "tag_count_copyright": len(copyrights), "tag_count_meta": len(meta),
	}
	if !im.NoRepresentations {
		doc["md5"], asset["md5"] = sum, sum
		doc["file_url"], doc["large_file_url"], doc["preview_file_url"] = original, original, preview
		w, h := Dimensions(*im, Thumb)
		asset["variants"] = []any{
			map[string]any{"type": "180x180", "url": preview, "width": w, "height": h, "file_ext": "jpg"},
			map[string]any{"type": "original", "url": original, "width": im.Width, "height": im.Height, "file_ext": im.Format},
		}
	}
	return doc
}
