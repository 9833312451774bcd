package discord

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/sim/discordsim"
	"rookery/internal/words"
)

const (
	callbackPath = "/interactions/*/*/callback"
	callbackName = "/interactions/{interaction_id}/{interaction_token}/callback"
)

// slowly is a handler that waits for its test, or its context.
func slowly(started, finish chan struct{}, a Answer) Handler {
	return func(ctx context.Context, _ *Press) (Answer, error) {
		close(started)
		select {
		case <-finish:
			return a, nil
		case <-ctx.Done():
			return Answer{}, ctx.Err()
		}
	}
}

// deferred hands an interaction over whose handler takes more than a second,
// and returns what its giver sees meanwhile and at the end.
func deferred(t *testing.T, d *Discord, m *clock.Manual, i *discordsim.Interaction, started, finish chan struct{}) (meanwhile, end discordsim.Outcome) {
	t.Helper()
	done := make(chan struct{})
	raw := payload(t, i)
	go func() {
		defer close(done)
		d.onInteraction(t.Context(), raw)
	}()
	<-started
	m.Advance(deferAfter)
	meanwhile, err := i.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	close(finish)
	<-done
	return meanwhile, i.Now()
}

func TestSlowCommandIsDeferredFor(t *testing.T) {
	t.Parallel()
	form := &Modal{ID: "form", Title: "A form", Fields: []Input{{ID: "a", Label: "A"}}}
	for name, c := range map[string]struct {
		answer  Answer
		private bool
		content string // "": still thinking
	}{
		"message": {answer: says("at last"), content: "at last"},
		"private": {answer: says("at last"), private: true, content: "at last"},
		"later":   {answer: Answer{Later: true}},
		"form":    {answer: Answer{Modal: form}, private: true, content: words.English.Say(words.PressAgain, nil)},
		"nothing": {answer: Answer{Nothing: true}, content: words.English.Say(words.PressDone, nil)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, started, finish := clock.NewManual(time.Now()), make(chan struct{}), make(chan struct{})
			cmd := hello(slowly(started, finish, c.answer))
			cmd.Private = c.private
			b := newBed(t, Config{Clock: m, Commands: []Command{cmd}})
			b.registers(t)
			meanwhile, end := deferred(t, b.Discord, m, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)), started, finish)
			if meanwhile.Type != 5 || !meanwhile.Loading || meanwhile.Ephemeral != c.private {
				t.Errorf("meanwhile = %+v", meanwhile)
			}
			if end.Loading != (c.content == "") || c.content != "" && end.Message.Content != c.content || len(end.Followups) != 0 {
				t.Errorf("at the end = %+v\n%s", end, b.logged)
			}
		})
	}
}

