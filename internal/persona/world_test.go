package persona

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/llm"
	"rookery/internal/outbox"
	"rookery/internal/settings"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/turns"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for an event before it gives up. It is no
// measure of anything.
const patience = 60 * time.Second

const character = "Elelem, a witty twenty-year-old student of computer science."

// options change a world; the zero value is a Mastodon and a model without
// faults.
type options struct {
	profile fedisim.Profile
	said    func(llmsim.Request) llmsim.Answer
	persona func(*Config)
	maxAge  time.Duration // 24 h if zero
	backlog bool
	all     bool        // every account does the persona, not the first alone
	clock   clock.Clock // a manual one if nil
}

// world is an instance with our account, a model and the feature between
// them, all real but for the servers, in one process and on one database.
type world struct {
	testing.TB
	sim   *fedisim.Server
	model *llmsim.Server
	store *store.Store
	bot   *fedisim.Account
	ada   *fedisim.Account // who asks
	clock *clock.Manual    // nil if options brought another
	home
}

// home is what one process holds.
type home struct {
	persona *Persona
	fedi    *fedi.Fedi
	outbox  *outbox.Outbox
	inbox   *inbox.Inbox
	account community.AccountID
	opt     options
	time    clock.Clock
}

// each runs a test on both databases.
func each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, fn, tables()...)
}

// newWorld starts the servers and takes the account through its first poll,
// so that whatever is asked afterwards is new.
func newWorld(t testing.TB, s *store.Store, o options) *world {
	t.Helper()
	w := &world{TB: t, store: s}
	if o.clock == nil {
		w.clock = clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
		o.clock = w.clock
	}
	w.sim = fedisim.New(fedisim.Options{Profile: o.profile, Clock: o.clock.Now, KeepRequests: 20_000})
	if err := w.sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	w.model = llmsim.New(llmsim.Options{Answer: o.said, Now: o.clock.Now})
	if err := w.model.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.model.Close() })
	w.bot = w.sim.AddAccount("elelem", fedisim.Bot(), fedisim.Named("Elelem"))
	w.ada = w.sim.AddAccount("ada", fedisim.Named("Ada"))
	w.home = w.newHome(s, o, w.bot)
	w.connect(w.home)
	w.account = w.fedi.Connected()[0]
	return w
}

