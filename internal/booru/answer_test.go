package booru

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func philomena(t testing.TB) *Philomena {
	p, err := NewPhilomena(Options{UserAgent: agent, BaseURL: "https://board.example", Name: "Board"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func danbooru(t testing.TB) *Danbooru {
	d, err := NewDanbooru(Options{UserAgent: agent, BaseURL: "https://dan.example", Name: "Dan"})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func e621(t testing.TB) *E621 {
	e, err := NewE621(Options{UserAgent: agent, BaseURL: "https://e.example", Name: "E"})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

const modern = `{"id": 77, "format": "gif", "mime_type": "image/gif", "animated": true, "width": 1600, "height": 800,
	"size": 123456, "tags": ["safe", "animated", "gif", "artist:Some_One", "oc:blue", "rainbow dash"],
	"source_url": "https://art.example/1", "source_urls": ["https://art.example/1", "ftp://x", "https://art.example/2"],
	"representations": {
		"full": "https://cdn.example/view/77.gif", "large": "//cdn.example/77/large.gif",
		"medium": "/img/77/medium.gif", "small": "https://cdn.example/77/small.gif",
		"thumb": "https://cdn.example/77/thumb.gif", "mp4": "https://cdn.example/77.mp4"},
	"thumbnails_generated": true, "processed": true, "duplicate_of": null, "deletion_reason": null, "hidden_from_users": false}`

func TestPhilomenaImage(t *testing.T) {
	t.Parallel()
	got, ok := philomena(t).image(json.RawMessage(modern))
	want := Image{
		Source: "Board", ID: "77", Page: "https://board.example/images/77",
		Origin: []string{"https://art.example/1", "https://art.example/2"}, Rating: Safe,
		Tags:    []string{"safe", "animated", "gif", "artist:Some_One", "oc:blue", "rainbow dash"},
		Artists: []string{"some_one"}, Characters: []string{"blue"},
		Files: []File{
			{"https://cdn.example/view/77.gif", "image/gif", 1600, 800, 123456},
			{"https://cdn.example/77/large.gif", "image/gif", 1280, 640, 0},
			{"https://board.example/img/77/medium.gif", "image/gif", 800, 400, 0},
			{"https://cdn.example/77/small.gif", "image/gif", 320, 160, 0},
			{"https://cdn.example/77/thumb.gif", "image/gif", 250, 125, 0},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("image (-want +got):\n%s", diff)
	}
}

// changed is modern with some fields set to other JSON values, or taken away.
func changed(t *testing.T, set ...string) json.RawMessage {
	t.Helper()
	var doc map[string]json.RawMessage
	if err := json.Unmarshal([]byte(modern), &doc); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(set); i += 2 {
		if set[i+1] == "" {
			delete(doc, set[i])
			continue
		}
		doc[set[i]] = json.RawMessage(set[i+1])
	}
	raw, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestPhilomenaShapes(t *testing.T) {
	t.Parallel()
	p := philomena(t)
	shown := map[string][]string{
		"old":                 {"id", `"77"`, "tags", `"safe, animated, gif"`, "format", "", "original_format", `"gif"`, "thumbnails_generated", "", "is_rendered", "true", "animated", "", "source_urls", "", "hidden_from_users", ""},
		"full elsewhere":      {"representations", `{"thumb":"//cdn.example/t.gif"}`, "view_url", `"//cdn.example/77.gif"`},
		"only a thumb":        {"representations", `{"thumb":"//cdn.example/t.gif"}`},
		"odd types":           {"width", `"x"`, "height", "[]", "size", "-1", "source_url", "3", "source_urls", "{}"},
		"one bad address":     {"representations", `{"full":"javascript:x","large":"file:///etc/a.gif","small":"//u:p@h/x.gif","thumb":"//cdn.example/t.gif","medium":"http://["}`},
		"no MIME type":        {"mime_type", ""},
		"all kinds of rating": {"tags", `["explicit","safe"]`},
	}
	for name, set := range shown {
		img, ok := p.image(changed(t, set...))
		if !ok || len(img.Files) == 0 {
			t.Errorf("%s: not shown", name)
		}
		for _, f := range img.Files {
			if u, err := url.Parse(f.URL); err != nil || u.Host != "cdn.example" && u.Host != "board.example" || !strings.HasPrefix(f.URL, "http") {
				t.Errorf("%s: file at %s", name, f.URL)
			}
		}
	}
	hidden := map[string][]string{
		"merged":             {"duplicate_of", "5"},
		"deleted":            {"deletion_reason", `"rule 1"`},
		"hidden":             {"hidden_from_users", "true"},
		"without thumbnails": {"thumbnails_generated", "false"},
		"old, not rendered":  {"is_rendered", "false"},
		"a PNG":              {"format", `"png"`, "mime_type", `"image/png"`},
		"of two minds":       {"mime_type", `"video/webm"`},
		"no format":          {"format", "", "mime_type", ""},
		"still":              {"animated", "false"},
		"no files":           {"representations", "", "view_url", `"//cdn.example/77.gif"`},
		"files of no GIF":    {"representations", `{"full":"//cdn.example/a.webm"}`},
		"no id":              {"id", "null"},
		"deleted, short":     {"representations", "", "tags", "", "hidden_from_users", "true"},
	}
	for name, set := range hidden {
		if img, ok := p.image(changed(t, set...)); ok {
			t.Errorf("%s: shown as %+v", name, img)
		}
	}
}

func TestPhilomenaFileSizes(t *testing.T) {
	t.Parallel()
	p := philomena(t)
	for _, tt := range []struct {
		width, height string
		want          [][2]int
	}{
		{"1600", "800", [][2]int{{1600, 800}, {1280, 640}, {800, 400}, {320, 160}, {250, 125}}},
		{"800", "2400", [][2]int{{800, 2400}, {341, 1024}, {200, 600}, {80, 240}, {83, 250}}},
		// Boxes that it fits into hold the full picture again.
		{"500", "500", [][2]int{{500, 500}, {240, 240}, {250, 250}}},
		{"100", "50", [][2]int{{100, 50}}},
		{"5000", "3", [][2]int{{5000, 3}, {1280, 1}, {800, 1}, {320, 1}, {250, 1}}},
		{"0", "0", [][2]int{{0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0}}},
	} {
		img, _ := p.image(changed(t, "width", tt.width, "height", tt.height))
		var got [][2]int
		for _, f := range img.Files {
			got = append(got, [2]int{f.Width, f.Height})
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%sx%s (-want +got):\n%s", tt.width, tt.height, diff)
		}
	}
}

func TestPhilomenaRatings(t *testing.T) {
	t.Parallel()
	for tags, want := range map[string]Rating{
		"":                          RatingUnknown,
		"cute":                      RatingUnknown,
		"safe":                      Safe,
		"SAFE,cute":                 Safe,
		"safe,safe":                 Safe,
		"unsafe":                    RatingUnknown,
		"suggestive":                Suggestive,
		"questionable":              Questionable,
		"explicit":                  Explicit,
		"safe,explicit":             RatingUnknown,
		"safe,suggestive":           RatingUnknown,
		"safe,semi-grimdark":        RatingUnknown,
		"grotesque,safe":            RatingUnknown,
		"semi-grimdark":             Questionable,
		"grimdark":                  Explicit,
		"suggestive,grotesque":      Explicit,
		"questionable,explicit,x":   RatingUnknown,
		"explicit,semi-grimdark,gr": Explicit,
	} {
		if got := philomenaRating(strings.Split(tags, ",")); got != want || got.Safe() != (want == Safe) {
			t.Errorf("%s is %s, want %s", tags, got, want)
		}
	}
}

func TestPhilomenaCapture(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("ROOKERY_TESTDATA")
	if dir == "" {
		t.Skip("ROOKERY_TESTDATA names no folder of recorded answers")
	}
	raw, err := os.ReadFile(filepath.Join(dir, "captures", "derpibooru-image-2028858.json"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct{ Image json.RawMessage }
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	p := philomena(t)
	if _, ok := p.image(doc.Image); ok {
		t.Error("a PNG is shown")
	}
	// The same as a GIF.
	gif := strings.NewReplacer(`"image/png"`, `"image/gif"`, `"format":"png"`, `"format":"gif"`, ".png", ".gif").Replace(string(doc.Image))
	img, ok := p.image(json.RawMessage(gif))
	if !ok || img.ID != "2028858" || img.Rating != Safe || len(img.Files) != 5 || img.Files[1].Width != 1280 || img.Files[1].Height != 733 ||
		cmp.Diff([]string{"kam"}, img.Artists) != "" || cmp.Diff([]string{"https://twitter.com/KamDrawings/status/1123822106784010240"}, img.Origin) != "" {
		t.Errorf("image: %+v", img)
	}
}

const danbooruDoc = `{"id": 9, "rating": "g", "file_ext": "gif", "file_url": "https://cdn.example/9.gif", "image_width": 640, "image_height": 480,
	"file_size": 999, "is_deleted": false, "is_banned": false, "source": "https://art.example/9",
	"tag_string": "1girl animated animated_gif dan_(artist) hatsune_miku", "tag_string_artist": "dan_(artist)",
	"tag_string_character": "hatsune_miku", "tag_string_meta": "animated animated_gif",
	"media_asset": {"variants": [{"type":"180x180","url":"https://cdn.example/180.jpg","width":180,"height":135,"file_ext":"jpg"},
		{"type":"sample","url":"https://cdn.example/s.gif","width":320,"height":240,"file_ext":"gif"},
		{"type":"original","url":"https://cdn.example/9.gif","width":640,"height":480,"file_ext":"gif"}]}}`

const e621Doc = `{"id": 5, "file": {"width": 640, "height": 480, "ext": "gif", "size": 77, "url": "https://cdn.example/5.gif"},
	"tags": {"general": ["dancing"], "species": ["fox"], "character": ["nick_wilde"], "artist": ["some_one", "conditional_dnp"], "meta": ["animated"]},
	"flags": {"deleted": false}, "rating": "s", "sources": ["https://art.example/5", "-gone"]}`

func TestDanbooruAndE621Images(t *testing.T) {
	t.Parallel()
	dan, e := danbooru(t), e621(t)
	got, ok := dan.image(json.RawMessage(danbooruDoc))
	want := Image{
		Source: "Dan", ID: "9", Page: "https://dan.example/posts/9", Origin: []string{"https://art.example/9"}, Rating: Safe,
		Tags:    []string{"1girl", "animated", "animated_gif", "artist:dan_(artist)", "hatsune_miku"},
		Artists: []string{"dan"}, Characters: []string{"hatsune_miku"}, Meta: []string{"animated", "animated_gif"},
		Files: []File{{"https://cdn.example/9.gif", "image/gif", 640, 480, 999}, {"https://cdn.example/s.gif", "image/gif", 320, 240, 0}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("Danbooru's image (-want +got):\n%s", diff)
	}
	got, ok = e.image(json.RawMessage(e621Doc))
	want = Image{
		Source: "E", ID: "5", Page: "https://e.example/posts/5", Origin: []string{"https://art.example/5"}, Rating: Safe,
		Tags:    []string{"nick_wilde", "fox", "dancing", "animated", "artist:some_one", "artist:conditional_dnp"},
		Artists: []string{"some one"}, Characters: []string{"nick_wilde"}, Meta: []string{"animated"},
		Files: []File{{"https://cdn.example/5.gif", "image/gif", 640, 480, 77}},
	}
	if diff := cmp.Diff(want, got); diff != "" || !ok {
		t.Errorf("e621's image (-want +got):\n%s", diff)
	}

	for from, to := range map[string]string{
		`"is_deleted": false`: `"is_deleted": true`, `"is_banned": false`: `"is_banned": true`,
		`"file_url": "https://cdn.example/9.gif",`: ``, `"file_ext": "gif", "file_url"`: `"file_ext": "webm", "file_url"`,
		"animated": "still",
	} {
		if _, ok := dan.image(json.RawMessage(strings.ReplaceAll(danbooruDoc, from, to))); ok {
			t.Errorf("Danbooru's %s is shown", to)
		}
	}
	for from, to := range map[string]string{
		`"deleted": false`: `"deleted": true`, `"https://cdn.example/5.gif"`: `null`, `"ext": "gif"`: `"ext": "webm"`, "animated": "still",
	} {
		if _, ok := e.image(json.RawMessage(strings.ReplaceAll(e621Doc, from, to))); ok {
			t.Errorf("e621's %s is shown", to)
		}
	}
	for said, want := range map[text]Rating{"g": Safe, "s": Suggestive, "q": Questionable, "e": Explicit, "": RatingUnknown, "safe": RatingUnknown} {
		if got := danbooruRating(said); got != want {
			t.Errorf("Danbooru's %q is %s", said, got)
		}
	}
	for said, want := range map[text]Rating{"s": Safe, "q": Questionable, "e": Explicit, "g": RatingUnknown, "": RatingUnknown} {
		if got := e621Rating(said); got != want {
			t.Errorf("e621's %q is %s", said, got)
		}
	}
}

func TestFindChoosesWhatTheQueryWants(t *testing.T) {
	t.Parallel()
	doc := func(id, tags string) string {
		return strings.Replace(strings.Replace(modern, `"id": 77`, `"id": `+id, 1), `"safe", "animated"`, tags+`, "animated"`, 1)
	}
	b := serve(t, says(200, `{"images":[7, "x", {}, `+strings.Join([]string{
		doc("1", `"safe"`), doc("1", `"safe"`), doc("2", `"explicit"`), doc("3", `"safe","Very_Sad"`), doc("4", `"safe"`), doc("5", `"none"`), doc("6", `"safe"`),
	}, ",")+`]}`))
	p, err := NewPhilomena(Options{UserAgent: agent, BaseURL: b.URL})
	if err != nil {
		t.Fatal(err)
	}
	for typed, want := range map[string]string{
		"":                       "1 3 4 6",
		`-"very sad"`:            "1 4 6",
		"nsfw":                   "1 2 3 4 5 6",
		`nsfw -explicit -"oc:y"`: "1 3 4 5 6",
	} {
		got, err := p.Find(t.Context(), Parse(typed).Query, 50)
		if ids := strings.Join(ids(got), " "); ids != want || err != nil {
			t.Errorf("%q found %s (%v), want %s", typed, ids, err, want)
		}
	}
	if got, err := p.Find(t.Context(), Query{}, 2); len(got) != 2 || err != nil {
		t.Errorf("two found %v (%v)", ids(got), err)
	}
}

func ids(images []Image) []string {
	out := make([]string, len(images))
	for i, img := range images {
		out[i] = img.ID
	}
	return out
}

// checkImage holds for whatever a board says.
func checkImage(t *testing.T, img Image) {
	t.Helper()
	if img.ID == "" || img.Source == "" || len(img.Files) == 0 {
		t.Fatalf("image: %+v", img)
	}
	for _, f := range img.Files {
		u, err := url.Parse(f.URL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || f.Type != "image/gif" || f.Width < 0 || f.Height < 0 || f.Size < 0 {
			t.Fatalf("file: %+v", f)
		}
	}
	for _, word := range Describe(img) {
		if word == "" || strings.Contains(word, "_") {
			t.Fatalf("described with %q", word)
		}
	}
	Credit(img)
}

func FuzzAnswers(f *testing.F) {
	for _, seed := range []string{
		`{"images":[` + modern + `]}`, `{"search":[` + modern + `],"images":null}`, `[` + danbooruDoc + `]`, `{"posts":[` + e621Doc + `]}`,
		`null`, `{"images":[null,1,{"id":{}}]}`, `{"images":[{"id":1,"format":"gif","representations":{"full":"//h/\u0000.gif"},"width":1e308,"size":1e300}]}`,
	} {
		f.Add([]byte(seed))
	}
	list, err := NewBlocklist()
	if err != nil {
		f.Fatal(err)
	}
	p, d, e := philomena(f), danbooru(f), e621(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		for _, board := range []struct {
			fields []string
			read   func(json.RawMessage) (Image, bool)
		}{{[]string{"images", "search"}, p.image}, {nil, d.image}, {[]string{"posts"}, e.image}} {
			found, err := rows(body, board.fields...)
			if err != nil {
				continue
			}
			for _, safe := range pick(found, Query{}, 50, board.read) {
				checkImage(t, safe)
				if !safe.Rating.Safe() {
					t.Fatalf("not safe: %+v", safe)
				}
			}
			for _, img := range pick(found, Query{NSFW: true}, 50, board.read) {
				checkImage(t, img)
				list.Image(img)
			}
		}
	})
}
