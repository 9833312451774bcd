package fedisim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/sim/fedisim"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fakeClock is a clock that only a test moves.
type fakeClock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *fakeClock { return &fakeClock{t: time.Date(2026, 11, 20, 10, 1, 0, 0, time.UTC)} }

func (c *fakeClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *fakeClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// world is a server with a bot and its client.
type world struct {
	*testing.T
	s      *fedisim.Server
	clock  *fakeClock
	bot    *fedisim.Account
	client *http.Client
}

func newWorld(t *testing.T, opt fedisim.Options) *world {
	t.Helper()
	w := &world{T: t, clock: newClock()}
	if opt.Clock == nil {
		opt.Clock = w.clock.now
	}
	w.s = fedisim.New(opt)
	if err := w.s.Start(); err != nil {
		t.Fatal(err)
	}
	tr := &http.Transport{}
	w.client = &http.Client{Transport: tr, Timeout: 30 * time.Second}
	t.Cleanup(func() {
		w.s.Close()
		tr.CloseIdleConnections()
	})
	w.bot = w.s.AddAccount("elelem", fedisim.Bot())
	return w
}

// reply is an answer, read whole.
type reply struct {
	status int
	header http.Header
	body   []byte
	err    error
}

func (w *world) try(method, path, token string, form url.Values, key string) reply {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	return w.tryCtx(ctx, method, path, token, form, key)
}

func (w *world) tryCtx(ctx context.Context, method, path, token string, form url.Values, key string) reply {
	w.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	req, err := http.NewRequestWithContext(ctx, method, w.s.URL()+path, body)
	if err != nil {
		w.Fatal(err)
	}
	req.GetBody = nil
	if form != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	resp, err := w.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 64<<20))
	return reply{resp.StatusCode, resp.Header, b, err}
}

// get reads a JSON answer as the bot and fails the test unless it is a 200.
func (w *world) get(path string, into any) reply {
	w.Helper()
	return w.ok(w.try("GET", path, w.bot.Token, nil, ""), into)
}

func (w *world) ok(r reply, into any) reply {
	w.Helper()
	if r.err != nil || r.status != 200 {
		w.Fatalf("status %d, error %v, body %.300s", r.status, r.err, r.body)
	}
	if into != nil {
		if err := json.Unmarshal(r.body, into); err != nil {
			w.Fatalf("%v in %.300s", err, r.body)
		}
	}
	return r
}

func (w *world) post(form url.Values) status {
	w.Helper()
	var st status
	w.ok(w.try("POST", "/api/v1/statuses", w.bot.Token, form, ""), &st)
	return st
}

func (w *world) wait(cond func(*fedisim.Server) bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := w.s.WaitFor(ctx, cond); err != nil {
		w.Fatal(err)
	}
}

type account struct {
	ID, Acct, URL, Username string
	Bot                     bool
}

type status struct {
	ID, URI, URL, Content, Visibility string
	CreatedAt                         time.Time `json:"created_at"`
	SpoilerText                       string    `json:"spoiler_text"`
	Sensitive                         bool
	InReplyTo                         *string `json:"in_reply_to_id"`
	Text                              *string
	Account                           account
	Mentions                          []account
	Media                             []struct{ ID, Type, Description string } `json:"media_attachments"`
	Emojis                            []struct{ Shortcode string }
	Reblog                            *status
}

type note struct {
	ID, Type string
	Account  account
	Status   *status
	Filtered bool
}

func ids(notes []note) string {
	var out []string
	for _, n := range notes {
		out = append(out, n.ID)
	}
	return strings.Join(out, " ")
}
