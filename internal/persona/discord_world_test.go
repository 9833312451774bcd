package persona

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/llm"
	"rookery/internal/outbox"
	"rookery/internal/settings"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/words"
)

const (
	theApp     = community.AccountID("discord:100")
	theGuild   = community.GuildID("200")
	theChannel = community.ChannelID("300")
	conversed  = community.ChannelID("400") // of direct messages with Dora
)

var (
	owl  = community.Member{ID: "100", Handle: "100@discord", Acct: "clockwork_owl", Name: "Elelem", Bot: true}
	dora = community.Member{ID: "501", Handle: "501@discord", Acct: "dora_d", Name: "Dora"}
	emil = community.Member{ID: "502", Handle: "502@discord", Acct: "emil", Name: "Emil"}
)

// chat stands for Discord: what the persona asks of it, and its outbox kinds.
type chat struct {
	clock clock.Clock

	mu      sync.Mutex
	next    int
	posts   map[community.PostID]community.Post
	sends   []sending
	refuse  string // the reason with which every send is refused
	missing discord.Permission
	away    bool  // no guild is known
	removed bool  // Discord says that we are in none
	unread  error // of Thread
	roles   map[community.MemberID][]community.RoleID
}

// sending is a message that was sent.
type sending struct {
	id      string
	payload discord.Send
	text    string
}

func (*chat) Self(community.AccountID) (community.Member, error) { return owl, nil }
func (c *chat) Now(community.AccountID) time.Time                { return c.clock.Now() }

func (c *chat) Guild(id community.GuildID) (discord.Guild, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return discord.Guild{ID: id}, id == theGuild && !c.away
}

func (c *chat) Missing(_ context.Context, _ community.GuildID, _ community.ChannelID, want discord.Permission) (discord.Permission, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.removed {
		return 0, &discord.Error{Class: discord.Forbidden, Code: 50001, Status: 403}
	}
	if c.away {
		return 0, &discord.Error{Class: discord.Gone}
	}
	return want & c.missing, nil
}

func (c *chat) Member(_ context.Context, _ community.GuildID, id community.MemberID) (community.Member, []community.RoleID, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	roles, in := c.roles[id]
	if !in {
		return community.Member{}, nil, &discord.Error{Class: discord.Gone}
	}
	return community.Member{ID: id}, roles, nil
}

func (c *chat) Thread(_ context.Context, _ community.AccountID, post community.Post) (above, below []community.Post, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.unread != nil {
		return nil, nil, c.unread
	}
	if _, there := c.posts[post.ID]; !there {
		return nil, nil, &discord.Error{Class: discord.Gone}
	}
	for p, ok := c.posts[post.ParentID]; ok; p, ok = c.posts[p.ParentID] {
		above = append(above, p)
	}
	slices.Reverse(above)
	for _, s := range c.sends {
		if s.payload.ReplyTo == post.ID {
			below = append(below, community.Post{ID: community.PostID(s.id), Author: owl, Text: s.text, ParentID: post.ID})
		}
	}
	return above, below, nil
}

// messageKind is the outbox's kind of that name.
type messageKind struct{ *chat }

func (messageKind) Name() string { return discord.MessageKind }

func (k messageKind) Send(_ context.Context, a outbox.Attempt) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.refuse != "" {
		return "", &outbox.SendError{Outcome: outbox.Rejected, Reason: k.refuse, Err: fmt.Errorf("refused: %s", k.refuse)}
	}
	var p discord.Send
	if err := json.Unmarshal(a.Payload, &p); err != nil {
		return "", err
	}
	k.next++
	s := sending{string(discord.PostOf(p.Channel, fmt.Sprint("9", k.next))), p, p.Parts[a.Part].Content}
	k.sends = append(k.sends, s)
	return s.id, nil
}

// deletions is the outbox's kind that deletes.
type deletions struct{ *chat }

func (deletions) Name() string { return discord.DeleteKind }
func (deletions) DropsUnsent() {}

func (k deletions) Send(_ context.Context, a outbox.Attempt) (string, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sends = slices.DeleteFunc(k.sends, func(s sending) bool { return slices.Contains(a.Made, s.id) })
	return "", nil
}

// talkIn is a guild with the persona in it, a model, and a budget.
type talkIn struct {
	testing.TB
	*chat
	model     *llmsim.Server
	store     *store.Store
	persona   *Persona
	outbox    *outbox.Outbox
	inbox     *inbox.Inbox
	book      *settings.Book
	clock     *clock.Manual
	asked     int
	forbidden []community.ChannelID
	refused   []string
}

