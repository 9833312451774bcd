package discord

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"rookery/internal/failpoint"
	"rookery/internal/words"
)

// How presses are handled.
const (
	// deferAfter is how long a handler may take before Discord is told that the
	// answer will come.
	deferAfter = time.Second
	// handlerTime is how long a handler may take at all.
	handlerTime = 10 * time.Second
	// maxPresses is how many handlers run at a time; who comes then waits for
	// busyAfter and is told to come back.
	maxPresses = 24
	busyAfter  = time.Second
	// keptPresses is how many interactions are remembered, to know a repeat.
	keptPresses = 4096
)

// errNoAnswer is a handler's mistake.
var errNoAnswer = errors.New("the handler's answer is not possible here")

// routerState is what belongs to commands and presses.
type routerState struct {
	commands   map[commandKey]*Command
	mu         sync.Mutex
	components map[string]Handler
	forms      map[string]Handler
	recent     recent
	slots      chan struct{}
	completing completions
	registrar  registrar
}

// commandKey is what commands are told apart by.
type commandKey struct {
	kind CommandKind
	name string
}

// initRouter looks the declared commands over; its error names all mistakes.
func (d *Discord) initRouter() error {
	if err := checkCommands(d.Commands); err != nil {
		return err
	}
	r := &d.router
	r.commands = map[commandKey]*Command{}
	for i := range d.Commands {
		c := &d.Commands[i]
		r.commands[commandKey{c.kind(), c.Name}] = c
	}
	r.components, r.forms = map[string]Handler{}, map[string]Handler{}
	r.slots = make(chan struct{}, maxPresses)
	r.completing.init(maxCompletions, maxWaiting)
	r.registrar.init()
	return nil
}

// Components has presses of buttons, and choices in menus, handled whose
// CustomID has that action. It is called before Run; two for one action are a
// mistake in the program and panic.
//
// A handler that takes longer than a second is deferred for. The press of a
// message that all see then shows "thinking" to the member alone, and that is
// where a Message goes; the press of a message that only the member sees has
// its answer in place of that message.
func (d *Discord) Components(action string, h Handler) {
	d.handle(d.router.components, "component", action, h)
}

// Forms has forms handled whose CustomID has that action. It is called before
// Run; two for one action are a mistake in the program and panic.
func (d *Discord) Forms(action string, h Handler) {
	d.handle(d.router.forms, "form", action, h)
}

func (d *Discord) handle(to map[string]Handler, what, action string, h Handler) {
	d.router.mu.Lock()
	defer d.router.mu.Unlock()
	if _, twice := to[action]; twice || h == nil || !CustomIDFits(action) {
		panic(fmt.Sprintf("discord: the %s action %q is empty, too long, without a handler, or declared twice", what, action))
	}
	to[action] = h
}

// Known are all commands that were declared.
func (d *Discord) Known() []Command { return d.Commands }

// onInteraction answers an INTERACTION_CREATE (its d). It is called in a
// goroutine of its own, of which there are a bounded number, and may block; ctx
// ends a little after Run's does.
func (d *Discord) onInteraction(ctx context.Context, raw json.RawMessage) {
	if d.Rehearsal || ctx.Err() != nil {
		return
	}
	in, err := readInteraction(raw)
	if err != nil {
		d.log.Debug("an interaction that cannot be read is passed over", "error", err)
		return
	}
	in.received = d.Clock.Now()
	switch in.Type {
	case interactionComplete:
		d.complete(ctx, in)
	case interactionCommand, interactionComponent, interactionForm:
		if !d.router.recent.add(in.ID) {
			d.log.Debug("an interaction came twice", "interaction", in.ID)
			return
		}
		d.press(ctx, in)
	}
}

// press finds a handler, runs it and tells Discord its answer.
func (d *Discord) press(ctx context.Context, in *interaction) {
	p := d.pressOf(ctx, in)
	busy, stop := d.Clock.After(busyAfter)
	defer stop()
	select {
	case d.router.slots <- struct{}{}:
		defer func() { <-d.router.slots }()
	case <-busy:
		d.say(ctx, in, p, words.PressBusy)
		return
	}

	handling, cancel := context.WithTimeout(ctx, handlerTime)
	defer cancel()
	done := make(chan outcome, 1)
	go func() { done <- d.run(handling, in, p) }()
	slow, stopSlow := d.Clock.After(deferAfter - d.Clock.Now().Sub(in.received))
	defer stopSlow()
	// The acknowledgement has time of its own: the handler may use up all of
	// its, and what it has stored is told though we are about to stop.
	whole := context.WithoutCancel(ctx)
	select {
	case o := <-done:
		failpoint.At("d3-press-committed")
		if o.failed != "" && ctx.Err() != nil {
			return // for want of time: the next session hears of it again
		}
		d.answer(whole, in, p, o)
		failpoint.At("d4-press-acknowledged")
	case <-slow:
		way := d.deferFor(whole, in, p)
		d.answerLate(ctx, in, p, way, <-done)
	}
}

