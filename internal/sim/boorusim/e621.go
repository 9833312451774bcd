package boorusim

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// e621 answers GET /posts.json and /posts/ID.json (https://e621.net/help/api).
func (s *Server) e621(x *exchange) {
	if !described(x.r.UserAgent()) {
		x.html(http.StatusForbidden, "Please use a descriptive User-Agent")
		return
	}
	if !x.allowed() {
		return
	}
	if x.r.URL.Path == "/posts.json" && x.r.Method == http.MethodGet {
		s.e621Search(x)
		return
	}
	if e := s.postOf(x); e != nil {
		x.json(http.StatusOK, map[string]any{"post": s.e621Post(e)})
		return
	}
	x.json(http.StatusNotFound, map[string]any{"success": false, "reason": "not found"})
}

// described reports whether a User-Agent says who it is: "a non-empty
// User-Agent header is required"; those of browsers, languages and libraries
// are blocked.
func described(agent string) bool {
	agent = strings.ToLower(strings.TrimSpace(agent))
	for _, generic := range []string{"mozilla", "go-http-client", "curl", "wget", "python", "java", "okhttp", "axios", "node",
		"ruby", "faraday", "libwww", "postman", "undici", "reqwest", "aiohttp", "httpx", "apache-httpclient", "got ("} {
		if strings.HasPrefix(agent, generic) {
			return false
		}
	}
	return agent != ""
}

func (s *Server) e621Search(x *exchange) {
	tags := x.q.Get("tags")
	q, err := ParseE621(tags)
	if err != nil {
		x.refused(tags, err)
		x.json(http.StatusUnprocessableEntity, map[string]any{"success": false, "message": err.Error(), "code": nil})
		return
	}
	found := s.posts(q)
	size := q.Limit
	if size == 0 {
		size = x.param("limit", 75)
	}
	given := []*entry{}
	if size = min(size, 320); size > 0 {
		given = page(found, x.param("page", 1), size)
	}
	x.found(tags, len(found), given)
	all := []any{}
	for _, e := range given {
		all = append(all, s.e621Post(e))
	}
	x.json(http.StatusOK, map[string]any{"posts": all})
}

// e621Post is app/serializers/post_serializer.rb. A file that is not for
// everyone, or was deleted, has an address of null.
func (s *Server) e621Post(e *entry) map[string]any {
	im := &e.Image
	sum := md5Of(im)
	folder := sum[:2] + "/" + sum[2:4] + "/" + sum
	var file, preview, rating, parent, duration any
	if !im.NoRepresentations && !im.hidden() {
		file, preview = s.cdn+"/data/"+folder+"."+im.Format, s.cdn+"/data/preview/"+folder+".jpg"
	}
	if letter := im.letter(E621); letter != "" {
		rating = letter
	}
	if im.DuplicateOf != 0 {
		parent = im.DuplicateOf
	}
	if im.animated() {
		duration = im.duration()
	}
	at := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000-07:00") }
	sources := slices.Clone(im.Sources)
	if sources == nil {
		sources = []string{}
	}
	w, h := Dimensions(*im, ThumbSmall)
	return map[string]any{
		"id": im.ID, "created_at": at(im.Created), "updated_at": at(im.Updated),
		"file":    map[string]any{"width": im.Width, "height": im.Height, "ext": im.Format, "size": s.size(e), "md5": sum, "url": file},
		"preview": map[string]any{"width": w, "height": h, "url": preview},
		"sample":  map[string]any{"has": false, "width": im.Width, "height": im.Height, "url": file, "alternates": map[string]any{}},
		"score":   map[string]any{"up": im.Upvotes, "down": -im.Downvotes, "total": im.score()},
		"tags": map[string]any{"general": underscored(im.Tags), "artist": underscored(im.Artists),
			"character": underscored(im.Characters), "species": underscored(im.Species), "copyright": underscored(im.Copyrights),
			"meta": underscored(im.Meta), "lore": []string{}, "invalid": []string{}, "contributor": []string{}},
		"locked_tags": []string{}, "change_seq": im.ID,
		"flags": map[string]any{"pending": false, "flagged": false, "note_locked": false, "status_locked": false,
			"rating_locked": false, "deleted": im.hidden()},
		"rating": rating, "fav_count": im.Faves, "sources": sources, "pools": []int{},
		"relationships": map[string]any{"parent_id": parent, "has_children": false, "has_active_children": false, "children": []int{}},
		"approver_id":   nil, "uploader_id": im.UploaderID, "description": im.Description, "comment_count": im.Comments,
		"is_favorited": false, "has_notes": false, "duration": duration,
	}
}
