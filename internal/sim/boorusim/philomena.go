package boorusim

import (
	"crypto/sha512"
	"encoding/hex"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const philomenaAPI = "/api/v1/json/"

// philomena answers as lib/philomena_web/controllers/api/json does.
func (s *Server) philomena(x *exchange) {
	if !x.allowed() {
		return
	}
	path, ok := strings.CutPrefix(x.r.URL.Path, philomenaAPI)
	if !ok || x.r.Method != http.MethodGet {
		x.html(http.StatusNotFound, "Not Found")
		return
	}
	switch part, id, _ := strings.Cut(path, "/"); {
	case path == "search" || path == "search/images":
		s.searchImages(x)
	case part == "images":
		s.showImage(x, id)
	case path == "filters/system":
		s.listFilters(x)
	case path == "filters/user":
		if s.searcher(x).User == "" {
			x.send(http.StatusForbidden, "text/plain", nil)
			return
		}
		x.json(http.StatusOK, map[string]any{"filters": []any{}, "total": 0})
	case part == "filters":
		s.showFilter(x, id)
	case part == "tags":
		s.showTag(x, id)
	default:
		x.notFound()
	}
}

func (x *exchange) notFound() { x.json(http.StatusNotFound, map[string]any{"error": "Not found"}) }

// searcher is whoever asks.
func (s *Server) searcher(x *exchange) Searcher {
	return Searcher{User: s.cfg.Keys[x.q.Get("key")], Now: s.cfg.Now, Filters: s.cfg.Filters}
}

// filter is the one that counts for a request: that of filter_id if there is
// such a one, else the default.
func (s *Server) filter(x *exchange) Filter {
	var f Filter
	for _, c := range s.cfg.Filters {
		id := strconv.FormatInt(c.ID, 10)
		if id == x.q.Get("filter_id") {
			return c
		}
		if c.ID == s.cfg.DefaultFilter {
			f = c
		}
	}
	return f
}

// searchImages is GET /search/images: what is hidden from users, or by the
// filter, is not found and not counted.
func (s *Server) searchImages(x *exchange) {
	who, filter := s.searcher(x), s.filter(x)
	query := x.q.Get("q")
	expr, err := who.Parse(query)
	if err != nil {
		x.refused(query, err)
		x.json(http.StatusBadRequest, map[string]any{"error": err.Error()})
		return
	}
	var found []*entry
	for _, e := range s.all() {
		if (e.hidden() && !e.Stale) || !expr.match(e.doc) || filter.hides(who, e.doc) {
			continue
		}
		found = append(found, e)
	}
	s.sort(x, found)
	size := min(max(x.param("per_page", 25), 1), 50)
	given := page(found, x.param("page", 1), size)
	x.found(query, len(found), given)
	images := []any{}
	for _, e := range given {
		images = append(images, s.document(e))
	}
	x.json(http.StatusOK, map[string]any{"images": images, "interactions": []any{}, "total": len(found)})
}

// sort orders what was found by sf and sd: lib/philomena_web/image_sorter.ex.
func (s *Server) sort(x *exchange, found []*entry) {
	field := x.q.Get("sf")
	if seed, ok := strings.CutPrefix(field, "random:"); ok || field == "random" {
		n := s.random()
		if v, err := strconv.ParseUint(seed, 10, 64); err == nil {
			n = v
		}
		shuffle(found, n)
	} else {
		slices.SortFunc(found, func(a, b *entry) int {
			switch field {
			case "first_seen_at", "":
				return a.FirstSeen.Compare(b.FirstSeen)
			case "updated_at":
				return a.Updated.Compare(b.Updated)
			case "aspect_ratio", "faves", "downvotes", "upvotes", "width", "height", "score", "comment_count",
				"tag_count", "wilson_score", "pixels", "size", "duration":
				if x, y := numberOf(a.doc, field), numberOf(b.doc, field); x < y {
					return -1
				} else if x > y {
					return 1
				}
			}
			return int(a.ID - b.ID)
		})
	}
	if x.q.Get("sd") != "asc" {
		slices.Reverse(found)
	}
}

func (s *Server) showImage(x *exchange, id string) {
	n, err := strconv.ParseInt(id, 10, 64)
	e := s.find(n)
	if err != nil || e == nil {
		x.notFound()
		return
	}
	doc := s.document(e)
	if !e.hidden() {
		doc["spoilered"] = s.filter(x).spoilers(s.searcher(x), e.doc)
	}
	x.json(http.StatusOK, map[string]any{"image": doc, "interactions": []any{}})
}

func (s *Server) listFilters(x *exchange) {
	all := []any{}
	for _, f := range s.cfg.Filters {
		if f.System {
			all = append(all, s.filterDocument(f))
		}
	}
	x.json(http.StatusOK, map[string]any{"filters": all, "total": len(all)})
}

func (s *Server) showFilter(x *exchange, id string) {
	for _, f := range s.cfg.Filters {
		if strconv.FormatInt(f.ID, 10) == id {
			x.json(http.StatusOK, map[string]any{"filter": s.filterDocument(f)})
			return
		}
	}
	x.notFound()
}

// filterDocument is views/api/json/filter_view.ex.
func (s *Server) filterDocument(f Filter) map[string]any {
	ids := func(tags []string) []int64 {
		all := []int64{}
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, t := range tags {
			all = append(all, s.tagID(cleanTag(t)))
		}
		return all
	}
	var owner any
	if !f.System {
		owner = 1
	}
	return map[string]any{
		"id": f.ID, "name": f.Name, "description": f.Description, "public": !f.System, "system": f.System, "user_count": 1,
		"user_id": owner, "hidden_tag_ids": ids(f.HiddenTags), "spoilered_tag_ids": ids(f.SpoileredTags),
		"hidden_complex": f.HiddenComplex, "spoilered_complex": f.SpoileredQuery,
	}
}

// showTag is GET /tags/SLUG: views/api/json/tag_view.ex.
func (s *Server) showTag(x *exchange, address string) {
	doc := s.tagDocument(address)
	if doc == nil {
		x.notFound()
		return
	}
	x.json(http.StatusOK, map[string]any{"tag": doc})
}

// tagDocument is nil for a tag that the board does not have.
func (s *Server) tagDocument(address string) map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, id := range s.tagIDs {
		if slug(name) != address {
			continue
		}
		images := 0
		var category, space any
		inside := name
		if before, after, ok := strings.Cut(name, ":"); ok && namespace(before) {
			space, inside = before, after
			if before == "artist" {
				category = "origin"
			}
		}
		for _, e := range s.images {
			if e.hidden() || !slices.Contains(e.doc.tags, name) {
				continue
			}
			images++
			switch {
			case containsTag(e.Characters, name):
				category = "character"
			case containsTag(e.Species, name):
				category = "species"
			case string(e.Rating) == name:
				category = "rating"
			}
		}
		return map[string]any{
			"id": id, "name": name, "slug": slug(name), "description": "", "short_description": "", "images": images,
			"spoiler_image_uri": nil, "namespace": space, "name_in_namespace": inside, "category": category, "aliased_tag": nil,
			"aliases": []any{}, "implied_tags": []any{}, "implied_by_tags": []any{}, "dnp_entries": []any{},
		}
	}
	return nil
}

