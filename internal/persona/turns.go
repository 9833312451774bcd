package persona

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
// There is one for each account, which all pumps of the process share: two
// orders side by side would let one member come first in both.
type draw struct {
	mu      sync.Mutex
	members []string // whose turn is still to come in this round
}

func (p *Persona) drawOf(account community.AccountID) *draw {
	p.mu.Lock()
	defer p.mu.Unlock()
	d := p.draws[account]
	if d == nil {
		d = &draw{}
		p.draws[account] = d
	}
	return d
}

// pick takes the oldest mention of the next member. It reports false if none
// is due.
func (r *pump) pick(ctx context.Context) (w waiting, ok bool, err error) {
	for {
		member, ok, err := r.turn(ctx)
		if err != nil || !ok {
			return w, false, err
		}
		// Another process may just have taken the member's last one.
		if w, ok, err = r.take(ctx, r.account, member); err != nil || ok {
			return w, ok, err
		}
		if err := ctx.Err(); err != nil {
			return w, false, fmt.Errorf("pick a mention: %w", err)
		}
	}
}

// turn is the member who comes next; a round that is through is followed by
// another, of those who wait then.
func (r *pump) turn(ctx context.Context) (string, bool, error) {
	r.draw.mu.Lock()
	defer r.draw.mu.Unlock()
	if len(r.draw.members) == 0 {
		members, err := r.dueMembers(ctx, r.account)
		if err != nil || len(members) == 0 {
			return "", false, err
		}
		r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
		r.draw.members = members
	}
	next := r.draw.members[0]
	r.draw.members = r.draw.members[1:]
	return next, true, nil
}
