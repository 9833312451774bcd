package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// appName is how our connections are called in PostgreSQL's own lists.
const appName = "rookery"

// postgresDB is a pool of connections to one PostgreSQL database.
type postgresDB struct {
	pool  *pgxpool.Pool
	log   *slog.Logger
	locks sync.WaitGroup

	ctx  context.Context // ended by close
	stop context.CancelFunc
}

func openPostgres(ctx context.Context, c Config) (*postgresDB, error) {
	conf, err := pgxpool.ParseConfig(c.PostgresURL)
	if err != nil {
		// pgx's own error hides the password.
		return nil, fmt.Errorf("read the PostgreSQL URL: %w", err)
	}
	conf.MaxConns = c.MaxConns
	if conf.MaxConns == 0 {
		conf.MaxConns = 16
	}
	// A restore looks for this name.
	params := conf.ConnConfig.RuntimeParams
	params["application_name"] = cmp.Or(c.appName, params["application_name"], appName)
	pool, err := pgxpool.NewWithConfig(ctx, conf)
	if err != nil {
		return nil, fmt.Errorf("connect to PostgreSQL: %w", err)
	}
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, fmt.Errorf("connect to PostgreSQL (does it run, and is the URL right?): %w", err)
	}
	d := &postgresDB{pool: pool, log: c.Log}
	d.ctx, d.stop = context.WithCancel(context.Background())
	return d, nil
}

// maxTries bounds how often a transaction is run again after PostgreSQL ended
// it in favour of another.
const maxTries = 5

func (d *postgresDB) write(ctx context.Context, durable bool, fn func(context.Context, Tx) error) error {
	for try := 1; ; try++ {
		var after []func()
		err := pgx.BeginFunc(ctx, d.pool, func(tx pgx.Tx) error {
			if !durable {
				if _, err := tx.Exec(ctx, "set local synchronous_commit = off"); err != nil {
					return err
				}
			}
			t := &pgTx{tx: tx}
			if err := fn(within(ctx), t); err != nil {
				return err
			}
			after = t.after
			return t.failed
		})
		if err == nil {
			for _, fn := range after {
				fn()
			}
			return nil
		}
		if e, ok := errors.AsType[*pgconn.PgError](err); ok && try < maxTries {
			if e.Code == "40P01" || e.Code == "40001" { // deadlock, serialization failure
				continue
			}
		}
		return explain(err)
	}
}

func (d *postgresDB) query(ctx context.Context, sql string, args ...any) (Rows, error) {
	rows, err := d.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, explain(err)
	}
	return pgRows{rows}, nil
}

func (d *postgresDB) close() error {
	d.stop()
	d.locks.Wait()
	d.pool.Close()
	return nil
}

// migrating lets one process at a time change the schema.
func (d *postgresDB) migrating(ctx context.Context, fn func(context.Context) error) error {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return explain(err)
	}
	defer conn.Release()
	key := lockKey("migrate")
	if _, err := conn.Exec(ctx, "select pg_advisory_lock($1)", key); err != nil {
		return explain(err)
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		if _, err := conn.Exec(ctx, "select pg_advisory_unlock($1)", key); err != nil {
			_ = conn.Conn().Close(ctx) // the lock goes with its connection
		}
	}()
	return fn(ctx)
}

// tryLock holds a session lock on a connection of its own. The lock is as
// alive as that connection: it is asked every few seconds.
func (d *postgresDB) tryLock(ctx context.Context, name string) (*Lock, error) {
	conn, err := d.pool.Acquire(ctx)
	if err != nil {
		return nil, explain(err)
	}
	var got bool
	if err := conn.QueryRow(ctx, "select pg_try_advisory_lock($1)", lockKey(name)).Scan(&got); err != nil {
		conn.Release()
		return nil, explain(err)
	}
	if !got {
		conn.Release()
		return nil, nil
	}
	l := newLock()
	d.locks.Add(1)
	go d.hold(conn, name, l)
	return l, nil
}

func (d *postgresDB) hold(conn *pgxpool.Conn, name string, l *Lock) {
	defer d.locks.Done()
	defer close(l.gone)
	tick := time.NewTicker(3 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			ctx, cancel := context.WithTimeout(d.ctx, 3*time.Second)
			err := conn.Ping(ctx)
			cancel()
			if err != nil && d.ctx.Err() == nil {
				d.log.Warn("lock lost with its connection", "lock", name, "error", err)
			}
			if err == nil {
				continue
			}
		case <-l.release:
		case <-d.ctx.Done():
		}
		// Closing the connection is the one way to give up the lock that
		// cannot fail.
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		_ = conn.Conn().Close(ctx)
		cancel()
		conn.Release()
		return
	}
}

func lockKey(name string) int64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte("rookery:" + name))
	return int64(h.Sum64())
}

// Pgx gives the PostgreSQL transaction behind tx, or false on SQLite. It is
// for package jobs alone, which lets River write in the same transaction.
func Pgx(tx Tx) (pgx.Tx, bool) {
	t, ok := tx.(*pgTx)
	if !ok {
		return nil, false
	}
	return t.tx, true
}

// Pool gives the PostgreSQL connections behind s, or false on SQLite; for
// package jobs alone.
func Pool(s *Store) (*pgxpool.Pool, bool) {
	d, ok := s.backend.(*postgresDB)
	if !ok {
		return nil, false
	}
	return d.pool, true
}

// pgTx remembers a failed statement, as PostgreSQL itself does.
type pgTx struct {
	tx     pgx.Tx
	failed error
	after  []func()
}

func (t *pgTx) sealed() {}

func (t *pgTx) AfterCommit(fn func()) { t.after = append(t.after, fn) }

func (t *pgTx) Exec(ctx context.Context, sql string, args ...any) (int64, error) {
	tag, err := t.tx.Exec(ctx, sql, args...)
	if err != nil {
		t.failed = explain(err)
		return 0, t.failed
	}
	return tag.RowsAffected(), nil
}

func (t *pgTx) Query(ctx context.Context, sql string, args ...any) (Rows, error) {
	rows, err := t.tx.Query(ctx, sql, args...)
	if err != nil {
		t.failed = explain(err)
		return nil, t.failed
	}
	return pgRows{rows}, nil
}

func (t *pgTx) QueryRow(ctx context.Context, sql string, args ...any) Row {
	rows, err := t.Query(ctx, sql, args...)
	return &firstRow{rows: rows, err: err}
}

// pgRows explains errors.
type pgRows struct{ pgx.Rows }

func (r pgRows) Scan(dest ...any) error { return explain(r.Rows.Scan(dest...)) }
func (r pgRows) Err() error             { return explain(r.Rows.Err()) }