func containsTag(list []string, name string) bool {
	return slices.ContainsFunc(list, func(t string) bool { return cleanTag(t) == name })
}

// document is a picture in JSON: views/api/json/image_view.ex, or as it was in
// 2020 with Config.Old.
func (s *Server) document(e *entry) map[string]any {
	im := &e.Image
	format := time.RFC3339
	if s.cfg.Old {
		format = "2006-01-02T15:04:05"
	}
	at := func(t time.Time) string { return t.UTC().Format(format) }
	if im.hidden() {
		var of, reason any
		if im.DuplicateOf != 0 {
			of = im.DuplicateOf
		} else {
			reason = im.DeletionReason
		}
		return map[string]any{"id": im.ID, "created_at": at(im.Created), "updated_at": at(im.Updated),
			"first_seen_at": at(im.FirstSeen), "duplicate_of": of, "deletion_reason": reason, "hidden_from_users": true}
	}
	s.mu.Lock()
	ids := []int64{}
	for _, t := range e.doc.tags {
		ids = append(ids, s.tagID(t))
	}
	s.mu.Unlock()
	tags := e.doc.tags
	if tags == nil {
		tags = []string{}
	}
	var uploader, uploaderID any
	if im.Uploader != "" {
		uploader, uploaderID = im.Uploader, im.UploaderID
	}
	source := ""
	if len(im.Sources) > 0 {
		source = im.Sources[0]
	}
	doc := map[string]any{
		"id": im.ID, "created_at": at(im.Created), "updated_at": at(im.Updated), "first_seen_at": at(im.FirstSeen),
		"width": im.Width, "height": im.Height, "mime_type": im.mime(), "format": im.Format,
		"aspect_ratio": float64(im.Width) / float64(im.Height), "name": im.Name,
		"sha512_hash": hash(im), "orig_sha512_hash": hash(im), "tags": tags, "tag_ids": ids, "tag_count": len(tags),
		"uploader": uploader, "uploader_id": uploaderID, "wilson_score": wilson(im.Upvotes, im.Downvotes),
		"intensities": map[string]any{"nw": 43.6, "ne": 55.8, "sw": 29.9, "se": 43.0},
		"score":       im.score(), "upvotes": im.Upvotes, "downvotes": im.Downvotes, "faves": im.Faves,
		"comment_count": im.Comments, "description": im.Description, "source_url": source,
		"view_url": s.viewURL(e, true), "thumbnails_generated": !im.NoThumbnails, "processed": !im.Unprocessed,
		"deletion_reason": nil, "duplicate_of": nil, "hidden_from_users": false,
	}
	if !im.NoRepresentations {
		doc["representations"] = s.representations(e)
	}
	if !s.cfg.Old {
		urls := im.Sources
		if urls == nil {
			urls = []string{}
		}
		size := s.size(e)
		doc["source_urls"], doc["size"], doc["orig_size"] = urls, size, size
		doc["animated"], doc["duration"], doc["hides"] = im.animated(), im.duration(), 0
	}
	return doc
}

