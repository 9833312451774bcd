package fedi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"rookery/internal/community"
)

// stubborn is a server that answers an edit with what it likes.
type stubborn struct {
	mu     sync.Mutex
	edit   http.HandlerFunc
	status string // of GET /api/v1/statuses/:id
	source http.HandlerFunc
	asked  []string
}

func (s *stubborn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	s.mu.Lock()
	s.asked = append(s.asked, r.Method+" "+r.URL.Path)
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodPut && strings.HasPrefix(r.URL.Path, "/api/v1/statuses/"):
		s.edit(w, r)
	case strings.HasSuffix(r.URL.Path, "/source"):
		s.source(w, r)
	case strings.HasPrefix(r.URL.Path, "/api/v1/statuses/"):
		says(200, s.status)(w, r)
	case r.URL.Path == "/api/v1/accounts/verify_credentials":
		says(200, `{"id":"7","acct":"ada","username":"ada"}`)(w, r)
	default:
		says(404, `{"error":"x"}`)(w, r)
	}
}

func TestWhatAnEditLeavesIsLookedAt(t *testing.T) {
	t.Parallel()
	post := func(rest string) string {
		return `{"id":"1","content":"<p>hi</p>","visibility":"public","account":{"id":"7","acct":"ada","username":"ada"},` + rest + `}`
	}
	const covered = `"spoiler_text":"eyes","sensitive":true,"media_attachments":`
	good := post(covered + `[{"id":"m1","description":"A pony."},{"id":"m2","description":"Two &amp; more"}]`)
	d := Draft{Text: "hi", CW: "eyes", Sensitive: true, MediaIDs: []string{"m1", "m2"},
		MediaDescriptions: map[string]string{"m1": "A pony.", "m2": "Two & more"}}
	unchanged := says(422, `{"error":"status was not changed"}`)
	source := func(text, cw string) http.HandlerFunc {
		return says(200, `{"id":"1","text":"`+text+`","spoiler_text":"`+cw+`"}`)
	}
	for name, tc := range map[string]struct {
		edit   http.HandlerFunc
		status string
		source http.HandlerFunc
		want   Class
		asked  int // requests
	}{
		"kept":                             {says(200, good), "", nil, "", 1},
		"the answer is of before":          {says(200, post(covered+`[{"id":"m1"},{"id":"m2"}]`)), good, nil, "", 2},
		"the answer does not tell":         {says(200, post(`"sensitive":true`)), good, nil, "", 2},
		"other ids, in order":              {says(200, post(covered+`[{"id":"-1","description":"A pony. "},{"id":"-2","description":"Two & more"}]`)), "", nil, "", 1},
		"other ids, the wrong order":       {says(200, post(covered+`[{"id":"-2","description":"Two & more"},{"id":"-1","description":"A pony."}]`)), post(covered + `[{"id":"-2","description":"Two & more"},{"id":"-1","description":"A pony."}]`), nil, Class(ReasonDescriptions), 2},
		"descriptions not kept":            {says(200, post(covered+`[{"id":"m1","description":"old"},{"id":"m2"}]`)), post(covered + `[{"id":"m1","description":"old"},{"id":"m2"}]`), nil, Class(ReasonDescriptions), 2},
		"other ids, descriptions not kept": {says(200, post(covered+`[{"id":"-1"},{"id":"-2"}]`)), post(covered + `[{"id":"-1"},{"id":"-2"}]`), nil, Class(ReasonDescriptions), 2},
		"a file stays":                     {says(200, post(covered+`[{"id":"m1"},{"id":"m2"},{"id":"m3"}]`)), post(covered + `[{"id":"m1"},{"id":"m2"},{"id":"m3"}]`), nil, Unsupported, 2},
		"not covered":                      {says(200, post(`"media_attachments":[{"id":"m1"},{"id":"m2"}]`)), post(`"media_attachments":[{"id":"m1"},{"id":"m2"}]`), nil, Unsupported, 2},
		"nothing to change":                {unchanged, good, source("hi", "eyes"), "", 4},
		"nothing to change, 400":           {says(400, "{}"), good, source("hi", "eyes"), "", 4},
		"refused, other text":              {unchanged, good, source("hello", "eyes"), Invalid, 4},
		"refused, other warning":           {unchanged, good, source("hi", "ears"), Invalid, 4},
		"refused, no source":               {unchanged, good, says(404, "{}"), Invalid, 4},
		"refused, source not to be had":    {unchanged, good, says(503, "{}"), Transient, 4},
		"refused, other descriptions":      {unchanged, post(covered + `[{"id":"m1"},{"id":"m2"}]`), nil, Invalid, 3},
		"refused, a file less":             {unchanged, post(covered + `[{"id":"m1","description":"A pony."},{"id":"m9","description":"Two & more"},{"id":"m3"}]`), nil, Invalid, 3},
		"another's post":                   {says(404, "{}"), strings.Replace(good, `"id":"7"`, `"id":"8"`, 1), nil, Gone, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &stubborn{edit: tc.edit, status: tc.status, source: tc.source}
			srv := httptest.NewServer(s)
			t.Cleanup(srv.Close)
			c, err := New(Options{Server: srv.URL, Token: testToken, Clock: newTestClock(start)})
			if err != nil {
				t.Fatal(err)
			}
			c.instance.Software, c.probed = GoToSocial, true
			l := &login{client: c, f: &Fedi{Config: Config{Clock: newTestClock(start)}}}
			l.id, l.self = "x/7", community.Member{ID: "7"}
			if err := l.edit(t.Context(), "1", d); ClassOf(err) != tc.want {
				t.Errorf("%v", err)
			}
			if len(s.asked) != tc.asked {
				t.Errorf("asked %q", s.asked)
			}
		})
	}
}

func TestSameWords(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		a, b string
		same bool
	}{
		{"", "", true}, {"", "x", false}, {"x", "", false}, {" a\r\nb ", "a\nb", true}, {"a &amp; b", "a & b", true}, {"A <b>pony</b>", "A pony", true},
		{"A pony", "A <b>pony</b>", true}, {"ponies", "pony", false}, {"...", "!!!", false}, {"🐴", "🐴", true}, {"🐴", "🦄", false}, {"пони", "пони.", true},
	} {
		if got := sameWords(tc.a, tc.b); got != tc.same {
			t.Errorf("%q, %q: %v", tc.a, tc.b, got)
		}
	}
}

func TestMixes(t *testing.T) {
	t.Parallel()
	for sw, want := range map[Software]bool{Mastodon: false, SoftwareUnknown: false, Akkoma: true, Pleroma: true, GoToSocial: true, Misskey: true, Snac: true} {
		f := &Fedi{byID: map[community.AccountID]*login{"a": {instance: Instance{Software: sw}}}}
		if got := f.Mixes("a"); got != want {
			t.Errorf("%s: %v", sw, got)
		}
		if f.Mixes("nobody") {
			t.Error("an unknown account mixes")
		}
	}
}
