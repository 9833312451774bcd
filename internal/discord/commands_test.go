package discord

import (
	"context"
	"strings"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

const (
	globalRoute = "/applications/*/commands"
	guildRoute  = "/applications/*/guilds/*/commands"
)

// puts counts how often Discord was told of commands.
func puts(s *discordsim.Server) (n int) {
	for _, e := range s.Requests() {
		if e.Method == "PUT" && strings.HasSuffix(e.Route, "/commands") {
			n++
		}
	}
	return n
}

func TestCommandsAreRegisteredOnlyWhenTheyChanged(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		on := false
		quota := hello(always(says("hi")))
		quota.Direct, quota.Permission = true, ManageGuild
		gif := Command{Name: "gif", Help: words.PressDone, Handle: always(says("hi")), On: func(context.Context, community.GuildID) bool { return on }}
		b := newBed(t, Config{Store: s, Commands: []Command{quota, gif}})
		b.registers(t)
		if got := b.sim.Commands(b.guild); len(got) != 1 || got[0].Name != "hello" {
			t.Errorf("the guild has %+v", got)
		}
		if got := b.sim.Commands(""); len(got) != 1 || got[0].Name != "hello" {
			t.Errorf("everywhere there is %+v", got)
		}
		if puts(b.sim) != 2 {
			t.Fatalf("told %d times, want 2", puts(b.sim))
		}
		b.registers(t)
		b.Discord = b.restarted(t, b.Config)
		b.registers(t)
		if puts(b.sim) != 2 {
			t.Errorf("told %d times of the same", puts(b.sim))
		}
		on = true
		b.registers(t)
		if got := b.sim.Commands(b.guild); len(got) != 2 || puts(b.sim) != 3 {
			t.Errorf("the guild has %+v, told %d times", got, puts(b.sim))
		}
		// Removed from the guild and invited again: what was registered is gone.
		if err := b.registerIn(t.Context(), community.GuildID(b.guild), time.Now().Add(time.Hour)); err != nil || puts(b.sim) != 4 {
			t.Errorf("told %d times: %v", puts(b.sim), err)
		}
	}, ofTables())
}

func TestApplicationThatMembersCannotInstall(t *testing.T) {
	t.Parallel()
	c := hello(always(says("hi")))
	c.Direct = true
	b := newBed(t, Config{Commands: []Command{c}})
	b.sim.Inject(discordsim.Refuse(50035).On("PUT", globalRoute))
	b.registers(t)
	if got := b.sim.Commands(""); len(got) != 1 {
		t.Errorf("everywhere there is %+v", got)
	}
	n := puts(b.sim)
	b.sim.Inject(discordsim.Refuse(50035).On("PUT", globalRoute))
	b.registers(t) // asked once more, and then left as it is
	if puts(b.sim) != n+1 {
		t.Errorf("told %d times more, want 1", puts(b.sim)-n)
	}
}

// served runs the registrar until the test's end.
func (b *bed) served(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		b.runRouter(ctx)
	}()
	t.Cleanup(func() { cancel(); <-done })
}

func (b *bed) waitFor(t *testing.T, what string, cond func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := b.sim.WaitFor(ctx, func(*discordsim.Server) bool { return cond() }); err != nil {
		t.Fatalf("%s: %v\n%s", what, err, b.logged)
	}
}

func TestGuildsAreServedAsTheyComeAndChange(t *testing.T) {
	t.Parallel()
	m := &watched{Manual: clock.NewManual(time.Now()), asked: make(chan struct{}, 1000)}
	on := make(chan bool, 1)
	on <- false
	c := hello(always(says("hi")))
	c.On = func(context.Context, community.GuildID) bool {
		v := <-on
		on <- v
		return v
	}
	b := newBed(t, Config{Clock: m, Commands: []Command{c}})
	b.onJoined(Guild{ID: community.GuildID(b.guild)})
	b.served(t)
	b.waitFor(t, "both told", func() bool { return puts(b.sim) == 2 })
	<-on
	on <- true
	for range 5 { // a row of changes is told of once
		b.Refresh(community.GuildID(b.guild))
	}
	for len(m.asked) > 0 {
		<-m.asked
	}
	b.Refresh(community.GuildID(b.guild))
	<-m.asked // the registrar waits for it to settle
	m.Advance(settleFor)
	b.waitFor(t, "told of the change", func() bool { return len(b.sim.Commands(b.guild)) == 1 })
	if puts(b.sim) != 3 {
		t.Errorf("told %d times, want 3", puts(b.sim))
	}
}