// newHome puts the parts together, as app does, for one account or more; the
// first does the persona, the others nothing.
func (w *world) newHome(s *store.Store, o options, accounts ...*fedisim.Account) home {
	w.Helper()
	if o.maxAge == 0 {
		o.maxAge = 24 * time.Hour
	}
	log := slog.New(slog.NewTextHandler(w.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	h := home{opt: o, time: o.clock}
	h.outbox = outbox.New(outbox.Config{Store: s, Clock: o.clock, Log: log})
	h.inbox = inbox.New(s, o.clock, log)
	transport := &http.Transport{}
	w.Cleanup(transport.CloseIdleConnections)
	model, err := llm.New(llm.Options{BaseURL: w.model.URL(), Model: "sim-1", Now: o.clock.Now, Transport: transport})
	if err != nil {
		w.Fatal(err)
	}
	c := Config{Store: s, Outbox: h.outbox, Clock: o.clock, Log: log, Model: model, Character: character}
	if o.persona != nil {
		o.persona(&c)
	}
	h.persona = New(c)
	var logins []fedi.LoginConfig
	for i, a := range accounts {
		l := fedi.LoginConfig{Name: a.Username + " at " + w.sim.URL(), Server: w.sim.URL(), Token: a.Token, Poll: 10 * time.Millisecond,
			MaxAge: o.maxAge, Backlog: o.backlog, NoRateLimits: true}
		if i == 0 || o.all {
			l.Features = []inbox.Feature{h.persona}
		}
		logins = append(logins, l)
	}
	h.fedi, err = fedi.NewFedi(fedi.Config{Store: s, Inbox: h.inbox, Outbox: h.outbox, Clock: o.clock, Log: log, Logins: logins})
	if err != nil {
		w.Fatal(err)
	}
	h.persona.Join(h.fedi)
	return h
}

func (w *world) connect(h home) {
	w.Helper()
	if err := h.fedi.PollOnce(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// poll takes in what is new.
func (w *world) poll() { w.Helper(); w.connect(w.home) }

// answer answers at most limit of what waits, and nothing may go wrong.
func (w *world) answer(limit int) int {
	w.Helper()
	n, err := w.persona.Answer(w.Context(), w.account, limit)
	if err != nil {
		w.Fatalf("answering: %v", err)
	}
	return n
}

// round takes in what is new and answers it, and nothing may go wrong.
func (w *world) round() int { w.Helper(); w.poll(); return w.answer(-1) }

// sweep has the outbox look after what is under way.
func (w *world) sweep() {
	w.Helper()
	if _, err := w.outbox.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// replies are the bot's replies to a post.
func (w *world) replies(to fedisim.Post) []fedisim.Post {
	return slices.DeleteFunc(w.sim.Replies(to.ID), func(p fedisim.Post) bool { return p.AccountID != w.bot.ID })
}

// reply is the bot's one reply to a post; there must be exactly one.
func (w *world) reply(to fedisim.Post) fedisim.Post {
	w.Helper()
	r := w.replies(to)
	if len(r) != 1 {
		w.Fatalf("%.60q has %d replies, not one", to.Text, len(r))
	}
	return r[0]
}

// silent fails if the bot has posted anything.
func (w *world) silent() {
	w.Helper()
	if posts := w.sim.PostsBy(w.bot.ID); len(posts) != 0 {
		w.Errorf("the bot has posted %q", posts[0].Text)
	}
}

// modelCalls fails unless the model was asked that often.
func (w *world) modelCalls(want int) {
	w.Helper()
	if got := w.model.Count(); got != want {
		w.Errorf("the model was asked %d times, not %d", got, want)
	}
}

// are fails unless the account's mentions are in these states: "done 2, waiting 1".
func (w *world) are(want string) {
	w.Helper()
	counts, err := w.inbox.Counts(w.Context(), w.account)
	if err != nil {
		w.Fatal(err)
	}
	var got []string
	for s, n := range counts {
		got = append(got, fmt.Sprintf("%s %d", s, n))
	}
	slices.Sort(got)
	if s := strings.Join(got, ", "); s != want {
		w.Errorf("the mentions are %q, not %q", s, want)
	}
}

// reason is the recorded reason of the account's only mention.
func (w *world) reason() (reason string) {
	w.Helper()
	err := w.store.QueryRow(w.Context(), `select reason from inbox_mention where account = $1`, string(w.account)).Scan(&reason)
	if err != nil {
		w.Fatal(err)
	}
	return reason
}

// waitingRow is what is stored of a waiting mention.
type waitingRow struct {
	attempts, declined int64
	next               time.Time
	leased             bool
	lastError          string
}

func (w *world) waiting() []waitingRow {
	w.Helper()
	rows, err := w.store.Query(w.Context(), `select attempts, declined, next_at, lease_until, last_error from turns_waiting
		where feature = $2 and account = $1 order by notified_at, mention`, string(w.account), Name)
	all, err := store.Collect(rows, err, func(r store.Row) (v waitingRow, err error) {
		var next, lease int64
		err = r.Scan(&v.attempts, &v.declined, &next, &lease, &v.lastError)
		v.next, v.leased = time.UnixMilli(next), lease != 0
		return v, err
	})
	if err != nil {
		w.Fatal(err)
	}
	return all
}

// prompt is the conversation of the model's n-th request, from 0.
func (w *world) prompt(n int) []llmsim.Message {
	w.Helper()
	all := w.model.Requests()
	if n >= len(all) {
		w.Fatalf("the model was asked %d times only", len(all))
	}
	return all[n].Messages
}

// transcript is a conversation as one text.
func transcript(messages []llmsim.Message) string {
	var b strings.Builder
	for _, m := range messages {
		fmt.Fprintf(&b, "[%s] %s\n", m.Role, m.Text)
	}
	return b.String()
}

// waitFor waits until something holds in the instance.
func (w *world) waitFor(what string, cond func() bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.sim.WaitFor(ctx, func(*fedisim.Server) bool { return cond() }); err != nil {
		w.Fatalf("waited in vain for %s", what)
	}
}

// modelHas waits until something holds at the model.
func (w *world) modelHas(what string, cond func(llmsim.Stats) bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := w.model.WaitFor(ctx, func() bool { return cond(w.model.Stats()) }); err != nil {
		w.Fatalf("waited in vain for %s", what)
	}
}

// says is a model that always says the same.
func says(text string) func(llmsim.Request) llmsim.Answer {
	return func(llmsim.Request) llmsim.Answer { return llmsim.Answer{Text: text} }
}

// decode reads the text that a client sent as a new post.
func decode(t testing.TB, r fedisim.Request) (text string) {
	t.Helper()
	var body struct {
		Status string `json:"status"`
	}
	if err := json.Unmarshal([]byte(r.Body), &body); err != nil {
		t.Fatal(err)
	}
	return body.Status
}

// tables are what the feature needs in a database, without the jobs'.
func tables() []store.Migrations {
	return []store.Migrations{inbox.Migrations(), outbox.Migrations(), fedi.Migrations(), budget.Migrations(), turns.Migrations(), settings.Migrations(), discord.Migrations(), Migrations()}
}

// emptied opens another database of the same kind, with nothing in it.
func emptied(t *testing.T, like *store.Store) *store.Store {
	t.Helper()
	return storetest.Open(t, storetest.Config(t, like.Dialect()), tables()...)
}
