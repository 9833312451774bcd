package gallery

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"log/slog"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery/ledger"
	"rookery/internal/inbox"
	"rookery/internal/llm"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/publicnet"
	"rookery/internal/settings"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// options change a world; the zero value is a Mastodon, a guild that has turned
// its gallery on, and no model.
type options struct {
	profile fedisim.Profile
	gallery func(*Config)
	account func(*Account)
	fedi    func(*fedisim.Server)
	model   func(llmsim.Request) llmsim.Answer // there is a model, and this is what it says
	ffmpeg  bool                               // the real program, if there is one; none otherwise
	budget  *budget.Limits                     // nil: nothing is counted
	blind   bool                               // the bot may not read messages

	commands bool // the commands are registered, and letters taken in
}

// world is a guild with the bot, an instance with its account, a model, and the
// feature between them, all real but for the servers, in one process and on one
// database.
type world struct {
	testing.TB
	opt     options
	discord *discordsim.Server
	fedi    *fedisim.Server
	llm     *llmsim.Server
	rook    *fedisim.Account // the account that shows the gallery
	log     *logged
	store   *store.Store
	clock   *clock.Manual

	guild, forum, text, adult string
	ada                       string // an artist
	ben                       string // another member
	mod                       string // a moderator
	home
}

// home is what one process holds.
type home struct {
	g       *Gallery
	worker  *worker
	told    *told // the operator, and the guild
	kit     *media.Kit
	outbox  *outbox.Outbox
	inbox   *inbox.Inbox
	book    *settings.Book
	platF   *fedi.Fedi
	platD   *discord.Discord
	account community.AccountID // on the Fediverse
	app     community.AccountID // on Discord
}

// told are the notices that operators and guilds got.
type told struct {
	mu  sync.Mutex
	all []string
}

func (t *told) note(who, key, text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.all = append(t.all, who+" "+key+" "+text)
}

func (t *told) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.all, "\n")
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
	return []store.Migrations{outbox.Migrations(), inbox.Migrations(), fedi.Migrations(), discord.Migrations(), settings.Migrations(), budget.Migrations(), ledger.Migrations(), Migrations()}
}

// newWorld starts the servers and connects the bot.
func newWorld(t testing.TB, s *store.Store, o options) *world {
	t.Helper()
	w := &world{TB: t, opt: o, log: &logged{}, store: s, clock: clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))}
	w.fedi = fedisim.New(fedisim.Options{Profile: o.profile, Clock: w.clock.Now, KeepRequests: 5_000})
	w.must(w.fedi.Start())
	t.Cleanup(w.fedi.Close)
	w.fedi.Processing(0)
	if o.fedi != nil {
		o.fedi(w.fedi)
	}
	w.rook = w.fedi.AddAccount("gallery", fedisim.Bot(), fedisim.Named("Gallery"))
	w.llm = llmsim.New(llmsim.Options{Answer: o.model, Now: w.clock.Now})
	w.must(w.llm.Start())
	t.Cleanup(func() { _ = w.llm.Close() })
	var err error
	w.discord, err = discordsim.New(discordsim.Options{NoRateLimits: true, Clock: w.clock.Now, HeartbeatInterval: time.Hour})
	w.must(err)
	t.Cleanup(w.discord.Close)
	w.guild = w.discord.AddGuild("Owls")
	w.forum = w.discord.AddForum(w.guild, "art")
	w.text = w.discord.AddChannel(w.guild, "sketches", discordsim.Text)
	w.adult = w.discord.AddChannel(w.guild, "late", discordsim.Text, discordsim.AgeRestricted())
	w.ada, w.ben, w.mod = w.discord.AddUser("ada"), w.discord.AddUser("ben"), w.discord.AddUser("mod")
	w.discord.Join(w.guild, w.ada)
	w.discord.Join(w.guild, w.ben)
	w.discord.Join(w.guild, w.mod, w.discord.AddRole(w.guild, "moderators", discordsim.ManageMessages|discordsim.ModerateMembers))
	w.discord.BotJoins(w.guild, discordsim.ViewChannel|discordsim.SendMessages|discordsim.SendMessagesInThreads|discordsim.EmbedLinks|discordsim.AttachFiles|discordsim.ReadMessageHistory)
	w.home = w.newHome()
	w.set("enabled", "on")
	w.set("channels", w.forum+" "+w.text+" "+w.adult)
	w.app = discord.AccountOf(w.discord.AppID())
	_, err = w.inbox.Begin(t.Context(), inbox.Account{ID: w.app}, w.clock.Now().Add(-time.Minute))
	w.must(err)
	w.must(w.platF.PollOnce(t.Context()))
	w.account = w.platF.Connected()[0]
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { w.platD.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
		if t.Failed() {
			t.Log(w.log.String())
		}
	})
	defer w.clock.Run()() // some of what is done at the start waits a little
	w.must(w.platD.WaitReady(w.patience()))
	if o.commands {
		w.must(w.discord.WaitFor(w.patience(), func(s *discordsim.Server) bool { return len(s.Commands(w.guild)) > 0 && len(s.Commands("")) > 0 }))
	}
	return w
}

