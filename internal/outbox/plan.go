package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rookery/internal/store"
)

// Plan stores the effect in the caller's transaction; it is sent soon after.
// It reports false, and changes nothing, if the key is planned already.
func (o *Outbox) Plan(ctx context.Context, tx store.Tx, e Effect) (bool, error) {
	w, err := o.insert(ctx, tx, e, Planned)
	if err != nil || w == nil {
		return false, err
	}
	return true, o.wake(ctx, tx, o.Clock.Now())
}

// Claim is a stored attempt that the holder may now send, and must hand to
// Deliver after the transaction is committed.
type Claim struct {
	row  row
	made []string
	at   time.Time // when claimed, by our clock
	wall time.Time // the same without the monotonic part
}

// PlanAndClaim is Plan for a caller who goes on to Deliver at once: it saves
// a commit. It returns nil if the key is planned already, if the lane is taken
// and the effect has to wait its turn, if it has to be looked for first, or if
// sending is paused.
func (o *Outbox) PlanAndClaim(ctx context.Context, tx store.Tx, e Effect) (*Claim, error) {
	wanted := Sent
	if !e.Since.IsZero() {
		wanted = Planned
	}
	if off, err := pausedIn(ctx, tx); err != nil {
		return nil, err
	} else if off {
		wanted = Planned
	}
	w, err := o.insert(ctx, tx, e, wanted)
	if err != nil || w == nil {
		return nil, err
	}
	if w.state == Planned {
		return nil, o.wake(ctx, tx, o.Clock.Now())
	}
	earlier, err := made(ctx, tx, w.lane, w.seq)
	if err != nil {
		return nil, err
	}
	return o.claim(*w, earlier), nil
}

func (o *Outbox) claim(w row, earlier []string) *Claim {
	now := o.Clock.Now()
	return &Claim{row: w, made: earlier, at: now, wall: now.Round(0)}
}

func (o *Outbox) insert(ctx context.Context, tx store.Tx, e Effect, wanted State) (*row, error) {
	kind, err := o.kind(e.Kind)
	if err != nil {
		return nil, err
	}
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", e.Key, err)
	}
	w := row{
		id: NewKey(), key: e.Key, feature: e.Feature, kind: e.Kind, account: e.Account, lane: e.Lane,
		payload: payload, parts: max(e.Parts, 1), expires: e.Expires, state: wanted, planner: o.process, again: e.Again,
	}
	if w.lane == "" {
		w.lane = e.Key
	}
	created := o.Clock.Now()
	if !e.Since.IsZero() {
		created, w.planner = e.Since, "" // as if somebody else had planned it then
	}
	if _, ok := kind.(Drops); ok {
		if err := o.dropUnsent(ctx, tx, w.lane); err != nil {
			return nil, err
		}
	}
	var waiting int64
	if err := tx.QueryRow(ctx, `select coalesce(max(seq), -1) + 1, count(case when state in ('planned', 'sent') then 1 end)
		from outbox_effect where lane = $1`, w.lane).Scan(&w.seq, &waiting); err != nil {
		return nil, fmt.Errorf("plan %s: %w", e.Key, err)
	}
	next := o.Clock.Now()
	if waiting > 0 {
		w.state = Planned
	}
	if w.state == Sent {
		next = o.claimed(&w, kind)
	}
	n, err := tx.Exec(ctx, `insert into outbox_effect (`+columns+`, next_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 0, $12, 0, 0, 0, '', $13, $14, $15, $16, $17, $18, $19, $20, $21)
		on conflict (key) do nothing`,
		w.id, w.key, w.feature, w.kind, string(w.account), w.lane, w.seq, string(w.payload), int64(w.parts), ms(w.expires), string(w.state),
		int64(w.attempt), w.idem, w.planner, w.holder, ms(w.first), ms(w.deadline), ms(w.settle), ms(created), int64(w.again), ms(next))
	if err != nil {
		return nil, fmt.Errorf("plan %s: %w", e.Key, err)
	}
	if n == 0 {
		return nil, nil
	}
	return &w, nil
}

// claimed fills in a fresh attempt and returns when to look at it if nobody
// ends it: its deadline and its settling time are fixed before it is sent.
func (o *Outbox) claimed(w *row, kind Kind) (next time.Time) {
	now := kind.Now(w.account)
	w.attempt++
	if f, ok := kind.(Finder); w.idem == "" || !ok || !f.KeepsKey(w.account) {
		w.idem = NewKey()
	}
	w.holder = o.process
	w.deadline = now.Add(o.Timeout)
	w.settle = w.deadline.Add(o.SettleSilence)
	if w.first.IsZero() {
		w.first = now
	}
	return o.Clock.Now().Add(o.Timeout + time.Second)
}

func (o *Outbox) dropUnsent(ctx context.Context, tx store.Tx, lane string) error {
	// Only what this very process planned and never sent is known not to be
	// outside: an older row may come from a restored backup.
	_, err := tx.Exec(ctx, `update outbox_effect set state = 'dropped', done_at = $3
		where lane = $1 and state = 'planned' and attempt = 0 and part = 0 and planner = $2`,
		lane, o.process, ms(o.Clock.Now()))
	if err != nil {
		return fmt.Errorf("drop what lane %s had planned: %w", lane, err)
	}
	return nil
}