// newTalk makes the guild turn the persona on, and sets what else is said:
// name, value, name, value.
func newTalk(t testing.TB, s *store.Store, o options, set ...string) *talkIn {
	t.Helper()
	at := clock.NewManual(time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC))
	w := &talkIn{TB: t, store: s, clock: at, chat: &chat{clock: at, posts: map[community.PostID]community.Post{}}}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	w.model = llmsim.New(llmsim.Options{Answer: o.said, Now: at.Now})
	if err := w.model.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.model.Close() })
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	model, err := llm.New(llm.Options{BaseURL: w.model.URL(), Model: "sim-1", Now: at.Now, Transport: transport})
	if err != nil {
		t.Fatal(err)
	}
	w.outbox = outbox.New(outbox.Config{Store: s, Clock: at, Log: log})
	w.outbox.Register(messageKind{w.chat})
	w.outbox.Register(deletions{w.chat})
	w.inbox = inbox.New(s, at, log)
	c := Config{Store: s, Outbox: w.outbox, Clock: at, Log: log, Model: model, Character: character, MaxTokens: 100,
		Notices: true, NoticeAfter: 15 * time.Minute, Settings: Declare(),
		Budget: budget.New(budget.Config{Store: s, Clock: at, Log: log, Limits: unlimited()}),
		Forbidden: func(_ context.Context, _ store.Tx, _ community.AccountID, channel community.ChannelID) error {
			w.forbidden = append(w.forbidden, channel)
			return nil
		},
		Refused: func(_ context.Context, _ store.Tx, _ community.AccountID, reason string) error {
			w.refused = append(w.refused, reason)
			return nil
		}}
	if o.persona != nil {
		o.persona(&c)
	}
	w.book = settings.New(settings.Config{Store: s, Clock: at, Log: log, Groups: []*settings.Group{c.Settings.Group}})
	w.persona = New(c)
	w.persona.JoinDiscord(w.chat)
	if _, err := w.inbox.Begin(t.Context(), w.source(), at.Now()); err != nil {
		t.Fatal(err)
	}
	w.set("enabled", "on")
	w.set(set...)
	return w
}

func (w *talkIn) source() inbox.Account {
	return inbox.Account{ID: theApp, Features: []inbox.Feature{w.persona}, MaxAge: 24 * time.Hour}
}

func (w *talkIn) set(pairs ...string) {
	w.Helper()
	form := settings.Form{Guild: theGuild}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Values = append(form.Values, settings.Raw{Field: Name + "." + pairs[i], Text: pairs[i+1]})
	}
	if _, err := w.book.Set(w.Context(), form); err != nil {
		w.Fatal(err)
	}
}

// ask is a message to the bot, in the channel of the guild unless change says
// otherwise.
func (w *talkIn) ask(by community.Member, text string, change ...func(*community.Post)) community.Post {
	w.Helper()
	w.asked++
	id := fmt.Sprint("8", w.asked)
	post := community.Post{Author: by, Text: text, Visibility: community.Unlisted, Language: "en", At: w.clock.Now(),
		URI: "discord:message:" + id, Place: community.Place{Guild: theGuild, Channel: theChannel}}
	for _, f := range change {
		f(&post)
	}
	post.ID = discord.PostOf(post.Place.Channel, id)
	w.mu.Lock()
	w.posts[post.ID] = post
	w.mu.Unlock()
	_, err := w.inbox.Take(w.Context(), w.source(), inbox.Page{Items: []inbox.Item{{Mention: community.Mention{Notified: w.clock.Now(), Post: post}}}, Now: w.clock.Now()})
	if err != nil {
		w.Fatal(err)
	}
	return post
}

// answer answers what waits, and nothing may go wrong.
func (w *talkIn) answer() int {
	w.Helper()
	n, err := w.persona.Answer(w.Context(), theApp, -1)
	if err != nil {
		w.Fatalf("answering: %v", err)
	}
	if _, err := w.outbox.Sweep(w.Context()); err != nil {
		w.Fatal(err)
	}
	return n
}

// replies are what was sent in reply to a post, in order.
func (w *talkIn) replies(to community.Post) (texts []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sends {
		if s.payload.ReplyTo == to.ID {
			texts = append(texts, s.text)
		}
	}
	return texts
}

// state is what became of a question, and why.
func (w *talkIn) state(of community.Post) string {
	w.Helper()
	var state, reason string
	if err := w.store.QueryRow(w.Context(), `select state, reason from inbox_mention where uri = $1`, of.URI).Scan(&state, &reason); err != nil {
		w.Fatal(err)
	}
	return strings.TrimSuffix(state+": "+reason, ": ")
}

func (w *talkIn) modelCalls(want int) {
	w.Helper()
	if got := w.model.Count(); got != want {
		w.Errorf("the model was asked %d times, not %d", got, want)
	}
}

func direct(p *community.Post) {
	p.Place = community.Place{Channel: conversed}
	p.Visibility = community.Direct
}

func inThread(p *community.Post) { p.Place.Channel, p.Place.Parent = "301", theChannel }

func under(parent community.Post) func(*community.Post) {
	return func(p *community.Post) { p.ParentID, p.ParentBy = parent.ID, parent.Author.ID }
}

func roles(all ...community.RoleID) func(*community.Post) {
	return func(p *community.Post) { p.Place.Roles = all }
}

// quota gives the command and returns what is answered.
func (w *talkIn) quota(l words.Language, may discord.Permission, place community.Place) string {
	w.Helper()
	c := w.persona.Commands()[0]
	a, err := c.Handle(w.Context(), &discord.Press{Account: theApp, Command: c.Name, Member: dora, Place: place, Permissions: may, Language: l})
	if err != nil || a.Message == nil || !a.Private || !c.Private {
		w.Fatalf("answer %+v, %v", a, err)
	}
	return a.Message.Content
}

func formFor(guild community.GuildID, name, value string) settings.Form {
	return settings.Form{Guild: guild, Values: []settings.Raw{{Field: Name + "." + name, Text: value}}}
}
