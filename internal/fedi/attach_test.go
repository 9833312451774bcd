package fedi

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// desk is a server that takes files, and answers about them and about posts
// what a test says. What is not said it answers like a Mastodon that has
// nothing to do.
type desk struct {
	t *testing.T

	mu      sync.Mutex
	upload  []http.HandlerFunc // the answers to uploads, the last for ever
	look    []http.HandlerFunc // to GET /api/v1/media/:id
	post    []http.HandlerFunc
	uploads int
	looks   []string // the ids
	posts   int
	version string
}

func (d *desk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	next := func(of *[]http.HandlerFunc, usual http.HandlerFunc) http.HandlerFunc {
		d.mu.Lock()
		defer d.mu.Unlock()
		if len(*of) == 0 {
			return usual
		}
		h := (*of)[0]
		if len(*of) > 1 {
			*of = (*of)[1:]
		}
		return h
	}
	switch {
	case r.URL.Path == mediaPath:
		swallow(d.t, r)
		d.mu.Lock()
		d.uploads++
		n := d.uploads
		d.mu.Unlock()
		next(&d.upload, answerWith(200, "application/json", fmt.Sprintf(`{"id":"m%d","url":"https://art.example/m%d.gif"}`, n, n)))(w, r)
	case strings.HasPrefix(r.URL.Path, "/api/v1/media/"):
		id := strings.TrimPrefix(r.URL.Path, "/api/v1/media/")
		d.mu.Lock()
		d.looks = append(d.looks, id)
		d.mu.Unlock()
		next(&d.look, answerWith(200, "application/json", `{"id":"`+id+`","url":"https://art.example/x.gif"}`))(w, r)
	case r.URL.Path == "/api/v1/statuses":
		_, _ = io.Copy(io.Discard, r.Body)
		d.mu.Lock()
		d.posts++
		d.mu.Unlock()
		next(&d.post, answerWith(200, "application/json", aStatus))(w, r)
	case r.URL.Path == "/api/v1/accounts/verify_credentials":
		_, _ = io.WriteString(w, `{"id":"7","acct":"elelem","username":"elelem","bot":true}`)
	case r.URL.Path == "/api/v2/instance":
		_, _ = io.WriteString(w, `{"domain":"art.example","version":"`+d.version+`","configuration":{"statuses":{"max_characters":500}}}`)
	case r.URL.Path == "/api/v1/notifications":
		_, _ = io.WriteString(w, `[]`)
	default:
		answerWith(404, "application/json", `{"error":"x"}`)(w, r)
	}
}

func (d *desk) counted() (uploads, looks int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.uploads, len(d.looks)
}

// says makes one answer of JSON.
func says(status int, body string) http.HandlerFunc {
	return answerWith(status, "application/json", body)
}

// counter is a Fedi at a desk.
type counter struct {
	desk  *desk
	clock *testClock
	store *store.Store
	f     *Fedi
}

func openDesk(t *testing.T, d *desk, change ...func(*Config)) *counter {
	t.Helper()
	return openDeskOn(t, d, storetest.Open(t, storetest.Config(t, store.SQLite), inbox.Migrations(), outbox.Migrations(), Migrations()), change...)
}

func openDeskOn(t *testing.T, d *desk, s *store.Store, change ...func(*Config)) *counter {
	t.Helper()
	d.t = t
	if d.version == "" {
		d.version = "4.6.4 mastodon"
	}
	srv := httptest.NewServer(d)
	t.Cleanup(srv.Close)
	k := &counter{desk: d, clock: newTestClock(start), store: s}
	k.restart(t, srv.URL, k.clock, change...)
	return k
}

// restart is another process on the same database.
func (k *counter) restart(t *testing.T, url string, clk clock.Clock, change ...func(*Config)) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	c := Config{Store: k.store, Inbox: inbox.New(k.store, clk, log), Outbox: outbox.New(outbox.Config{Store: k.store, Clock: clk, Log: log}),
		Clock: clk, Log: log, Logins: []LoginConfig{{Name: "elelem", Server: url, Token: testToken, Poll: time.Second}}}
	for _, f := range change {
		f(&c)
	}
	f, err := NewFedi(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, l := range f.logins {
			l.client.Close()
		}
	})
	if err := f.PollOnce(t.Context()); err != nil {
		t.Fatal(err)
	}
	k.f = f
}

func (k *counter) id() community.AccountID { return k.f.Connected()[0] }

func (k *counter) attach(t *testing.T, key string) (string, error) {
	t.Helper()
	defer advancing(k.clock, 500*time.Millisecond)()
	return k.f.Attach(t.Context(), k.id(), key, aPicture(t, 100))
}