func TestSlowPressIsDeferredFor(t *testing.T) {
	t.Parallel()
	id := CustomID("go")
	wrong := func(context.Context, *Press) (Answer, error) { return Answer{}, errors.New("boom") }
	for name, c := range map[string]struct {
		answer  Answer
		fails   bool
		hidden  bool // only its giver sees the message that is pressed
		kind    int  // of the deferral
		content string
		pressed string // what the pressed message is at the end
	}{
		"update of what all see":   {answer: Answer{Update: &Message{Content: "new"}}, kind: 5, pressed: "new"},
		"message where all see":    {answer: says("new"), kind: 5, content: "new", pressed: "press"},
		"nothing where all see":    {answer: Answer{Nothing: true}, kind: 5, pressed: "press"},
		"update of a hidden one":   {answer: Answer{Update: &Message{Content: "new"}}, hidden: true, kind: 6, pressed: "new"},
		"nothing at a hidden one":  {answer: Answer{Nothing: true}, hidden: true, kind: 6, pressed: "press"},
		"form at a hidden one":     {answer: Answer{Modal: &Modal{ID: "f", Title: "F", Fields: []Input{{ID: "a", Label: "A"}}}}, hidden: true, kind: 6, pressed: words.English.Say(words.PressAgain, nil)},
		"failure where all see it": {fails: true, kind: 5, content: "Something went wrong", pressed: "press"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m, started, finish := clock.NewManual(time.Now()), make(chan struct{}), make(chan struct{})
			b := newBed(t, Config{Clock: m, Commands: []Command{hello(always(Answer{Message: buttons(id), Private: c.hidden}))}})
			slow := slowly(started, finish, c.answer)
			b.Components("go", func(ctx context.Context, p *Press) (Answer, error) {
				a, err := slow(ctx, p)
				if c.fails {
					return wrong(ctx, p)
				}
				return a, err
			})
			b.registers(t)
			cmd := did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))
			o := take(t, b.Discord, cmd)
			meanwhile, end := deferred(t, b.Discord, m, did(t)(b.sim.PressButton(b.ada, o.Message.ID, id)), started, finish)
			if meanwhile.Type != c.kind || c.kind == 5 && !meanwhile.Ephemeral {
				t.Errorf("meanwhile = %+v", meanwhile)
			}
			if c.content != "" && (end.Message == nil || len(end.Message.Content) < len(c.content) || end.Message.Content[:len(c.content)] != c.content) {
				t.Errorf("at the end = %+v\n%s", end, b.logged)
			}
			if c.kind == 5 && c.content == "" && end.Message != nil {
				t.Errorf("something is left: %+v", end.Message)
			}
			if got := cmd.Now().Message; got.Content != c.pressed || len(got.Components) != 2 && c.pressed != "new" {
				t.Errorf("the pressed message = %+v, want %q", got, c.pressed)
			}
		})
	}
}

func TestAnswerThatDiscordDoesNotFindYet(t *testing.T) {
	t.Parallel()
	started, finish := make(chan struct{}), make(chan struct{})
	b := newBed(t, Config{Commands: []Command{hello(slowly(started, finish, says("at last")))}})
	b.registers(t)
	b.sim.UnknownWebhook(1)
	i := did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))
	go func() {
		if _, err := i.Wait(t.Context()); err == nil {
			close(finish)
		}
	}()
	if o := take(t, b.Discord, i); o.Loading || o.Message.Content != "at last" {
		t.Errorf("outcome = %+v\n%s", o, b.logged)
	}
}

func TestAcknowledgementIsRepeated(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]discordsim.Fault{
		"500":                 discordsim.Fail(500),
		"503 after it took":   discordsim.Fail(503).Stored(),
		"reset":               discordsim.CutOff(),
		"reset after it took": discordsim.CutOff().Stored(),
		"429":                 discordsim.TooMany(50 * time.Millisecond),
		"429 of the edge":     discordsim.TooManyAtEdge(50 * time.Millisecond),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, Config{Commands: []Command{hello(always(says("hi")))}})
			b.registers(t)
			b.sim.Inject(fault.On("POST", callbackPath))
			o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil)))
			if o.Type != 4 || o.Message.Content != "hi" || len(o.Followups) != 0 {
				t.Errorf("outcome = %+v\n%s", o, b.logged)
			}
		})
	}
}

func TestLateAcknowledgementIsNoFailure(t *testing.T) {
	t.Parallel()
	var ran atomic.Int32
	b := newBed(t, Config{Commands: []Command{hello(func(context.Context, *Press) (Answer, error) {
		ran.Add(1)
		return Answer{Later: true}, nil
	})}})
	b.registers(t)
	i := did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))
	b.sim.ExpireToken(i)
	take(t, b.Discord, i)
	if n := b.sim.Count("POST", callbackName); ran.Load() != 1 || n > 1 {
		t.Errorf("handled %d times, acknowledged %d times", ran.Load(), n)
	}
	if errorLogged(b) {
		t.Errorf("it is no failure:\n%s", b.logged)
	}
}

