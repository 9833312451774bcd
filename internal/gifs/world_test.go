package gifs

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/booru"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/publicnet"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/turns"
)

func TestMain(m *testing.M) {
	// The scripts are written before any test starts a program: a file that a
	// child still holds open for writing cannot be run.
	dir, err := os.MkdirTemp("", "rookery-fakes-")
	if err == nil {
		err = writeFakes(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(dir)
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// options change a world; the zero value is a Mastodon and an empty Furbooru
// without faults.
type options struct {
	profile    fedisim.Profile
	gifs       func(*Config)
	media      func(*media.Options)
	board      boorusim.Config
	withOthers bool // the account does other things too
	ffmpeg     bool // the real program, if there is one; none otherwise
	impatient  bool // a board has a second for an answer, not five
	limits     func(*fedisim.Limits)
	// sources take the place of the board; it is given.
	sources func(booru.Source) []booru.Source
}

// world is an instance with our account, an image board, and the feature
// between them, all real but for the servers, in one process and on one
// database.
type world struct {
	testing.TB
	opt   options
	sim   *fedisim.Server
	board *boorusim.Server
	log   logged
	store *store.Store
	bot   *fedisim.Account
	ada   *fedisim.Account // who asks
	clock *clock.Manual
	home
}

// home is what one process holds.
type home struct {
	gifs    *GIFs
	fedi    *fedi.Fedi
	outbox  *outbox.Outbox
	inbox   *inbox.Inbox
	account community.AccountID
	tmp     string
}

// each runs a test on both databases.
func each(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	storetest.Each(t, fn, tables()...)
}

// alone runs a test on SQLite, for what does not depend on the database.
func alone(t *testing.T, fn func(t *testing.T, s *store.Store)) {
	t.Helper()
	t.Parallel()
	fn(t, storetest.Open(t, storetest.Config(t, store.SQLite), tables()...))
}

// tables are what the feature needs in a database.
func tables() []store.Migrations {
	return []store.Migrations{outbox.Migrations(), inbox.Migrations(), fedi.Migrations(), turns.Migrations(), Migrations()}
}

// emptied opens another database of the same kind, with nothing in it.
func emptied(t *testing.T, like *store.Store) *store.Store {
	t.Helper()
	return storetest.Open(t, storetest.Config(t, like.Dialect()), tables()...)
}

// newWorld starts the servers and takes the account through its first poll,
// so that whatever is asked afterwards is new.
func newWorld(t testing.TB, s *store.Store, o options, pictures ...boorusim.Image) *world {
	t.Helper()
	w := &world{TB: t, store: s, opt: o, clock: clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))}
	w.sim = fedisim.New(fedisim.Options{Profile: o.profile, Clock: w.clock.Now, KeepRequests: 20_000})
	if err := w.sim.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.sim.Close)
	w.sim.Processing(0)
	if o.limits != nil {
		w.sim.Limit(o.limits)
	}
	o.board.NoLimits = true
	var err error
	if w.board, err = boorusim.Start(o.board); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.board.Close() })
	w.board.Add(pictures...)
	w.bot = w.sim.AddAccount("rook", fedisim.Bot(), fedisim.Named("Rook"))
	w.ada = w.sim.AddAccount("ada", fedisim.Named("Ada"))
	w.home = w.newHome()
	w.poll()
	w.account = w.fedi.Connected()[0]
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	return w
}

// newHome puts the parts together, as app does: another process on the same
// database.
func (w *world) newHome() home {
	w.Helper()
	o := w.opt
	log := slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	h := home{account: w.account, tmp: w.TempDir()}
	h.outbox = outbox.New(outbox.Config{Store: w.store, Clock: w.clock, Log: log})
	h.inbox = inbox.New(w.store, w.clock, log)
	transport := &http.Transport{}
	w.Cleanup(transport.CloseIdleConnections)
	timeout := 5 * time.Second
	if o.impatient {
		timeout = time.Second
	}
	board := brisk{asked: new(atomic.Int64), clock: w.clock}
	var err error
	if board.Source, err = booru.NewPhilomena(booru.Options{BaseURL: w.board.URL(), UserAgent: "Rookery test", Transport: transport, NSFWFilterID: "2", Now: board.now, Timeout: timeout}); err != nil {
		w.Fatal(err)
	}
	sources := []booru.Source{board}
	if o.sources != nil {
		sources = o.sources(board)
	}
	client := publicnet.New(publicnet.Options{AllowLoopback: true})
	mo := media.Options{Dir: h.tmp, Fetch: client, Log: log, Now: w.clock.Now, FFmpeg: "no-such-ffmpeg"}
	if o.ffmpeg {
		mo.FFmpeg = theFFmpeg(w)
	}
	if o.media != nil {
		o.media(&mo)
	}
	kit, err := media.New(mo)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() {
		if left, err := os.ReadDir(h.tmp); err != nil || len(left) > 0 {
			w.Errorf("temporary files stay behind: %v, %v", left, err)
		}
		_ = kit.Close()
	})
	blocked, err := booru.NewBlocklist()
	if err != nil {
		w.Fatal(err)
	}
	c := Config{Store: w.store, Outbox: h.outbox, Clock: w.clock, Log: log, Sources: sources, Media: kit, Blocklist: blocked,
		NoRepeat: time.Hour, Queue: 5, Burst: 100, Rate: 100}
	if o.gifs != nil {
		o.gifs(&c)
	}
	h.gifs = New(c)
	h.fedi, err = fedi.NewFedi(fedi.Config{Store: w.store, Inbox: h.inbox, Outbox: h.outbox, Clock: w.clock, Log: log,
		Fewer: func(f fedi.FewerMedia) { log.Warn("fewer", "kept", f.Kept) },
		Logins: []fedi.LoginConfig{{Name: "rook", Server: w.sim.URL(), Token: w.bot.Token, Poll: 10 * time.Millisecond, MaxAge: 24 * time.Hour,
			NoRateLimits: true, Features: []inbox.Feature{h.gifs.Of(o.withOthers)}}}})
	if err != nil {
		w.Fatal(err)
	}
	h.gifs.Join(h.fedi)
	return h
}