const workingOnIt = `{"id":"m1","type":"gifv","url":null}`

func TestAFileThatIsReadyIsUploadedOnce(t *testing.T) {
	t.Parallel()
	k := openDesk(t, &desk{})
	for range 2 {
		if id, err := k.attach(t, "a"); id != "m1" || err != nil {
			t.Errorf("%q, %v", id, err)
		}
	}
	if uploads, looks := k.desk.counted(); uploads != 1 || looks != 1 {
		t.Errorf("%d uploads, %d looks", uploads, looks)
	}
	if id, err := k.attach(t, "b"); id != "m2" || err != nil {
		t.Errorf("another file: %q, %v", id, err)
	}
}

func TestAttachWaitsUntilTheServerIsDone(t *testing.T) {
	t.Parallel()
	tooMany := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "20")
		says(429, `{"error":"x"}`)(w, r)
	}
	k := openDesk(t, &desk{
		upload: []http.HandlerFunc{says(202, workingOnIt)},
		look:   []http.HandlerFunc{says(206, workingOnIt), says(503, "{}"), says(206, ""), tooMany, says(404, "{}"), says(206, workingOnIt), says(200, aMedium)},
	})
	id, err := k.attach(t, "a")
	if id != "m1" || err != nil {
		t.Fatalf("%q, %v", id, err)
	}
	if uploads, looks := k.desk.counted(); uploads != 1 || looks != 7 {
		t.Errorf("%d uploads, %d looks", uploads, looks)
	}
	if passed := k.clock.Now().Sub(start); passed < 20*time.Second {
		t.Errorf("it looked again %s after the server had asked for 20 s", passed)
	}
}

func TestAttachGivesUpOnASlowServerAndGoesOnLater(t *testing.T) {
	t.Parallel()
	k := openDesk(t, &desk{upload: []http.HandlerFunc{says(202, workingOnIt)}, look: []http.HandlerFunc{says(206, workingOnIt)}})
	_, err := k.attach(t, "a")
	_, looks := k.desk.counted()
	if ClassOf(err) != Transient || looks < 25 || looks > 45 {
		t.Errorf("after %d looks: %v", looks, err)
	}
	if passed := k.clock.Now().Sub(start); passed < processingTime || passed > processingTime+time.Minute {
		t.Errorf("after %s", passed)
	}
	k.desk.mu.Lock()
	k.desk.look = []http.HandlerFunc{says(200, aMedium)}
	k.desk.mu.Unlock()
	if id, err := k.attach(t, "a"); id != "m1" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if uploads, _ := k.desk.counted(); uploads != 1 {
		t.Errorf("%d uploads", uploads)
	}
}

func TestAFileThatCannotBeProcessedIsRejected(t *testing.T) {
	t.Parallel()
	k := openDesk(t, &desk{upload: []http.HandlerFunc{says(202, workingOnIt), says(200, `{"id":"m2","url":"https://x"}`)},
		look: []http.HandlerFunc{says(206, ""), says(422, `{"error":"cannot be processed"}`)}})
	if id, err := k.attach(t, "a"); ClassOf(err) != RejectedMedia || !strings.Contains(err.Error(), "cannot be processed") {
		t.Errorf("%q, %v", id, err)
	}
	_, before := k.desk.counted()
	if id, err := k.attach(t, "a"); id != "m2" || err != nil {
		t.Errorf("another form of it: %q, %v", id, err)
	}
	if _, looks := k.desk.counted(); looks != before {
		t.Error("it asked for what had failed")
	}
}

func TestARefusedUploadLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	k := openDesk(t, &desk{upload: []http.HandlerFunc{says(422, `{"error":"1600x900 GIF files are not supported"}`)}})
	for range 2 {
		if id, err := k.attach(t, "a"); ClassOf(err) != RejectedMedia || !strings.Contains(err.Error(), "1600x900") {
			t.Errorf("%q, %v", id, err)
		}
	}
	if uploads, looks := k.desk.counted(); uploads != 2 || looks != 0 {
		t.Errorf("%d uploads, %d looks", uploads, looks)
	}
}

