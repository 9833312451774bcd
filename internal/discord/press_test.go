package discord

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

// bed is a Discord without its gateway connections, before a simulated one:
// interactions are handed over by hand.
type bed struct {
	*Discord
	sim                 *discordsim.Server
	guild, general, ada string
	logged              *safeLog
}

type safeLog struct {
	mu sync.Mutex
	b  strings.Builder
}

func (l *safeLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// ofTables are the tables of this package.
func ofTables() store.Migrations { return Migrations() }

func newBed(t *testing.T, c Config) *bed {
	t.Helper()
	s, err := discordsim.New(discordsim.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	b := &bed{sim: s, logged: &safeLog{}}
	b.guild = s.AddGuild("Owls")
	b.general = s.AddChannel(b.guild, "general", discordsim.Text)
	b.ada = s.AddUser("ada")
	s.Join(b.guild, b.ada)
	s.BotJoins(b.guild)
	if c.Store == nil {
		c.Store = storetest.Open(t, storetest.Config(t, store.SQLite), ofTables())
	}
	c.Token, c.API = s.Token(), s.URL()
	c.Log = slog.New(slog.NewTextHandler(b.logged, &slog.HandlerOptions{Level: slog.LevelDebug}))
	b.Discord = b.restarted(t, c)
	return b
}

// restarted is another process before the same Discord.
func (b *bed) restarted(t *testing.T, c Config) *Discord {
	t.Helper()
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	d.self.application, d.self.account = b.sim.AppID(), AccountOf(b.sim.AppID())
	d.self.member.ID = community.MemberID(b.sim.AppID())
	return d
}

// registers has the guild's commands and the global ones registered.
func (b *bed) registers(t *testing.T) {
	t.Helper()
	if err := errors.Join(b.registerIn(t.Context(), community.GuildID(b.guild), time.Time{}), b.registerGlobal(t.Context())); err != nil {
		t.Fatal(err)
	}
}

// take hands an interaction to d and returns what its giver then sees.
func take(t *testing.T, d *Discord, i *discordsim.Interaction) discordsim.Outcome {
	t.Helper()
	d.onInteraction(t.Context(), payload(t, i))
	return i.Now()
}

func payload(t *testing.T, i *discordsim.Interaction) json.RawMessage {
	t.Helper()
	raw, err := json.Marshal(i.Payload())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func must[T any](t *testing.T) func(T, error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

var did = must[*discordsim.Interaction]

// hello is a command that has h handle it.
func hello(h Handler) Command {
	return Command{Name: "hello", Help: words.PressDone, Handle: h}
}

func says(text string) Answer { return Answer{Message: &Message{Content: text}} }

func always(a Answer) Handler {
	return func(context.Context, *Press) (Answer, error) { return a, nil }
}

// buttons are a message with a button and a menu.
func buttons(id string) *Message {
	return &Message{Content: "press", Rows: []Row{
		{Buttons: []Button{{ID: id, Label: "Go", Style: Danger}, {URL: "https://owls.example", Label: "See"}}},
		{Select: &Select{ID: CustomID("menu"), Choices: []Choice{{Label: "One", Value: "1"}, {Label: "Two", Value: "2"}}}},
	}}
}

func TestEachAnswerIsAcknowledgedInItsWay(t *testing.T) {
	t.Parallel()
	id := CustomID("go", "a:b", "1%")
	form := Answer{Modal: &Modal{ID: CustomID("form", "x"), Title: "A form", Fields: []Input{{ID: "name", Label: "Name", Required: true}, {ID: "more", Label: "More", Long: true, Max: 100}}}}
	for name, c := range map[string]struct {
		answer  Answer
		pressed bool // a button, else a command
		kind    int
		private bool
		content string
	}{
		"message":         {answer: says("hi"), kind: 4, content: "hi"},
		"private":         {answer: Answer{Message: &Message{Content: "hi"}, Private: true}, kind: 4, private: true, content: "hi"},
		"text file":       {answer: Answer{Message: &Message{Content: "hi", Files: []File{{Name: "a.txt", Text: "x"}}}}, kind: 4, content: "hi"},
		"later":           {answer: Answer{Later: true}, kind: 5},
		"form":            {answer: form, kind: 9},
		"nothing":         {answer: Answer{Nothing: true}, kind: 4, private: true, content: "Done."},
		"update":          {answer: Answer{Update: &Message{Content: "new"}}, kind: 4, content: "new"},
		"pressed message": {answer: says("hi"), pressed: true, kind: 4, content: "hi"},
		"pressed update":  {answer: Answer{Update: &Message{Content: "new"}}, pressed: true, kind: 7, content: "new"},
		"pressed nothing": {answer: Answer{Nothing: true}, pressed: true, kind: 6, content: "press"},
		"pressed later":   {answer: Answer{Later: true}, pressed: true, kind: 5},
		"pressed form":    {answer: form, pressed: true, kind: 9},
		"no way at all":   {answer: Answer{}, kind: 4, private: true, content: "Something went wrong"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			command := c.answer
			if c.pressed {
				command = Answer{Message: buttons(id)}
			}
			b := newBed(t, Config{Commands: []Command{hello(always(command))}})
			var args []string
			b.Components("go", func(_ context.Context, p *Press) (Answer, error) {
				args = p.Args
				return c.answer, nil
			})
			b.registers(t)
			o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
			if c.pressed {
				o = take(t, b.Discord, did(t)(b.sim.PressButton(b.ada, o.Message.ID, id)))
				if strings.Join(args, "|") != "a:b|1%" {
					t.Errorf("arguments = %q", args)
				}
			}
			if o.Type != c.kind || o.Failed || o.Ephemeral != c.private {
				t.Fatalf("outcome = %+v, want type %d, private %v\n%s", o, c.kind, c.private, b.logged)
			}
			if c.content != "" && (o.Message == nil || !strings.HasPrefix(o.Message.Content, c.content)) {
				t.Errorf("message = %+v, want %q", o.Message, c.content)
			}
		})
	}
}

func TestFormThatWasSentIsHandled(t *testing.T) {
	t.Parallel()
	b := newBed(t, Config{Commands: []Command{hello(always(Answer{Modal: &Modal{ID: CustomID("form", "x"), Title: "A form", Fields: []Input{{ID: "name", Label: "Name"}}}}))}})
	b.Forms("form", func(_ context.Context, p *Press) (Answer, error) {
		return says(p.Args[0] + "=" + p.Fields["name"]), nil
	})
	b.registers(t)
	for _, written := range []string{"Ada", ""} { // also one with nothing in it
		o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
		sent := did(t)(b.sim.SubmitModal(b.ada, o.Modal, discordsim.Values{"name": written}))
		if o := take(t, b.Discord, sent); o.Message == nil || o.Message.Content != "x="+written {
			t.Errorf("outcome = %+v, want x=%s\n%s", o, written, b.logged)
		}
	}
	in, err := readInteraction(json.RawMessage(`{"id":"1","token":"t","type":5,"user":{"id":"2"},"data":{"custom_id":"form","components":[]}}`))
	if err != nil || len(in.Data.fields()) != 0 {
		t.Errorf("a form without components: %v, %v", in, err)
	}
}

func TestPressOfAnOldVersionIsAnsweredPolitely(t *testing.T) {
	t.Parallel()
	b := newBed(t, Config{Commands: []Command{hello(always(Answer{Message: buttons("what#is%this")}))}})
	b.registers(t)
	o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
	o = take(t, b.Discord, did(t)(b.sim.PressButton(b.ada, o.Message.ID, "what#is%this")))
	if !o.Ephemeral || o.Message.Content != words.English.Say(words.PressUnknown, nil) {
		t.Errorf("outcome = %+v", o)
	}
}

func TestPressWorksAfterARestart(t *testing.T) {
	t.Parallel()
	c := Config{Commands: []Command{hello(always(Answer{Message: buttons(CustomID("go", "7"))}))}}
	b := newBed(t, c)
	b.registers(t)
	o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
	again := b.restarted(t, b.Config)
	again.Components("go", func(_ context.Context, p *Press) (Answer, error) { return says("number " + p.Args[0]), nil })
	if o := take(t, again, did(t)(b.sim.PressButton(b.ada, o.Message.ID, CustomID("go", "7")))); o.Message.Content != "number 7" {
		t.Errorf("outcome = %+v", o)
	}
}

func TestCommandOfAFeatureThatWasTurnedOff(t *testing.T) {
	t.Parallel()
	on := true
	c := hello(always(says("hi")))
	c.On = func(context.Context, community.GuildID) bool { return on }
	b := newBed(t, Config{Commands: []Command{c}})
	b.registers(t)
	on = false
	o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
	if !o.Ephemeral || o.Message.Content != words.English.Say(words.PressOff, nil) {
		t.Errorf("outcome = %+v", o)
	}
	d := b.restarted(t, Config{Store: b.Store, Token: b.sim.Token(), API: b.sim.URL()}) // without the command at all
	o = take(t, d, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
	if !o.Ephemeral || o.Message.Content != words.English.Say(words.PressGone, nil) {
		t.Errorf("outcome = %+v", o)
	}
}

func TestFailureIsToldWithItsCode(t *testing.T) {
	t.Parallel()
	for name, h := range map[string]Handler{
		"error":              func(context.Context, *Press) (Answer, error) { return Answer{}, errors.New("boom") },
		"panic":              func(context.Context, *Press) (Answer, error) { panic("boom") },
		"refused by Discord": always(Answer{Message: &Message{Content: strings.Repeat("x", MaxContent+1)}}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, Config{Commands: []Command{hello(h)}})
			b.registers(t)
			b.sim.SetLocale(b.ada, "ru")
			o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
			_, code, found := strings.Cut(o.Message.Content, "код ")
			code = strings.TrimSuffix(code, ".")
			if !o.Ephemeral || !found || !strings.Contains(b.logged.String(), "code="+code) {
				t.Errorf("outcome = %+v\n%s", o, b.logged)
			}
		})
	}
}

func TestPressIsFilled(t *testing.T) {
	t.Parallel()
	var got *Press
	take1 := func(_ context.Context, p *Press) (Answer, error) {
		got = p
		return Answer{Later: true}, nil
	}
	least := 1.0
	b := newBed(t, Config{
		Language: func(context.Context, community.GuildID) string { return "" },
		Commands: []Command{
			{Name: "set", Help: words.PressDone, Direct: true, Subs: []Command{{Name: "all", Help: words.PressDone, Private: true, Handle: take1, Options: []Option{
				{Name: "text", Help: words.PressDone, Kind: OptionText, Required: true},
				{Name: "count", Help: words.PressDone, Kind: OptionInt, Min: &least},
				{Name: "yes", Help: words.PressDone, Kind: OptionBool},
				{Name: "who", Help: words.PressDone, Kind: OptionMember},
				{Name: "file", Help: words.PressDone, Kind: OptionFile},
			}}}},
			{Name: "Ask", Kind: OnMessage, Handle: take1},
			{Name: "Who", Kind: OnMember, Handle: take1},
		}})
	b.registers(t)
	b.sim.SetLocale(b.ada, "ru")
	bob := b.sim.AddUser("bob")
	b.sim.Join(b.guild, bob)
	b.sim.Names(b.ada, "Ada L", b.guild, "Countess")

	i := did(t)(b.sim.Slash(b.ada, b.general, "set all", discordsim.Args{
		"text": "owl", "count": 3, "yes": true, "who": bob, "file": discordsim.File{Name: "a.png", Type: "image/png", Data: []byte("png")}}))
	take(t, b.Discord, i)
	if got == nil {
		t.Fatalf("not handled\n%s", b.logged)
	}
	if got.Command != "set all" || got.Options.Text("text") != "owl" || got.Options.Text("count") != "3" || !got.Options.Bool("yes") || got.Options.Text("who") != bob {
		t.Errorf("command %q, options %v", got.Command, got.Options)
	}
	if f := got.Options["file"].File; f == nil || f.Name != "a.png" || f.URL == "" {
		t.Errorf("file = %+v", f)
	}
	if got.Member.Name != "Countess" || got.Member.Acct != "ada" || got.Language != words.Russian || !got.Present || !got.Ours.Has(SendMessages) || got.Largest == 0 {
		t.Errorf("press = %+v", got)
	}
	if got.Until.Sub(got.At) != tokenLife || got.Place.Guild != community.GuildID(b.guild) || got.Place.Channel != community.ChannelID(b.general) {
		t.Errorf("press = %+v", got)
	}
	m := got.Mention("owl")
	if m.Post.ID != community.PostID("i/"+i.ID) || m.Post.URI != "discord:interaction:"+i.ID || m.Post.Visibility != community.Unlisted || len(m.Post.Media) != 1 ||
		m.Post.Language != "ru" || !m.Command.Private || !m.Command.Member || m.Command.Token != i.Token || m.Account != AccountOf(b.sim.AppID()) {
		t.Errorf("mention = %+v, command %+v", m, m.Command)
	}

	post := must[string](t)(b.sim.Say(bob, b.general, discordsim.Draft{Content: "look <@" + b.ada + ">"}))
	take(t, b.Discord, did(t)(b.sim.MessageCommand(b.ada, b.general, "Ask", post)))
	if got.Target == nil || got.Target.ID != PostOf(community.ChannelID(b.general), post) || got.Target.Author.ID != community.MemberID(bob) || !strings.HasPrefix(got.Target.Text, "look @") {
		t.Errorf("target = %+v", got.Target)
	}
	if m := got.Mention("x"); m.Post.ParentID != got.Target.ID || m.Post.ParentBy != community.MemberID(bob) {
		t.Errorf("mention = %+v", m.Post)
	}
	take(t, b.Discord, did(t)(b.sim.UserCommand(b.ada, b.general, "Who", bob)))
	if got.On == nil || got.On.ID != community.MemberID(bob) || got.On.Acct != "bob" {
		t.Errorf("on = %+v", got.On)
	}

	take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.sim.DMChannel(b.ada), "set all", discordsim.Args{"text": "owl"})))
	if got.Place.Guild != "" || !got.Present || got.Mention("").Post.Visibility != community.Direct {
		t.Errorf("a direct message: %+v", got)
	}
	b.sim.InstallForUser(b.ada)
	take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.sim.PrivateChannel(b.ada, bob), "set all", discordsim.Args{"text": "owl"})))
	if got.Present || got.Mention("").Command.Member {
		t.Errorf("among two others: %+v", got)
	}
}

// errorLogged tells whether something was logged as an error.
func errorLogged(b *bed) bool { return strings.Contains(b.logged.String(), "level=ERROR") }
