package boorusim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.yaml.in/yaml/v3"

	"rookery/internal/sim/apicheck"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type client struct {
	*testing.T
	s *Server
	c *http.Client
}

func start(t *testing.T, cfg Config) client {
	t.Helper()
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	t.Cleanup(func() {
		tr.CloseIdleConnections()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return client{t, s, &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// open gets an answer whose body is not read yet.
func (c client) open(address string) (*http.Response, error) {
	c.Helper()
	req, err := http.NewRequestWithContext(c.Context(), http.MethodGet, address, nil)
	if err != nil {
		c.Fatal(err)
	}
	req.Header.Set("User-Agent", "Test/1.0 (by nobody on loopback)")
	resp, err := c.c.Do(req)
	if err == nil {
		c.Cleanup(func() { resp.Body.Close() })
	}
	return resp, err
}

func (c client) get(address string) (*http.Response, []byte) {
	c.Helper()
	resp, err := c.open(address)
	if err != nil {
		c.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.Fatal(err)
	}
	return resp, body
}

// search asks the board and returns the IDs that it answers, and the total of Philomena.
func (c client) search(query string, more ...string) (ids []int64, total int) {
	c.Helper()
	q := url.Values{"q": {query}, "tags": {query}}
	for i := 0; i+1 < len(more); i += 2 {
		q.Set(more[i], more[i+1])
	}
	path := "/posts.json"
	if c.s.cfg.Board == Philomena {
		path = philomenaAPI + "search/images"
	}
	resp, body := c.get(c.s.URL() + path + "?" + q.Encode())
	if resp.StatusCode != http.StatusOK {
		c.Fatalf("%s: %d %s", query, resp.StatusCode, body)
	}
	type post struct {
		ID int64 `json:"id"`
	}
	var all struct {
		Images, Posts []post
		Total         int
	}
	err := json.Unmarshal(body, &all)
	if c.s.cfg.Board == Danbooru {
		err = json.Unmarshal(body, &all.Posts)
	}
	if err != nil {
		c.Fatalf("%v in %s", err, body)
	}
	for _, p := range append(all.Images, all.Posts...) {
		ids = append(ids, p.ID)
	}
	return ids, all.Total
}

func fill(s *Server, n int) {
	for i := range n {
		s.Add(Image{Rating: Safe, Tags: []string{"animated", "gif"}, Upvotes: i * 37 % 101})
	}
}

func TestPhilomenaSearch(t *testing.T) {
	t.Parallel()
	c := start(t, Config{NoLimits: true, Keys: map[string]string{"secret": "Kim"}})
	fill(c.s, 120)
	ids := c.s.Add(
		Image{Rating: Explicit, Tags: []string{"gif"}}, Image{Rating: Safe, Tags: []string{"gone"}, Deleted: true},
		Image{Rating: Safe, Tags: []string{"gone"}, DuplicateOf: 3}, Image{Rating: Safe, Tags: []string{"gone", "gif"}, DuplicateOf: 3, Stale: true},
		Image{ID: 900, Tags: []string{"пони", "café au lait"}, Uploader: "kim"},
	)
	if !slices.Equal(ids, []int64{121, 122, 123, 124, 900}) {
		t.Error(ids)
	}
	if got, total := c.search("safe, gif"); len(got) != 25 || total != 121 || got[0] != 124 {
		t.Error(got, total)
	}
	if got, _ := c.search("safe, gif", "per_page", "9999"); len(got) != 50 {
		t.Error(len(got), "on a page")
	}
	if got, total := c.search("safe, gif", "per_page", "50", "page", "3", "sd", "asc", "sf", "id"); len(got) != 21 || total != 121 || got[0] != 101 {
		t.Error(got, total)
	}
	if got, total := c.search("safe", "page", "999999999999"); got != nil || total != 121 {
		t.Error(got, total)
	}
	if got, _ := c.search("animated", "sf", "score", "per_page", "1"); got[0] != 72 && c.score(got[0]) != 100 {
		t.Error("the best is", got)
	}
	for query, want := range map[string][]int64{"explicit": nil, "gone": {124}, "пони": {900}, "CAFÉ AU_LAIT": {900}, "": nil, "my:uploads": nil} {
		if got, _ := c.search(query); !slices.Equal(got, want) {
			t.Error(query, got)
		}
	}
	if got, _ := c.search("explicit", "filter_id", "2"); !slices.Equal(got, []int64{121}) {
		t.Error(got)
	}
	if got, _ := c.search("explicit", "filter_id", "77"); got != nil {
		t.Error(got)
	}
	if got, _ := c.search("my:uploads", "key", "secret"); !slices.Equal(got, []int64{900}) {
		t.Error(got)
	}
	resp, body := c.get(c.s.URL() + "/api/v1/json/search?q=" + url.QueryEscape("safe, (explicit"))
	if resp.StatusCode != 400 || string(body) != `{"error":"Imbalanced parentheses."}` {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	last := c.s.Searches()[len(c.s.Searches())-1]
	if last.Err != "Imbalanced parentheses." || last.Status != 400 || last.Search != "safe, (explicit" || !strings.HasPrefix(last.Header.Get("User-Agent"), "Test/") {
		t.Errorf("%+v", last)
	}
	c.s.Remove(900)
	if got, _ := c.search("пони"); got != nil {
		t.Error(got)
	}
}

func (c client) score(id int64) int {
	im, _ := c.s.Image(id)
	return im.score()
}

// Random is random over everything, the same for one seed of the server, and
// in pages that fit together for one seed of the client.
func TestRandomOrder(t *testing.T) {
	t.Parallel()
	for _, b := range []Board{Philomena, Danbooru, E621} {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			one, two := start(t, Config{Board: b, NoLimits: true, Seed: 5}), start(t, Config{Board: b, NoLimits: true, Seed: 5})
			fill(one.s, 300)
			fill(two.s, 300)
			seen := map[int64]bool{}
			var before []int64
			for range 12 {
				query := "gif order:random"
				if b == Philomena {
					query = "gif"
				}
				x, _ := one.search(query, "sf", "random", "per_page", "50", "limit", "50")
				y, _ := two.search(query, "sf", "random", "per_page", "50", "limit", "50")
				if !slices.Equal(x, y) || len(x) != 50 || slices.Equal(x, before) {
					t.Fatal(x, y)
				}
				for _, id := range x {
					seen[id] = true
				}
				before = x
			}
			if len(seen) < 200 {
				t.Errorf("only %d of 300 in 600 draws", len(seen))
			}
			if b != Philomena {
				return
			}
			all := map[int64]bool{}
			for _, page := range []string{"1", "2", "3", "4", "5", "6"} {
				ids, _ := one.search("gif", "sf", "random:42", "per_page", "50", "page", page)
				for _, id := range ids {
					all[id] = true
				}
			}
			if len(all) != 300 {
				t.Errorf("six pages of one seed have %d", len(all))
			}
		})
	}
}

func TestPhilomenaDocuments(t *testing.T) {
	t.Parallel()
	var check func(path string, status int, body []byte)
	api := philomenaAPIDescription(t)
	check = func(path string, status int, body []byte) {
		unknown, err := api.UnknownInResponse("GET", path, status, body)
		if err != nil || len(unknown) > 0 {
			t.Errorf("%s: %v, unknown %v", path, err, unknown)
		}
	}
	for _, old := range []bool{false, true} {
		c := start(t, Config{Old: old, NoLimits: true})
		c.s.Add(Pleasant()[12],
			Image{Rating: Safe, DuplicateOf: 1, Stale: true}, Image{Rating: Safe, Deleted: true, Stale: true},
			Image{Rating: Safe, NoRepresentations: true, NoThumbnails: true, Unprocessed: true, Frames: 1},
			Image{Rating: Safe, Artists: []string{"a/b.c"}, Files: map[string]File{MP4: {Kind: Whole, Bytes: []byte("x")}}})
		var bodies []map[string]any
		for _, path := range []string{"search/images?q=safe&sd=asc&sf=id", "images/1", "images/2", "images/3", "images/99", "images/x", "search/images?q=)",
			"filters/1", "filters/system", "filters/9", "tags/rainbow+stripe", "tags/artist-colon-prism", "tags/none"} {
			resp, body := c.get(c.s.URL() + philomenaAPI + path)
			if !old {
				check(strings.SplitN(philomenaAPI+path, "?", 2)[0], resp.StatusCode, body)
			}
			v := map[string]any{}
			if err := json.Unmarshal(body, &v); err != nil {
				t.Fatalf("%v in %s", err, body)
			}
			bodies = append(bodies, v)
		}
		images, _ := bodies[0]["images"].([]any)
		if len(images) != 5 {
			t.Fatal(len(images), "images")
		}
		first, _ := images[0].(map[string]any)
		if _, has := first["source_urls"]; has == old {
			t.Error("old:", old, "but source_urls:", has)
		}
		if at, _ := first["created_at"].(string); strings.HasSuffix(at, "Z") == old {
			t.Error("old:", old, at)
		}
		view, _ := first["view_url"].(string)
		if !strings.HasPrefix(view, c.s.CDN()+"/img/view/2024/1/1/1__safe_artist-colon-prism_rainbow+stripe_animated_gif") || !strings.HasSuffix(view, ".gif") {
			t.Error(view)
		}
		if images[1].(map[string]any)["duplicate_of"] != 1.0 || images[2].(map[string]any)["deletion_reason"] != "Rule #0" {
			t.Error(images[1], images[2])
		}
		if _, has := images[3].(map[string]any)["representations"]; has {
			t.Error("representations of a picture without")
		}
		if bodies[10]["tag"].(map[string]any)["category"] != "character" || bodies[11]["tag"].(map[string]any)["category"] != "origin" {
			t.Error(bodies[10], bodies[11])
		}
	}
}

// The documents are like one that was recorded in 2020.
func TestOldDocumentIsTheRecordedOne(t *testing.T) {
	t.Parallel()
	dir := os.Getenv(apicheck.Variable)
	if dir == "" {
		t.Skip(apicheck.Variable + " is not set")
	}
	data, err := os.ReadFile(filepath.Join(dir, "captures", "derpibooru-image-2028858.json"))
	if err != nil {
		t.Fatal(err)
	}
	c := start(t, Config{Old: true})
	c.s.Add(Image{Rating: Safe, Uploader: "kim", Frames: 1})
	_, body := c.get(c.s.URL() + philomenaAPI + "images/1")
	var recorded, ours any
	if err := errors.Join(json.Unmarshal(data, &recorded), json.Unmarshal(body, &ours)); err != nil {
		t.Fatal(err)
	}
	sameShape(t, "$", recorded, ours)
	sameShape(t, "$ (ours)", ours, recorded)
}

// sameShape tells which fields of a the other does not have, or of another type.
func sameShape(t *testing.T, at string, a, b any) {
	t.Helper()
	x, ok := a.(map[string]any)
	y, is := b.(map[string]any)
	if ok != is {
		t.Errorf("%s is %T and %T", at, a, b)
	}
	for k, v := range x {
		w, has := y[k]
		if _, text := v.(string); !has || text != isText(w) && v != nil && w != nil {
			t.Errorf("%s.%s is %T and %T", at, k, v, w)
		}
		if _, deep := v.(map[string]any); deep {
			sameShape(t, at+"."+k, v, w)
		}
	}
}

func isText(v any) bool { _, ok := v.(string); return ok }

// philomenaAPIDescription is nil, which finds everything right, without the test data.
func philomenaAPIDescription(t *testing.T) *apicheck.Spec {
	t.Helper()
	dir := os.Getenv(apicheck.Variable)
	if dir == "" {
		return nil
	}
	data, err := os.ReadFile(filepath.Join(dir, "specs", "philomena-openapi.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var doc any
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
	data, err = json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	api, err := apicheck.Load(data)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

func TestDanbooruPosts(t *testing.T) {
	t.Parallel()
	c := start(t, Config{Board: Danbooru, NoLimits: true})
	c.s.Add(Image{Rating: Safe, Tags: []string{"blue eyes"}, Artists: []string{"Kam X"}, Characters: []string{"rainbow dash"}},
		Image{Rating: Explicit, Tags: []string{"blue eyes"}, Deleted: true}, Image{RawRating: "x", NoRepresentations: true, Tags: []string{"odd"}})
	// Deleted ones are found like any other.
	for query, want := range map[string][]int64{"blue_eyes": {2, 1}, "blue_eyes -status:deleted": {1}, "blue_eyes order:id": {1, 2}, "rating:g": {1},
		"kam_x rainbow_dash": {1}, "(a": nil, "limit:1": {3}, "blue_eyes random:1 rating:e": {2}} {
		if got, _ := c.search(query); !slices.Equal(got, want) {
			t.Error(query, got)
		}
	}
	resp, body := c.get(c.s.URL() + "/posts.json?tags=a+b+c")
	if resp.StatusCode != 422 || !strings.Contains(string(body), `"PostQuery::TagLimitError"`) {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	if resp, _ := c.get(c.s.URL() + "/posts.json?tags=a+b&random=true"); resp.StatusCode != 422 {
		t.Error(resp.Status)
	}
	var p map[string]any
	_, body = c.get(c.s.URL() + "/posts/1.json")
	if err := json.Unmarshal(body, &p); err != nil || p["rating"] != "g" || p["tag_string_artist"] != "kam_x" || p["is_deleted"] != false {
		t.Errorf("%v %s", err, body)
	}
	address, _ := p["file_url"].(string)
	if resp, data := c.get(address); resp.Header.Get("Content-Type") != "image/gif" || float64(len(data)) != p["file_size"] {
		t.Error(resp.Status, len(data), p["file_size"])
	}
	preview, _ := p["preview_file_url"].(string)
	if resp, data := c.get(preview); resp.Header.Get("Content-Type") != "image/jpeg" || string(data[:2]) != "\xff\xd8" {
		t.Error(resp.Status)
	}
	_, body = c.get(c.s.URL() + "/posts/3.json")
	if strings.Contains(string(body), "file_url") || strings.Contains(string(body), "md5") || !strings.Contains(string(body), `"rating":"x"`) {
		t.Errorf("%s", body)
	}
	if resp, _ := c.get(c.s.URL() + "/posts/9.json"); resp.StatusCode != 404 {
		t.Error(resp.Status)
	}
}

func TestE621Posts(t *testing.T) {
	t.Parallel()
	c := start(t, Config{Board: E621, NoLimits: true})
	c.s.Add(Image{Rating: Safe, Tags: []string{"blue eyes"}, Species: []string{"fox"}}, Image{Rating: Explicit, Tags: []string{"blue eyes"}, Deleted: true},
		Image{Rating: Suggestive, Tags: []string{"blue eyes"}, NoRepresentations: true})
	for query, want := range map[string][]int64{"blue_eyes": {3, 1}, "blue_eyes status:any": {3, 2, 1}, "fox gif rating:s": {1}, "rating:q": {3}, "limit:1": {3}} {
		if got, _ := c.search(query); !slices.Equal(got, want) {
			t.Error(query, got)
		}
	}
	var all struct {
		Posts []struct {
			File struct{ URL *string }
			Tags map[string][]string
		}
	}
	_, body := c.get(c.s.URL() + "/posts.json?tags=order:id")
	if err := json.Unmarshal(body, &all); err != nil || len(all.Posts) != 2 || all.Posts[1].File.URL != nil || all.Posts[0].Tags["species"][0] != "fox" {
		t.Fatalf("%v %s", err, body)
	}
	if resp, _ := c.get(*all.Posts[0].File.URL); resp.Header.Get("Content-Type") != "image/gif" {
		t.Error(resp.Status)
	}
	if resp, body := c.get(c.s.URL() + "/posts.json?tags=" + strings.Repeat("a+", 41)); resp.StatusCode != 422 || !strings.Contains(string(body), "more than 40 tags") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
	for agent, want := range map[string]int{"": 403, "Go-http-client/1.1": 403, "Mozilla/5.0": 403, "curl/8": 403, "Rookery/1.0 (by x)": 200} {
		req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, c.s.URL()+"/posts/1.json", nil)
		req.Header.Set("User-Agent", agent)
		resp, err := c.c.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%q gets %d", agent, resp.StatusCode)
		}
	}
}

// statuses asks n times and runs the answers together.
func (c client) statuses(path string, n int) []int {
	c.Helper()
	var all []int
	for range n {
		resp, _ := c.get(c.s.URL() + path)
		all = append(all, resp.StatusCode)
	}
	return slices.Compact(all)
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	var now atomic.Int64
	pass := func(d time.Duration) { now.Add(int64(d)) }
	cfg := Config{Now: func() time.Time { return time.Unix(1_700_000_000, now.Load()) }}
	search := philomenaAPI + "search/images?q=safe"
	same := func(c client, path string, n int, want ...int) {
		t.Helper()
		if got := c.statuses(path, n); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", path, got, want)
		}
	}
	c := start(t, cfg)
	same(c, search, 21, 200, 501) // the 21st is challenged
	pass(4 * time.Second)
	same(c, search, 2, 500) // did not back off
	pass(14 * time.Minute)
	same(c, search, 1, 500) // and begins the 15 minutes anew
	pass(14 * time.Minute)
	same(c, search, 1, 500)
	pass(15 * time.Minute)
	same(c, search, 1, 200)
	pass(time.Minute)
	same(c, search, 21, 200, 501)
	pass(11 * time.Second)
	same(c, search, 20, 200) // who waits is let in again
	pass(time.Minute)
	same(c, philomenaAPI+"filters/1", 31, 200, 501)

	cfg.TooMany = true
	same(start(t, cfg), search, 21, 200, 429)
	cfg.TooMany, cfg.Board = false, E621
	c = start(t, cfg)
	same(c, "/posts.json", 3, 200, 503)
	pass(time.Second)
	same(c, "/posts.json", 2, 200)
	cfg.Board = Danbooru
	same(start(t, cfg), "/posts.json", 11, 200, 429)
}

func TestWaitFor(t *testing.T) {
	t.Parallel()
	c := start(t, Config{})
	go func() { _, _ = c.open(c.s.URL() + philomenaAPI + "images/1") }()
	over := func() bool { r := c.s.Requests(); return len(r) == 1 && r[0].Over && r[0].Status == 404 }
	if err := c.s.WaitFor(t.Context(), over); err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.s.WaitFor(ctx, func() bool { return false }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
