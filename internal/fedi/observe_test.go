package fedi

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rookery/internal/sim/fedisim"
)

// watch gathers what Observe is told.
type watch struct {
	mu   sync.Mutex
	seen []Request
}

func (w *watch) hear(r Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, r)
}

func TestEveryRequestIsObservedWithoutIDs(t *testing.T) {
	t.Parallel()
	var w watch
	var clk *testClock
	c, clk := serve(t, func(rw http.ResponseWriter, r *http.Request) {
		clk.Advance(time.Second)
		switch {
		case r.Header.Get("Upgrade") != "" || strings.Contains(r.URL.Path, "dismiss"):
			rw.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(rw, `{}`)
		case r.Method == http.MethodDelete:
			rw.WriteHeader(http.StatusInternalServerError)
		case r.URL.Path == "/api/v1/notifications":
			_, _ = io.WriteString(rw, "[]")
		default:
			_, _ = io.WriteString(rw, aStatus)
		}
	}, func(o *Options) { o.Observe = w.hear })
	ctx := t.Context()
	_, _ = c.VerifyCredentials(ctx)
	_, _ = c.Status(ctx, "71")
	_, _ = c.Context(ctx, "72")
	_, _, _ = c.AccountStatuses(ctx, "73", StatusQuery{MaxID: "74"})
	_, _ = c.Post(ctx, draft("hi"), "k")
	_, _ = c.Edit(ctx, "75", draft("hi"))
	_ = c.Delete(ctx, "76")
	_, _ = c.Notifications(ctx, NotificationQuery{MinID: "77"})
	_ = c.Dismiss(ctx, "78")
	_, _ = c.OpenStream(ctx, c.base.String())
	_, _ = c.OpenStream(ctx, "") // nothing is sent
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, _ = c.Status(gone, "79")
	want := []Request{
		{Method: "GET", Route: "/api/v1/accounts/verify_credentials", Family: "requests", Status: 200},
		{Method: "GET", Route: "/api/v1/statuses/:id", Family: "requests", Status: 200},
		{Method: "GET", Route: "/api/v1/statuses/:id/context", Family: "requests", Status: 200},
		{Method: "GET", Route: "/api/v1/accounts/:id/statuses", Family: "paged requests", Status: 200},
		{Method: "POST", Route: "/api/v1/statuses", Family: "posts", Status: 200},
		{Method: "PUT", Route: "/api/v1/statuses/:id", Family: "requests", Status: 200},
		{Method: "DELETE", Route: "/api/v1/statuses/:id", Family: "deletions", Status: 500, Class: Unknown},
		{Method: "GET", Route: "/api/v1/notifications", Family: "paged requests", Status: 200},
		{Method: "POST", Route: "/api/v1/notifications/:id/dismiss", Family: "requests", Status: 404, Class: Gone},
		{Method: "POST", Route: "/api/v1/notification/:id/dismiss", Family: "requests", Status: 404, Class: Gone},
		{Method: "GET", Route: "/api/v1/streaming", Family: "requests", Status: 404, Class: Unsupported},
		{Method: "GET", Route: "/api/v1/statuses/:id", Family: "requests", Class: Transient},
	}
	if d := cmp.Diff(want, w.seen, cmpopts.IgnoreFields(Request{}, "Took")); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	for _, r := range w.seen[:len(w.seen)-1] {
		if r.Took != time.Second {
			t.Errorf("%s took %s by the clock, want 1s", r.Route, r.Took)
		}
	}
}

func TestWhatIsHeldBackIsObservedAsRateWithoutAStatus(t *testing.T) {
	t.Parallel()
	var w watch
	c, _ := serve(t, answerWith(200, "application/json", aStatus), func(o *Options) { o.Observe = w.hear })
	for range 31 {
		_ = c.Delete(t.Context(), "1")
	}
	if last := w.seen[30]; last.Class != Rate || last.Status != 0 || last.Family != "deletions" {
		t.Errorf("%+v", last)
	}
}

func TestFediNamesTheAccountOfARequestAndTellsHowItIsDoing(t *testing.T) {
	t.Parallel()
	var w watch
	k := begin(t, fedisim.GoToSocial, false)
	k.change = func(c *Config) { c.Observe = w.hear }
	k.restart(t, false)
	if st := k.f.Status()[0]; st.Name != "elelem" || st.Connected || st.Streaming || st.Software != SoftwareUnknown || st.Handle != "" || !st.LastPoll.IsZero() || st.Server != k.sim.URL() {
		t.Errorf("before the first log-in: %+v", st)
	}
	k.poll(t)
	for _, r := range w.seen {
		if r.Account != "elelem" || r.Status != 200 && r.Status != 404 {
			t.Errorf("%+v", r)
		}
	}
	st := k.f.Status()[0]
	if !st.Connected || st.Streaming || st.Software != GoToSocial || st.Handle != "elelem@"+k.sim.Domain() || !st.LastPoll.Equal(k.clock.Now()) || st.LastError != "" || string(st.Self.ID) != k.bot.ID {
		t.Errorf("after a poll: %+v", st)
	}
	before := k.clock.Now()
	k.clock.Advance(time.Minute)
	k.sim.Inject(fedisim.Fail(500).On("GET", "/api/v1/notifications"))
	_ = k.f.PollOnce(t.Context())
	if st := k.f.Status()[0]; !st.Connected || !st.LastPoll.Equal(before) || !strings.Contains(st.LastError, "500") {
		t.Errorf("after a poll that failed: %+v", st)
	}
	k.poll(t)
	if st := k.f.Status()[0]; st.LastError != "" {
		t.Errorf("after the next: %+v", st)
	}
}