// restart is another process in the place of this one.
func (w *world) restart() {
	w.Helper()
	w.home = w.newHome()
	w.poll()
	// Where others may be at work, what the last process held comes free by itself.
	w.clock.Advance(w.gifs.Hold() + time.Second)
	if err := w.gifs.Recover(w.Context()); err != nil {
		w.Fatal(err)
	}
	if err := w.outbox.Recover(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// poll takes in what is new.
func (w *world) poll() {
	w.Helper()
	if err := w.fedi.PollOnce(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// round takes in what is new and answers it, and nothing may go wrong.
func (w *world) round() int {
	w.Helper()
	w.poll()
	n, err := w.gifs.Answer(w.Context(), w.account, -1)
	if err != nil {
		w.Fatalf("answering: %v", err)
	}
	w.sweep()
	return n
}

// sweep has the outbox look after what is under way.
func (w *world) sweep() {
	w.Helper()
	if _, err := w.outbox.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
}

// ask has Ada write to the bot.
func (w *world) ask(text string, more ...fedisim.PostOption) fedisim.Post {
	w.Helper()
	w.clock.Advance(time.Second)
	return w.ada.Post("@rook "+text, more...)
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

// medium is the one picture of a post.
func (w *world) medium(p fedisim.Post) fedisim.Media {
	w.Helper()
	if len(p.Media) != 1 {
		w.Fatalf("%.60q has %d media, not one", p.Text, len(p.Media))
	}
	return p.Media[0]
}

// silent fails if the bot has posted anything.
func (w *world) silent() {
	w.Helper()
	if posts := w.sim.PostsBy(w.bot.ID); len(posts) != 0 {
		w.Errorf("the bot has posted %q", posts[0].Text)
	}
}

// state is how far the only mention has come, and why.
func (w *world) state() (state, reason string) {
	w.Helper()
	if err := w.store.QueryRow(w.Context(), `select state, reason from inbox_mention order by taken_at desc, notified_at desc limit 1`).Scan(&state, &reason); err != nil {
		w.Fatal(err)
	}
	return state, reason
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

// rounds answers, some minutes apart, until nothing waits or is under way.
func (w *world) rounds(most int) {
	w.Helper()
	for range most {
		w.poll()
		_, _ = w.gifs.Answer(w.Context(), w.account, -1) // its trouble is what a test makes
		w.sweep()
		counts, err := w.inbox.Counts(w.Context(), w.account)
		if err != nil {
			w.Fatal(err)
		}
		if counts[inbox.Waiting]+counts[inbox.Answering] == 0 {
			return
		}
		w.clock.Advance(11 * time.Minute)
	}
	w.Errorf("after %d rounds something still waits", most)
}

// until waits until something holds, and looks every few milliseconds.
func (w *world) until(what string, cond func() bool) {
	w.Helper()
	give := time.After(60 * time.Second) // it is no measure of anything
	for !cond() {
		select {
		case <-give:
			w.Fatalf("waited in vain until %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// count is a number that a query returns.
func (w *world) count(sql string, args ...any) (n int64) {
	w.Helper()
	if err := w.store.QueryRow(w.Context(), sql, args...).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n
}

// fetched are the forms of pictures that were downloaded: "1 full".
func (w *world) fetched() (all []string) {
	for _, r := range w.board.Files() {
		all = append(all, fmt.Sprint(r.Image, " ", r.Representation))
	}
	return all
}

// brisk is a board for which some time passes with each search, so that none
// waits for the pace that the board wants.
type brisk struct {
	booru.Source
	asked *atomic.Int64
	clock *clock.Manual
}

func (b brisk) now() time.Time {
	return b.clock.Now().Add(time.Duration(b.asked.Load()) * 700 * time.Millisecond)
}

func (b brisk) Find(ctx context.Context, q booru.Query, n int) ([]booru.Image, error) {
	b.asked.Add(1)
	return b.Source.Find(ctx, q, n)
}

// logged is a log that is looked at.
type logged struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func theFFmpeg(t testing.TB) string {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: what it makes is not tested")
	}
	return path
}

// contains fails unless all of these are in a text.
func contains(t testing.TB, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in %q", p, text)
		}
	}
}

// picture is a safe one with these tags; more changes it.
func picture(tags []string, more ...func(*boorusim.Image)) boorusim.Image {
	im := boorusim.Image{Rating: boorusim.Safe, Tags: append([]string{"animated", "gif"}, tags...)}
	for _, change := range more {
		change(&im)
	}
	return im
}

func rated(r boorusim.Rating) func(*boorusim.Image) {
	return func(im *boorusim.Image) { im.Rating = r }
}

func sized(w, h int) func(*boorusim.Image) {
	return func(im *boorusim.Image) { im.Width, im.Height = w, h }
}

func by(artists ...string) func(*boorusim.Image) {
	return func(im *boorusim.Image) { im.Artists = artists }
}
