package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// row is an effect as it is stored.
type row struct {
	id, key, feature, kind string
	account                community.AccountID
	lane                   string
	seq                    int64
	payload                json.RawMessage
	parts                  int
	expires                time.Time
	state                  State
	part, attempt, unknown int
	doubted                bool
	looks, again           int
	reason                 string
	idem, planner, holder  string
	first, deadline        time.Time // by the server's clock
	settle                 time.Time // by the server's clock
	created                time.Time
}

const columns = `id, key, feature, kind, account, lane, seq, payload, parts, expires_at, state, part, attempt,
	unknown, doubted, looks, reason, idem, planner, holder, first_srv, deadline_srv, settle_srv, created_at, again`

func scan(r store.Row) (row, error) {
	var w row
	var parts, part, attempt, unknown, doubted, looks, expires, first, deadline, settle, created, again int64
	var account, payload, state string
	err := r.Scan(&w.id, &w.key, &w.feature, &w.kind, &account, &w.lane, &w.seq, &payload, &parts, &expires, &state,
		&part, &attempt, &unknown, &doubted, &looks, &w.reason, &w.idem, &w.planner, &w.holder, &first, &deadline, &settle, &created, &again)
	w.account, w.payload, w.state = community.AccountID(account), json.RawMessage(payload), State(state)
	w.parts, w.part, w.attempt, w.unknown, w.looks = int(parts), int(part), int(attempt), int(unknown), int(looks)
	w.doubted, w.again, w.expires = doubted != 0, int(again), fromMS(expires)
	w.first, w.deadline, w.settle = fromMS(first), fromMS(deadline), fromMS(settle)
	w.created = fromMS(created)
	return w, err
}

func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMS(v int64) time.Time {
	if v == 0 {
		return time.Time{}
	}
	return time.UnixMilli(v).UTC()
}

// attemptOn is the row as its Kind sees it. made are the lane's ids so far.
func (w row) attemptOn(made []string) Attempt {
	first := w.first
	if first.IsZero() {
		first = w.created // planned by a process that knew nothing of an attempt
	}
	return Attempt{Effect: w.id, Account: w.account, Payload: w.payload, Part: w.part, Key: w.idem, Made: made, First: first}
}

// querier is a store.Tx, or a store.Store outside of transactions.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (store.Rows, error)
}

// made reads what the lane has made up to and including effect seq.
func made(ctx context.Context, q querier, lane string, seq int64) ([]string, error) {
	rows, err := q.Query(ctx, `select r.remote_id from outbox_remote r join outbox_effect e on e.id = r.effect
		where e.lane = $1 and e.seq <= $2 order by e.seq, r.part`, lane, seq)
	ids, err := store.Collect(rows, err, func(r store.Row) (id string, err error) { return id, r.Scan(&id) })
	if err != nil {
		return nil, fmt.Errorf("what lane %s has made: %w", lane, err)
	}
	return ids, nil
}
