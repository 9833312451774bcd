package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"rookery/internal/community"
)

// How what is typed is completed: apart from presses, so that fast typing
// never delays one.
const (
	maxCompletions = 4 // that run at a time
	maxWaiting     = 8 // that wait; who is longest in the queue gives way
	completeTime   = 2 * time.Second
)

// complete offers choices for the option that is being typed. What a member
// typed before is dropped unanswered: they have typed on.
func (d *Discord) complete(ctx context.Context, in *interaction) {
	q := &d.router.completing
	if !q.enter(ctx, community.MemberID(in.Member.User.ID)) {
		return
	}
	defer q.leave(community.MemberID(in.Member.User.ID))
	ctx, cancel := context.WithTimeout(ctx, completeTime)
	defer cancel()
	p := d.pressOf(ctx, in)
	choices := d.choices(ctx, in, p)
	offered := []offeredChoice{}
	for _, c := range choices[:min(len(choices), MaxChoices)] {
		offered = append(offered, c.offered(in.focused().Kind))
	}
	d.ack(context.WithoutCancel(ctx), in, callback{Type: callbackChoices, Data: map[string]any{"choices": offered}}, nil)
}

// choices asks the command. It never panics.
func (d *Discord) choices(ctx context.Context, in *interaction, p *Press) (all []Choice) {
	defer func() {
		if r := recover(); r != nil {
			d.failed(p, fmt.Errorf("panic: %v", r), "stack", string(debug.Stack()))
			all = nil
		}
	}()
	c, sub := d.commandOf(in)
	if c == nil {
		return nil
	}
	if g := p.Place.Guild; g != "" && (c.On != nil && !c.On(ctx, g) || sub.On != nil && !sub.On(ctx, g)) {
		return nil
	}
	ask := sub.Complete
	if ask == nil {
		ask = c.Complete
	}
	o := in.focused()
	if ask == nil || o.Name == "" {
		return nil
	}
	return ask(ctx, p, o.Name, Options{o.Name: {Raw: o.Value}}.Text(o.Name))
}

// focused is the option that is being typed.
func (in *interaction) focused() interactionOption {
	_, given := in.Data.sub()
	for _, o := range given {
		if o.Focused {
			return o
		}
	}
	return interactionOption{}
}

// offeredChoice is a choice as Discord takes it.
type offeredChoice struct {
	Name  string            `json:"name"`
	Names map[string]string `json:"name_localizations,omitempty"`
	Value json.RawMessage   `json:"value"`
}

// longestChoice is how many characters a choice's name and its value may have.
// Source: interactions/application-commands, "Application Command Option Choice
// Structure".
const longestChoice = 100

// offered is a choice for an option of that kind; a label that is too long is
// cut.
func (c Choice) offered(kind OptionKind) offeredChoice {
	name := []rune(c.Label)
	if len(name) > longestChoice {
		name = append(name[:longestChoice-1], '…')
	}
	o := offeredChoice{Name: string(name)}
	if _, err := strconv.ParseFloat(c.Value, 64); err == nil && (kind == OptionInt || kind == OptionNumber) {
		o.Value = json.RawMessage(c.Value)
		return o
	}
	o.Value, _ = json.Marshal(c.Value) // of a string it cannot fail
	return o
}

// completions lets in some at a time, one for each member.
type completions struct {
	mu      sync.Mutex
	most    int
	longest int
	running map[community.MemberID]bool
	waiting []*completion
}

// completion waits to be let in.
type completion struct {
	member community.MemberID
	turn   chan bool // false: dropped
}

func (q *completions) init(most, longest int) {
	q.most, q.longest, q.running = most, longest, map[community.MemberID]bool{}
}

// enter waits for its turn; false if it is not to be answered: the member has
// typed on, too many wait, or ctx has ended.
func (q *completions) enter(ctx context.Context, m community.MemberID) bool {
	q.mu.Lock()
	if !q.running[m] && len(q.running) < q.most {
		q.running[m] = true
		q.mu.Unlock()
		return true
	}
	for i, w := range q.waiting {
		if w.member == m {
			q.drop(i)
			break
		}
	}
	if len(q.waiting) == q.longest {
		q.drop(0)
	}
	w := &completion{member: m, turn: make(chan bool, 1)}
	q.waiting = append(q.waiting, w)
	q.mu.Unlock()
	select {
	case ok := <-w.turn:
		return ok
	case <-ctx.Done():
	}
	q.mu.Lock()
	for i := range q.waiting {
		if q.waiting[i] == w {
			q.drop(i)
			break
		}
	}
	q.mu.Unlock()
	if <-w.turn { // its turn had come meanwhile
		q.leave(m)
	}
	return false
}

// drop is called with the mutex held.
func (q *completions) drop(i int) {
	q.waiting[i].turn <- false
	q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
}

// leave lets the next one in.
func (q *completions) leave(m community.MemberID) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.running, m)
	for i, w := range q.waiting {
		if !q.running[w.member] {
			q.running[w.member] = true
			w.turn <- true
			q.waiting = append(q.waiting[:i], q.waiting[i+1:]...)
			return
		}
	}
}