// newHome puts the parts together, as app does: another process on the same
// database.
func (w *world) newHome() home {
	w.Helper()
	o := w.opt
	log := slog.New(slog.NewTextHandler(w.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	h := home{account: w.account, app: w.app, told: &told{}}
	declared := Declare()
	h.book = settings.New(settings.Config{Store: w.store, Clock: w.clock, Log: log, Groups: []*settings.Group{declared.Group}})
	h.outbox = outbox.New(outbox.Config{Store: w.store, Clock: w.clock, Log: log})
	h.inbox = inbox.New(w.store, w.clock, log)
	mo := media.Options{Dir: w.TempDir(), Fetch: publicnet.New(publicnet.Options{AllowLoopback: true}), Log: log, Now: w.clock.Now, NoFFmpeg: !o.ffmpeg}
	if o.ffmpeg {
		if _, err := exec.LookPath("ffmpeg"); err != nil {
			w.Skip("ffmpeg is not installed: what it makes is not tested")
		}
	}
	kit, err := media.New(mo)
	w.must(err)
	w.Cleanup(func() {
		if left, err := os.ReadDir(mo.Dir); err != nil || len(left) > 0 {
			w.Errorf("temporary files stay behind: %v, %v", left, err)
		}
		_ = kit.Close()
	})
	h.kit = kit
	c := Config{Store: w.store, Outbox: h.outbox, Clock: w.clock, Log: log, Ledger: ledger.New(w.store, w.clock), Settings: declared, Media: kit,
		Tell: func(_ context.Context, _ store.Tx, key string, say func(words.Language) string) error {
			h.told.note("operator", key, say(words.English))
			return nil
		},
		TellGuild: func(_ context.Context, _ store.Tx, _ community.GuildID, key string, say func(words.Language) string) error {
			h.told.note("guild", key, say(words.English))
			return nil
		}}
	c.Accounts = func() []Account {
		a := Account{Name: "gallery", Visibility: community.Public, Language: "en", AI: true}
		for _, s := range w.platF.Status() {
			a.ID, a.Handle = s.ID, s.Handle
		}
		if o.account != nil {
			o.account(&a)
		}
		return []Account{a}
	}
	if o.model != nil {
		client, err := llm.New(llm.Options{BaseURL: w.llm.URL(), Model: "sim-1", MaxTokens: 300, Timeout: 5 * time.Second, Now: w.clock.Now, Log: log})
		w.must(err)
		c.Model, c.ModelName, c.Processor = client, "sim-1", "Sim (Moon)"
	}
	if o.budget != nil {
		c.Budget = budget.New(budget.Config{Store: w.store, Clock: w.clock, Log: log, Limits: *o.budget})
	}
	if o.gallery != nil {
		o.gallery(&c)
	}
	h.g = New(c)
	h.worker = h.g.newWorker()
	var commands []discord.Command
	var letterbox []inbox.Feature
	if o.commands {
		commands, letterbox = h.g.Commands(), []inbox.Feature{h.g.Letters()}
	}
	h.platF, err = fedi.NewFedi(fedi.Config{Store: w.store, Inbox: h.inbox, Outbox: h.outbox, Clock: w.clock, Log: log,
		Logins: []fedi.LoginConfig{{Name: "gallery", Server: w.fedi.URL(), Token: w.rook.Token, Poll: 10 * time.Millisecond, MaxAge: 24 * time.Hour, NoRateLimits: true, Features: letterbox}}})
	w.must(err)
	h.g.Join(h.platF)
	h.platD, err = discord.New(discord.Config{Store: w.store, Inbox: h.inbox, Outbox: h.outbox, Clock: w.clock, Log: log, Token: w.discord.Token(), API: w.discord.URL(),
		CDN: w.discord.CDN(), Timeout: 5 * time.Second, MaxAge: 24 * time.Hour, MessageContent: !o.blind, Watchers: []discord.Watcher{h.g}, Commands: commands})
	w.must(err)
	h.g.JoinDiscord(h.platD)
	return h
}

// restart is another process in the place of this one. It logs in, and does not
// connect to Discord's gateway: presses still go to the first.
func (w *world) restart() {
	w.Helper()
	w.home = w.newHome()
	w.must(w.platF.PollOnce(w.Context()))
	w.must(w.platD.PollOnce(w.Context()))
	w.must(w.g.Recover(w.Context()))
	w.must(w.outbox.Recover(w.Context()))
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) patience() context.Context {
	ctx, cancel := context.WithTimeout(w.Context(), 30*time.Second) // it is no measure of anything
	w.Cleanup(cancel)
	return ctx
}

// until waits until something holds, and looks every few milliseconds.
func (w *world) until(what string, cond func() bool) {
	w.Helper()
	give := time.After(30 * time.Second) // it is no measure of anything
	for !cond() {
		select {
		case <-give:
			w.Fatalf("waited in vain until %s", what)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// set changes a setting of the guild.
func (w *world) set(field, value string) {
	w.Helper()
	_, err := w.book.Set(w.Context(), settings.Form{Guild: community.GuildID(w.guild), Values: []settings.Raw{{Field: "gallery." + field, Text: value}}})
	w.must(err)
}

// sweep has the outbox look after what is planned.
func (w *world) sweep() {
	w.Helper()
	_, err := w.outbox.Sweep(w.Context())
	w.must(err)
}

// work does what the feature's jobs and the outbox's do, once.
func (w *world) work() (notBefore time.Time) {
	w.Helper()
	notBefore, err := w.worker.share(w.Context(), w.account)
	w.must(err)
	w.sweep()
	w.must(w.worker.learnAddresses(w.Context(), w.account))
	w.must(w.worker.tidy(w.Context()))
	w.sweep()
	return notBefore
}

// works does so, some minutes apart, until a submission is in a state.
func (w *world) works(id string, state State) {
	w.Helper()
	for range 12 {
		if w.sub(id).State == state {
			return
		}
		w.work()
		if w.sub(id).State == state {
			return
		}
		w.clock.Advance(3 * time.Minute)
	}
	w.Fatalf("the submission is %s, not %s; note %q, trouble %q", w.sub(id).State, state, w.sub(id).Note, w.sub(id).Trouble)
}

// posted is works until a submission is posted, and its post.
func (w *world) posted(id string) fedisim.Post {
	w.Helper()
	w.works(id, Posted)
	w.work()
	p, ok := w.fedi.Post(string(w.sub(id).Post))
	if !ok {
		w.Fatalf("there is no post %q", w.sub(id).Post)
	}
	return p
}

// sub is a submission as it is stored.
func (w *world) sub(id string) *submission {
	w.Helper()
	s, err := get(w.Context(), w.store, id)
	w.must(err)
	return s
}

// all are the posts of the account, the oldest first.
func (w *world) all() []fedisim.Post {
	posts := w.fedi.PostsBy(w.rook.ID)
	slices.SortFunc(posts, func(a, b fedisim.Post) int {
		return strings.Compare(fmt.Sprintf("%40s", a.ID), fmt.Sprintf("%40s", b.ID))
	})
	return slices.DeleteFunc(posts, func(p fedisim.Post) bool { return p.Deleted })
}

// silent fails if anything was posted.
func (w *world) silent() {
	w.Helper()
	if posts := w.all(); len(posts) != 0 {
		w.Errorf("something is posted: %q", posts[0].Text)
	}
}

// begin has somebody begin a thread in the forum, and waits for the offer.
func (w *world) begin(who, content string, files ...discordsim.File) (id, thread string) {
	w.Helper()
	return w.beginIn(w.forum, who, discordsim.Draft{Content: content, Files: files})
}

func (w *world) beginIn(channel, who string, d discordsim.Draft) (id, thread string) {
	w.Helper()
	w.clock.Advance(time.Second)
	var err error
	if channel == w.forum {
		thread, err = w.discord.StartPost(who, channel, "a thread", d)
		w.must(err)
	} else {
		thread, err = w.discord.Say(who, channel, d)
		w.must(err)
		_, err = w.discord.StartThread(who, channel, thread, "a thread")
		w.must(err)
	}
	w.until("the message is offered to be shared", func() bool {
		s, err := load(w.Context(), w.store, `channel = $1 and state = 'offered'`, thread)
		if err == nil {
			id = s.ID
		}
		return err == nil
	})
	w.sweep()
	return id, thread
}

// offer is the bot's message in a thread.
func (w *world) offer(thread string) discordsim.Message {
	w.Helper()
	all := w.discord.ByBot(thread)
	if len(all) != 1 {
		w.Fatalf("%d messages of the bot in the thread, not one: %+v", len(all), all)
	}
	return all[0]
}

// press presses a button of the bot's message in a thread, by the beginning of
// its id after the submission's name.
func (w *world) press(who, thread, verb string) discordsim.Outcome {
	w.Helper()
	return w.pressOn(who, w.offer(thread), verb)
}

func (w *world) pressOn(who string, m discordsim.Message, verb string) discordsim.Outcome {
	w.Helper()
	for _, id := range buttons(m) {
		if strings.HasPrefix(id, discord.CustomID(action, verb)) {
			in, err := w.discord.PressButton(who, m.ID, id)
			w.must(err)
			out, err := in.Wait(w.patience())
			if err != nil || out.Failed {
				w.Fatalf("%s is not answered: %+v, %v\n%s", verb, out, err, w.log)
			}
			return out
		}
	}
	w.Fatalf("no button %q in %q", verb, buttons(m))
	return discordsim.Outcome{}
}

// agree presses "Post publicly", and once more where descriptions are lacking.
func (w *world) agree(who, id, thread string) {
	w.Helper()
	out := w.press(who, thread, verbPost)
	if s := w.sub(id).State; s == Offered && out.Message != nil && slices.ContainsFunc(buttons(*out.Message), func(b string) bool {
		return strings.HasPrefix(b, discord.CustomID(action, verbAnyway))
	}) {
		w.pressOn(who, *out.Message, verbAnyway)
	}
	if s := w.sub(id).State; s != Accepted && s != Review {
		w.Fatalf("after the yes the submission is %s: %+v", s, out.Message)
	}
	w.sweep()
}

// share has Ada begin a thread and agree to share it.
func (w *world) share(content string, files ...discordsim.File) (id, thread string) {
	w.Helper()
	id, thread = w.begin(w.ada, content, files...)
	w.agree(w.ada, id, thread)
	return id, thread
}

// events are what the ledger has of a submission: "offered agreed posted".
func (w *world) events(id string) string {
	w.Helper()
	entries, err := w.g.Ledger.Submission(w.Context(), id)
	w.must(err)
	var all []string
	for _, e := range entries {
		all = append(all, string(e.Event))
	}
	return strings.Join(all, " ")
}

// count is a number that a query returns.
func (w *world) count(sql string, args ...any) (n int64) {
	w.Helper()
	w.must(w.store.QueryRow(w.Context(), sql, args...).Scan(&n))
	return n
}

// buttons are the custom ids of a message's buttons.
func buttons(m discordsim.Message) (ids []string) {
	for _, c := range m.Controls() {
		if c.ID != "" {
			ids = append(ids, c.ID)
		}
	}
	return ids
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

// drawing is a picture that no other number has, as a PNG.
func drawing(n, side int) []byte {
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.SetRGBA(x, y, color.RGBA{uint8(n * 40), uint8(x * 255 / side), uint8(y * 255 / side), 255})
		}
	}
	var b bytes.Buffer
	_ = png.Encode(&b, img) // to memory
	return b.Bytes()
}

// photo is such a picture as a JPEG.
func photo(n, side int) []byte {
	img, _ := png.Decode(bytes.NewReader(drawing(n, side)))
	var b bytes.Buffer
	_ = jpeg.Encode(&b, img, nil) // to memory
	return b.Bytes()
}

// picture is a file with a description.
func picture(n int) discordsim.File {
	return discordsim.File{Name: fmt.Sprintf("owl%d.png", n), Type: "image/png", Data: drawing(n, 32), Description: fmt.Sprintf("Owl number %d.", n)}
}

// plain is one without.
func plain(n int) discordsim.File {
	f := picture(n)
	f.Description = ""
	return f
}
