package outbox

import (
	"context"

	"rookery/internal/store"
)

// sweepInline is Sweep in the caller's goroutine, so that a test's crash ends it.
func (o *Outbox) sweepInline(ctx context.Context) error {
	rows, err := o.Store.Query(ctx, `select `+columns+` from outbox_effect e where state in ('planned', 'sent') and next_at <= $1
		and not exists (select 1 from outbox_effect b where b.lane = e.lane and b.seq < e.seq and b.state in ('planned', 'sent'))
		order by next_at, key`, ms(o.Clock.Now()))
	due, err := store.Collect(rows, err, scan)
	if err != nil {
		return err
	}
	for _, w := range due {
		_ = o.resolve(ctx, w)
	}
	return nil
}
