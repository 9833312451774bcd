package gallery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
)

// holdFor is how long an account is kept from other processes at a time: longer
// than any one step takes. It is no promise: what is posted once is so by its
// key in the outbox.
const holdFor = 15 * time.Minute

// lockOf keeps the jobs of one process apart.
func (g *Gallery) lockOf(account community.AccountID) *sync.Mutex {
	g.mu.Lock()
	defer g.mu.Unlock()
	mu := g.locks[account]
	if mu == nil {
		mu = &sync.Mutex{}
		g.locks[account] = mu
	}
	return mu
}

// hold takes an account for this process, or keeps it for longer. False means
// that another process has it. On SQLite there is no other.
func (w *worker) hold(ctx context.Context, account community.AccountID) (bool, error) {
	now := w.Clock.Now()
	others := int64(1)
	if w.Store.Dialect() == store.SQLite {
		others = 0
	}
	var n int64
	err := w.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		// A time further ahead than any that is set is of a clock that ran ahead.
		n, err = tx.Exec(ctx, `insert into gallery_worker (account, holder, held_until) values ($1, $2, $3)
			on conflict (account) do update set holder = excluded.holder, held_until = excluded.held_until
			where gallery_worker.holder in ('', excluded.holder) or gallery_worker.held_until <= $4 or gallery_worker.held_until > $5 or $6 = 0`,
			string(account), w.process, now.Add(holdFor).UnixMilli(), now.UnixMilli(), now.Add(holdFor+time.Hour).UnixMilli(), others)
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take the account %s: %w", account, err)
	}
	return n == 1, nil
}

func (w *worker) letGo(ctx context.Context, account community.AccountID) error {
	return w.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error { return w.letGoIn(ctx, tx, account) })
}

func (w *worker) letGoIn(ctx context.Context, tx store.Tx, account community.AccountID) error {
	_, err := tx.Exec(ctx, `update gallery_worker set holder = '', held_until = 0 where account = $1 and holder = $2`, string(account), w.process)
	return err
}

// progress is what the work on a submission has come to: a row of gallery_work.
type progress struct {
	agreed   time.Time
	failures int64
	since    time.Time
	planned  time.Time
	parts    [][]int // the numbers of the media of each post
	made     int     // how many of these posts stand
	lost     int64   // how often the server has lost its files
}

// done tells how many media stand in posts already.
func (p progress) done() map[int]bool {
	stand := map[int]bool{}
	for _, part := range p.parts[:min(p.made, len(p.parts))] {
		for _, n := range part {
			stand[n] = true
		}
	}
	return stand
}

func readProgress(ctx context.Context, q rows, id string) (p progress, known bool, err error) {
	var agreed, since, planned, made int64
	var parts string
	err = q.QueryRow(ctx, `select agreed_at, failures, since_at, planned_at, parts, made, lost from gallery_work where submission = $1`, id).
		Scan(&agreed, &p.failures, &since, &planned, &parts, &made, &p.lost)
	if errors.Is(err, store.ErrNoRows) {
		return p, false, nil
	}
	if err == nil {
		err = json.Unmarshal([]byte(parts), &p.parts)
	}
	if err != nil {
		return p, false, fmt.Errorf("read the work on submission %s: %w", id, err)
	}
	p.agreed, p.since, p.planned, p.made = timeOf(agreed), timeOf(since), timeOf(planned), int(made)
	return p, true, nil
}

func (p progress) save(ctx context.Context, tx store.Tx, s *submission) error {
	if p.parts == nil {
		p.parts = [][]int{}
	}
	parts, err := json.Marshal(p.parts)
	if err == nil {
		_, err = tx.Exec(ctx, `insert into gallery_work (submission, account, agreed_at, failures, since_at, planned_at, parts, made, lost) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
			on conflict (submission) do update set account = excluded.account, agreed_at = excluded.agreed_at, failures = excluded.failures,
				since_at = excluded.since_at, planned_at = excluded.planned_at, parts = excluded.parts, made = excluded.made, lost = excluded.lost`,
			s.ID, string(s.Target), msOf(p.agreed), p.failures, msOf(p.since), msOf(p.planned), string(parts), int64(p.made), p.lost)
	}
	if err != nil {
		return fmt.Errorf("note the work on submission %s: %w", s.ID, err)
	}
	return nil
}