func TestAfterACrashTheUploadIsUsed(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		ctx, crash := context.WithCancel(t.Context())
		d := &desk{upload: []http.HandlerFunc{says(202, workingOnIt)}, look: []http.HandlerFunc{func(w http.ResponseWriter, r *http.Request) {
			crash()
			says(206, "")(w, r)
		}, says(206, ""), says(200, aMedium)}}
		k := openDeskOn(t, d, storetest.Open(t, c, inbox.Migrations(), outbox.Migrations(), Migrations()))
		stop := advancing(k.clock, 500*time.Millisecond)
		id, err := k.f.Attach(ctx, k.id(), "a", aPicture(t, 100))
		stop()
		if id != "" || !errors.Is(err, context.Canceled) {
			t.Fatalf("%q, %v", id, err)
		}
		k.restart(t, k.f.logins[0].Server, k.clock)
		for range 2 {
			if id, err := k.attach(t, "a"); id != "m1" || err != nil {
				t.Errorf("%q, %v", id, err)
			}
		}
		if uploads, _ := d.counted(); uploads != 1 {
			t.Errorf("%d uploads", uploads)
		}
	})
}

func TestWhatTheServerSaysOfAnEarlierUpload(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		first, look http.HandlerFunc
		want        string
		class       Class
	}{
		"it has it":                  {nil, says(200, aMedium), "m1", ""},
		"it has lost it":             {nil, says(404, "{}"), "m2", ""},
		"it could not process it":    {nil, says(422, "{}"), "m2", ""},
		"it may not be asked":        {nil, says(403, "{}"), "m1", ""},
		"it cannot be asked":         {nil, says(405, "{}"), "m1", ""},
		"it is in trouble":           {nil, says(503, "{}"), "", Transient},
		"it refuses the token":       {nil, says(401, "{}"), "", Auth},
		"it has too much to do":      {nil, says(429, "{}"), "", Rate},
		"cannot be asked when ready": {says(202, workingOnIt), says(405, "{}"), "m1", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{look: []http.HandlerFunc{tc.look}}
			if tc.first != nil {
				d.upload = []http.HandlerFunc{tc.first}
			}
			k := openDesk(t, d)
			if id, err := k.attach(t, "a"); id != "m1" || err != nil {
				t.Fatalf("%q, %v", id, err)
			}
			if id, err := k.attach(t, "a"); id != tc.want || ClassOf(err) != tc.class {
				t.Errorf("%q, %v", id, err)
			}
		})
	}
}

func TestAFileThatGetsLostWhileItIsProcessedMayBeUploadedAgain(t *testing.T) {
	t.Parallel()
	k := openDesk(t, &desk{upload: []http.HandlerFunc{says(202, workingOnIt), says(200, aMedium)}, look: []http.HandlerFunc{says(404, "{}")}})
	if id, err := k.attach(t, "a"); ClassOf(err) != Transient {
		t.Errorf("%q, %v", id, err)
	}
	if id, err := k.attach(t, "a"); id != "m1" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
}

func TestDiscardedAndOldUploadsAreForgotten(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		k := openDeskOn(t, &desk{}, storetest.Open(t, c, inbox.Migrations(), outbox.Migrations(), Migrations()))
		known := func() (keys []string) {
			rows, err := k.store.Query(t.Context(), `select key from fedi_media order by key`)
			keys, err = store.Collect(rows, err, func(r store.Row) (s string, err error) { return s, r.Scan(&s) })
			if err != nil {
				t.Fatal(err)
			}
			return keys
		}
		for _, key := range []string{"a", "b", "c"} {
			if _, err := k.attach(t, key); err != nil {
				t.Fatal(err)
			}
			k.clock.Advance(20 * 24 * time.Hour)
		}
		err := k.store.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return errors.Join(k.f.Discard(ctx, tx, "b"), k.f.Discard(ctx, tx, "none"))
		})
		if err != nil {
			t.Fatal(err)
		}
		same(t, known(), []string{"a", "c"})
		if err := k.f.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, known(), []string{"c"})
		if id, err := k.attach(t, "b"); id != "m4" || err != nil {
			t.Errorf("%q, %v", id, err)
		}
	})
}

func TestAnUploadIsOfOneAccountOnly(t *testing.T) {
	t.Parallel()
	k := openDesk(t, &desk{})
	if err := k.f.noteUpload(t.Context(), "other.example/1", "a", uploadedMedia{id: "theirs", ready: true}); err != nil {
		t.Fatal(err)
	}
	if id, err := k.attach(t, "a"); id != "m1" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if _, err := k.f.Attach(t.Context(), "nobody.example/1", "a", aPicture(t, 10)); !errors.Is(err, ErrNotConnected) {
		t.Error(err)
	}
}

func TestARehearsalUploadsNothing(t *testing.T) {
	t.Parallel()
	k := openDesk(t, &desk{}, func(c *Config) { c.Outbox.Rehearse = func(string, outbox.Attempt) {} })
	if id, err := k.attach(t, "a"); id == "" || err != nil {
		t.Errorf("%q, %v", id, err)
	}
	if uploads, _ := k.desk.counted(); uploads != 0 {
		t.Errorf("%d uploads", uploads)
	}
}