func TestInteractionThatComesTwice(t *testing.T) {
	t.Parallel()
	var ran atomic.Int32
	b := newBed(t, Config{Commands: []Command{hello(func(context.Context, *Press) (Answer, error) {
		ran.Add(1)
		return says("hi"), nil
	})}})
	b.registers(t)
	i := did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))
	take(t, b.Discord, i)
	if o := take(t, b.Discord, i); ran.Load() != 1 || o.Message.Content != "hi" || errorLogged(b) {
		t.Errorf("handled %d times, outcome %+v", ran.Load(), o)
	}
	// After a restart it is handled again, which its handler's stored keys make
	// harmless; that it was acknowledged is no failure.
	d := b.restarted(t, b.Config)
	if o := take(t, d, i); ran.Load() != 2 || o.Message.Content != "hi" || errorLogged(b) {
		t.Errorf("handled %d times, outcome %+v\n%s", ran.Load(), o, b.logged)
	}
}

// The process dies after it has deferred; the next one hears of the
// interaction again.
func TestKilledBetweenDeferralAndAnswer(t *testing.T) {
	t.Parallel()
	b := newBed(t, Config{Commands: []Command{hello(always(says("hi")))}})
	b.registers(t)
	i := did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))
	in, err := readInteraction(payload(t, i))
	if err != nil {
		t.Fatal(err)
	}
	in.received = time.Now()
	b.deferFor(t.Context(), in, b.pressOf(t.Context(), in))
	if o := i.Now(); !o.Loading {
		t.Fatalf("outcome = %+v", o)
	}
	if o := take(t, b.restarted(t, b.Config), i); o.Loading || o.Message.Content != "hi" || errorLogged(b) {
		t.Errorf("outcome = %+v\n%s", o, b.logged)
	}
}

// The process dies between what the handler stored and its acknowledgement.
func TestKilledBeforeTheAcknowledgement(t *testing.T) {
	t.Parallel()
	stored := map[string]bool{}
	h := func(_ context.Context, p *Press) (Answer, error) {
		stored[string(p.Mention("x").Post.ID)] = true
		return Answer{Later: true}, nil
	}
	b := newBed(t, Config{Commands: []Command{hello(h)}})
	b.registers(t)
	i := did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))
	in, err := readInteraction(payload(t, i))
	if err != nil {
		t.Fatal(err)
	}
	b.run(t.Context(), in, b.pressOf(t.Context(), in)) // and nothing after it
	if o := take(t, b.restarted(t, b.Config), i); o.Type != 5 || len(stored) != 1 {
		t.Errorf("outcome = %+v, stored %v", o, stored)
	}
}

func TestPressInARehearsalIsAnothers(t *testing.T) {
	t.Parallel()
	b := newBed(t, Config{Commands: []Command{hello(always(says("hi")))}})
	b.registers(t)
	b.Rehearsal = true
	if o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))); o.Type != 0 {
		t.Errorf("outcome = %+v", o)
	}
}

// watched is a clock that tells of each who wants to be woken.
type watched struct {
	*clock.Manual
	asked chan struct{}
}

func (w *watched) After(d time.Duration) (<-chan time.Time, func()) {
	ready, stop := w.Manual.After(d)
	w.asked <- struct{}{}
	return ready, stop
}

func TestMoreThanCanBeHandledIsTold(t *testing.T) {
	t.Parallel()
	m := &watched{Manual: clock.NewManual(time.Now()), asked: make(chan struct{}, 100)}
	b := newBed(t, Config{Clock: m, Commands: []Command{hello(always(says("hi")))}})
	b.registers(t)
	for len(m.asked) > 0 {
		<-m.asked
	}
	for range maxPresses {
		b.router.slots <- struct{}{}
	}
	i := did(t)(b.sim.Slash(b.ada, b.general, "hello", nil))
	raw, done := payload(t, i), make(chan struct{})
	go func() {
		defer close(done)
		b.onInteraction(t.Context(), raw)
	}()
	<-m.asked // how long it waits
	m.Advance(busyAfter)
	<-done
	if o := i.Now(); !o.Ephemeral || o.Message.Content != words.English.Say(words.PressBusy, nil) {
		t.Errorf("outcome = %+v", o)
	}
}
