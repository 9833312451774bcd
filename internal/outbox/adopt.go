package outbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"rookery/internal/store"
)

// ErrTaken says that what shall be adopted is another effect's already.
var ErrTaken = errors.New("it belongs to another effect")

// Adopt records as confirmed what another program has made: e, with the remote
// ids of its parts, in order. From then on it can be deleted or edited in its
// lane as if it had been planned here; nothing is sent, and the Owner is not
// told. Of e only Key, Feature, Kind, Account, Lane and Payload count. If the
// key is planned or adopted already nothing changes, whatever the ids. If one
// of the ids belongs to an effect, the error is ErrTaken; on any error the
// transaction must be rolled back.
func (o *Outbox) Adopt(ctx context.Context, tx store.Tx, e Effect, made ...string) error {
	if _, err := o.kind(e.Kind); err != nil {
		return err
	}
	for n, id := range made {
		if id == "" || slices.Contains(made[:n], id) {
			return fmt.Errorf("adopt %s: %q is no id of its own", e.Key, id)
		}
	}
	if len(made) == 0 {
		return fmt.Errorf("adopt %s: there is nothing to adopt", e.Key)
	}
	if _, known, err := LaneOf(ctx, tx, e.Key); err != nil || known {
		return err
	}
	payload, err := json.Marshal(e.Payload)
	if err != nil {
		return fmt.Errorf("adopt %s: %w", e.Key, err)
	}
	lane, now := e.Lane, ms(o.Clock.Now())
	if lane == "" {
		lane = e.Key
	}
	id := NewKey()
	n, err := tx.Exec(ctx, `insert into outbox_effect (id, key, feature, kind, account, lane, seq, payload, parts, expires_at, state, part,
			planner, next_at, created_at, done_at)
		select $1, $2, $3, $4, $5, $6, coalesce(max(seq), -1) + 1, $7, $8, 0, 'confirmed', $9, $10, $11, $11, $11 from outbox_effect where lane = $6
		on conflict (key) do nothing`,
		id, e.Key, e.Feature, e.Kind, string(e.Account), lane, string(payload), int64(len(made)), int64(len(made)-1), o.process, now)
	if err != nil {
		return fmt.Errorf("adopt %s: %w", e.Key, err)
	}
	if n == 0 { // another process was quicker
		return nil
	}
	for part, remote := range made {
		n, err := tx.Exec(ctx, `insert into outbox_remote (account, remote_id, effect, part) values ($1, $2, $3, $4) on conflict do nothing`,
			string(e.Account), remote, id, int64(part))
		switch {
		case err != nil:
			return fmt.Errorf("adopt %s: %w", e.Key, err)
		case n == 0:
			return o.taken(ctx, tx, e, remote)
		}
	}
	return nil
}

// taken is the error about an id that is another effect's.
func (o *Outbox) taken(ctx context.Context, tx store.Tx, e Effect, remote string) error {
	var of string
	err := tx.QueryRow(ctx, `select e.key from outbox_remote r join outbox_effect e on e.id = r.effect
		where r.account = $1 and r.remote_id = $2`, string(e.Account), remote).Scan(&of)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return fmt.Errorf("adopt %s: whose %s is: %w", e.Key, remote, err)
	}
	return fmt.Errorf("adopt %s: %s stands as %q: %w", e.Key, remote, of, ErrTaken)
}