// representations are the addresses of the files. Every one is there, however
// small the picture is: one that is not scaled down is the whole picture.
func (s *Server) representations(e *entry) map[string]any {
	all := map[string]any{Full: s.viewURL(e, false)}
	for _, name := range []string{Tall, Large, Medium, Small, Thumb, ThumbSmall, ThumbTiny} {
		all[name] = s.fileURL(e, name)
	}
	for _, name := range []string{MP4, WebM} {
		if _, ok := e.Files[name]; ok {
			all[name] = strings.TrimSuffix(s.viewURL(e, false), e.Format) + name
		}
	}
	return all
}

func (s *Server) fileURL(e *entry, name string) string {
	return s.cdn + "/img" + e.Created.UTC().Format("/2006/1/2/") + strconv.FormatInt(e.ID, 10) + "/" + name + "." + e.Format
}

// viewURL is the address of the whole picture, with its tags in it or without.
func (s *Server) viewURL(e *entry, long bool) string {
	name := strconv.FormatInt(e.ID, 10)
	if long {
		slugs := make([]string, len(e.doc.tags))
		for i, t := range e.doc.tags {
			slugs[i] = slug(t)
		}
		words := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("_-+", r) {
				return r
			}
			return -1
		}, strings.Join(slugs, "_"))
		name += "__" + words[:min(len(words), 151)]
	}
	return s.cdn + "/img/view" + e.Created.UTC().Format("/2006/1/2/") + name + "." + e.Format
}

// hash stands for the file's: it is only there to be looked at.
func hash(im *Image) string {
	sum := sha512.Sum512([]byte(strconv.FormatInt(im.ID, 10) + im.Name))
	return hex.EncodeToString(sum[:])
}
