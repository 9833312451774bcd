package turns

import (
	"context"
	"fmt"
	"sync"

	"rookery/internal/community"
)

// draw decides whose mention comes next: the members who have one that is due
// are put in a random order, and each has one turn before any has a second.
// Whoever asks fifty things has no better chance than who asks one.
//
// There is one for each account, which all rounds of the process share: two
// orders side by side would let one member come first in both.
type draw struct {
	mu      sync.Mutex
	members []string // whose turn is still to come in this round
}

func (t *Turns) drawOf(account community.AccountID) *draw {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := t.draws[account]
	if d == nil {
		d = &draw{}
		t.draws[account] = d
	}
	return d
}

// Pick takes the oldest mention of the next member, for as long as Hold says.
// It reports false if none is due.
func (t *Turns) Pick(ctx context.Context, account community.AccountID) (w Waiting, ok bool, err error) {
	d := t.drawOf(account)
	for {
		member, ok, err := t.turn(ctx, account, d)
		if err != nil || !ok {
			return w, false, err
		}
		// Another process may just have taken the member's last one.
		if w, ok, err = t.take(ctx, account, member); err != nil || ok {
			return w, ok, err
		}
		if err := ctx.Err(); err != nil {
			return w, false, fmt.Errorf("pick a mention: %w", err)
		}
	}
}

// turn is the member who comes next; a draw that is through is followed by
// another, of those who wait then.
func (t *Turns) turn(ctx context.Context, account community.AccountID, d *draw) (string, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.members) == 0 {
		members, err := t.dueMembers(ctx, account)
		if err != nil || len(members) == 0 {
			return "", false, err
		}
		t.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		d.members = members
	}
	next := d.members[0]
	d.members = d.members[1:]
	return next, true, nil
}