// outcome is how a handler ended.
type outcome struct {
	answer Answer
	failed string // the code of a failure, which is in the log
}

// run chooses the handler and runs it. It never panics.
func (d *Discord) run(ctx context.Context, in *interaction, p *Press) (o outcome) {
	defer func() {
		if r := recover(); r != nil {
			o = outcome{failed: d.failed(p, fmt.Errorf("panic: %v", r), "stack", string(debug.Stack()))}
		}
	}()
	h, refusal := d.handlerOf(ctx, in, p)
	if h == nil {
		return outcome{answer: sentence(p.Language, refusal)}
	}
	a, err := h(ctx, p)
	if err == nil {
		err = a.check(in)
	}
	if err != nil {
		return outcome{failed: d.failed(p, err)}
	}
	return outcome{answer: a}
}

// failed logs a failure and returns the code by which it is found.
func (d *Discord) failed(p *Press, err error, more ...any) string {
	code := rand.Text()[:6]
	d.log.Error("a command or a press could not be handled", append([]any{
		"code", code, "command", p.Command, "action", p.Action, "interaction", p.ID, "error", err}, more...)...)
	return code
}

// handlerOf is who handles a press; nil, and why, if nobody does.
//
// What a command's Permission asks for is not looked at again: Discord holds
// to it, and a guild's managers may have given the command to others, which is
// not ours to overrule and of which the interaction says nothing.
func (d *Discord) handlerOf(ctx context.Context, in *interaction, p *Press) (Handler, words.Key) {
	switch in.Type {
	case interactionComponent, interactionForm:
		d.router.mu.Lock()
		defer d.router.mu.Unlock()
		if in.Type == interactionForm {
			return d.router.forms[p.Action], words.PressUnknown
		}
		return d.router.components[p.Action], words.PressUnknown
	}
	c, sub := d.commandOf(in)
	if c == nil || p.Place.Guild == "" && !c.Direct {
		return nil, words.PressGone
	}
	if g := p.Place.Guild; g != "" && (c.On != nil && !c.On(ctx, g) || sub.On != nil && !sub.On(ctx, g)) {
		return nil, words.PressOff
	}
	return sub.Handle, words.PressGone
}

// commandOf is the command that was given and its subcommand, which is the
// command itself if it has none; nil for one that there is no more.
func (d *Discord) commandOf(in *interaction) (c, sub *Command) {
	c = d.router.commands[commandKey{in.Data.Kind, in.Data.Name}]
	if c == nil || len(c.Subs) == 0 {
		return c, c
	}
	name, _ := in.Data.sub()
	for i := range c.Subs {
		if c.Subs[i].Name == name {
			return c, &c.Subs[i]
		}
	}
	return nil, nil
}

// check finds an answer that cannot be given.
func (a Answer) check(in *interaction) error {
	ways := 0
	for _, is := range []bool{a.Message != nil, a.Update != nil, a.Modal != nil, a.Later, a.Nothing} {
		if is {
			ways++
		}
	}
	switch {
	case ways != 1:
		return fmt.Errorf("%w: it has %d ways in place of one", errNoAnswer, ways)
	case a.Modal != nil && in.Type == interactionForm:
		return fmt.Errorf("%w: a form after a form", errNoAnswer)
	}
	return nil
}

// sentence is a private answer in general words.
func sentence(l words.Language, k words.Key) Answer {
	return Answer{Message: &Message{Content: l.Say(k, nil)}, Private: true}
}

// say answers in general words, without any handler.
func (d *Discord) say(ctx context.Context, in *interaction, p *Press, k words.Key) {
	d.answer(ctx, in, p, outcome{answer: sentence(p.Language, k)})
}

// recent remembers the last ids.
type recent struct {
	mu    sync.Mutex
	known map[string]struct{}
	ring  []string
	next  int
}

// add is false for an id that is remembered.
func (r *recent) add(id string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, ok := r.known[id]; ok {
		return false
	}
	if r.known == nil {
		r.known = map[string]struct{}{}
	}
	if len(r.ring) < keptPresses {
		r.ring = append(r.ring, id)
	} else {
		delete(r.known, r.ring[r.next])
		r.ring[r.next] = id
		r.next = (r.next + 1) % keptPresses
	}
	r.known[id] = struct{}{}
	return true
}

// kind is the command's kind; Slash unless it says otherwise.
func (c *Command) kind() CommandKind {
	if c.Kind == 0 {
		return Slash
	}
	return c.Kind
}