func TestRegistrationThatFails(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fault discordsim.Fault
		again time.Duration // at least; 0 for never
		error bool          // is logged
	}{
		"unreachable":     {fault: discordsim.CutOff(), again: registerAgain},
		"500":             {fault: discordsim.Fail(500), again: registerAgain},
		"not in it":       {fault: discordsim.Refuse(50001)},
		"gone":            {fault: discordsim.Refuse(10004)},
		"the day's limit": {fault: discordsim.Refuse(30034), again: refusedAgain, error: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, Config{Commands: []Command{hello(always(says("hi")))}})
			g := community.GuildID(b.guild)
			for range 2 {
				b.sim.Inject(c.fault.On("PUT", guildRoute))
				e := &registration{}
				if old := b.router.registrar.due[g]; old != nil {
					e = old
					delete(b.router.registrar.due, g)
				}
				b.register(t.Context(), g, e)
			}
			e := b.router.registrar.due[g]
			if (e != nil) != (c.again > 0) || e != nil && e.at.Before(time.Now().Add(c.again-time.Second)) {
				t.Errorf("again = %+v", e)
			}
			if n := strings.Count(b.logged.String(), "level=ERROR"); (n == 1) != c.error || n > 1 {
				t.Errorf("%d errors are logged\n%s", n, b.logged)
			}
			if c.again > 0 {
				b.register(t.Context(), g, e)
				if len(b.sim.Commands(b.guild)) != 1 {
					t.Errorf("not registered when Discord is well again\n%s", b.logged)
				}
			}
		})
	}
}

func TestMistakesInDeclarationsAreToldTogether(t *testing.T) {
	t.Parallel()
	h := always(says("hi"))
	text := func(name string) Option { return Option{Name: name, Help: words.PressDone, Kind: OptionText} }
	required := text("last")
	required.Required = true
	many := make([]Option, maxOptions+1)
	for i := range many {
		many[i] = text("o" + strings.Repeat("x", i))
	}
	for mistake, c := range map[string]Command{
		`the name "Big"`:                 {Name: "Big", Help: words.PressDone, Handle: h},
		`the name "two words"`:           {Name: "two words", Help: words.PressDone, Handle: h},
		"has not 1 to 100 characters":    {Name: "a", Handle: h},
		"nobody handles it":              {Name: "a", Help: words.PressDone},
		"comes before what is not":       {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{text("first"), required}},
		"options; Discord takes 25":      {Name: "a", Help: words.PressDone, Handle: h, Options: many},
		"there are two":                  {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{text("b"), text("b")}},
		"has no Complete":                {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{{Name: "b", Help: words.PressDone, Kind: OptionText, Complete: true}}},
		"there is no kind 9":             {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{{Name: "b", Help: words.PressDone, Kind: 9}}},
		"is no number":                   {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{{Name: "b", Help: words.PressDone, Kind: OptionInt, Choices: []Choice{{Label: "x", Value: "x"}}}}},
		"no options and no Handle":       {Name: "a", Help: words.PressDone, Handle: h, Subs: []Command{{Name: "b", Help: words.PressDone, Handle: h}}},
		"it has subcommands again":       {Name: "a", Help: words.PressDone, Subs: []Command{{Name: "b", Help: words.PressDone, Handle: h, Subs: []Command{{}}}}},
		"of a context menu":              {Name: "A b", Kind: OnMessage, Help: words.PressDone, Handle: h},
		"there is no kind 7":             {Name: "a", Kind: 7, Handle: h},
		`its name "same" () is taken`:    {Name: "same", Help: words.PressDone, Handle: h},
		"least is more than the most":    {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{{Name: "b", Help: words.PressDone, Kind: OptionInt, Min: new(2.0), Max: new(1.0)}}},
		"a text has 0 to 6000":           {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{{Name: "b", Help: words.PressDone, Kind: OptionText, Max: new(7000.0)}}},
		"only texts and numbers have bo": {Name: "a", Help: words.PressDone, Handle: h, Options: []Option{{Name: "b", Help: words.PressDone, Kind: OptionRole, Max: new(7.0)}}},
		"either Choices or Complete":     {Name: "a", Help: words.PressDone, Handle: h, Complete: func(context.Context, *Press, string, string) []Choice { return nil }, Options: []Option{{Name: "b", Help: words.PressDone, Kind: OptionText, Complete: true, Choices: []Choice{{Label: "x"}}}}},
	} {
		same := Command{Name: "same", Help: words.PressDone, Handle: h}
		_, err := New(Config{Token: "t", Commands: []Command{same, c, {Name: "ALSO WRONG", Help: words.PressDone, Handle: h}}})
		if err == nil || !strings.Contains(err.Error(), mistake) || !strings.Contains(err.Error(), "ALSO WRONG") {
			t.Errorf("want %q: %v", mistake, err)
		}
	}
}
