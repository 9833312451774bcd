package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// notes is a table to write to.
var notes = store.Migrations{Feature: "notes", FS: fstest.MapFS{
	"0001_init.sql": {Data: []byte("create table note (id bigint primary key, body text not null)")},
}}

func count(t *testing.T, s *store.Store) int {
	t.Helper()
	var n int
	if err := s.QueryRow(t.Context(), "select count(*) from note").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func insert(ctx context.Context, tx store.Tx, id int, body string) error {
	_, err := tx.Exec(ctx, "insert into note (id, body) values ($1, $2)", int64(id), body)
	return err
}

func TestWriteKeepsAllOrNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		boom := errors.New("boom")
		err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if err := insert(ctx, tx, 1, "a"); err != nil {
				return err
			}
			return boom
		})
		if !errors.Is(err, boom) || count(t, s) != 0 {
			t.Errorf("err = %v with %d rows, want boom with none", err, count(t, s))
		}
		for _, write := range []func(context.Context, func(context.Context, store.Tx) error) error{s.Write, s.WriteRelaxed} {
			before := count(t, s)
			if err := write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				return insert(ctx, tx, 10+before, "b")
			}); err != nil {
				t.Fatal(err)
			}
			if count(t, s) != before+1 {
				t.Errorf("%d rows after a write to %d", count(t, s), before)
			}
		}
	}, notes)
}

func TestManyWritersShareCommitsAndOneFailureTakesNobodyAlong(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var wg sync.WaitGroup
		errs := make([]error, 200)
		for i := range errs {
			wg.Go(func() {
				errs[i] = s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
					if err := insert(ctx, tx, i, "x"); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return errors.New("changed my mind")
					case 2:
						return insert(ctx, tx, i, "again") // breaks the primary key
					}
					return nil
				})
			})
		}
		wg.Wait()
		for i, err := range errs {
			if failed := i%4 == 1 || i%4 == 2; failed != (err != nil) {
				t.Errorf("writer %d: %v", i, err)
			}
		}
		if got := count(t, s); got != 100 {
			t.Errorf("%d rows, want 100", got)
		}
	}, notes)
}

func TestNestedWriteIsAnErrorAtOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if err := s.QueryRow(ctx, "select 1").Scan(new(int)); !errors.Is(err, store.ErrNested) {
				t.Errorf("query inside a transaction: %v", err)
			}
			return s.Write(ctx, func(context.Context, store.Tx) error { return nil })
		})
		if !errors.Is(err, store.ErrNested) {
			t.Errorf("err = %v, want ErrNested", err)
		}
	}, notes)
}

func TestBothDatabasesAreEquallyStrict(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for name, fn := range map[string]func(context.Context, store.Tx) error{
			"a failed statement, ignored, still fails its transaction": func(ctx context.Context, tx store.Tx) error {
				_ = insert(ctx, tx, 1, "a")
				_ = insert(ctx, tx, 1, "a")
				return nil
			},
			"nothing works after a failed statement": func(ctx context.Context, tx store.Tx) error {
				_, _ = tx.Exec(ctx, "insert into nowhere values (1)")
				return tx.QueryRow(ctx, "select 1").Scan(new(int))
			},
			"no statement while rows are open": func(ctx context.Context, tx store.Tx) error {
				rows, err := tx.Query(ctx, "select 1 union select 2")
				if err != nil {
					return err
				}
				defer rows.Close()
				rows.Next()
				return insert(ctx, tx, 2, "b")
			},
		} {
			if err := s.Write(t.Context(), fn); err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if n := count(t, s); n != 0 {
			t.Errorf("%d rows were left behind", n)
		}
		err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return tx.QueryRow(ctx, "select id from note where id = $1", int64(99)).Scan(new(int64))
		})
		if !errors.Is(err, store.ErrNoRows) {
			t.Errorf("no row: %v, want ErrNoRows", err)
		}
	}, notes)
}

func TestNumberedParametersBindByNumber(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var a, b, c string
		err := s.QueryRow(t.Context(), "select cast($2 as text), cast($1 as text), cast($2 as text)", "one", "two").Scan(&a, &b, &c)
		if err != nil || a+b+c != "twoonetwo" {
			t.Errorf("%q %q %q, %v", a, b, c, err)
		}
	})
}

func TestPanicInsideWriteReachesItsCallerAndNobodyElse(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		func() {
			defer func() {
				if recover() == nil {
					t.Error("the panic was swallowed")
				}
			}()
			_ = s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				_ = insert(ctx, tx, 1, "a")
				panic("oops")
			})
		}()
		if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return insert(ctx, tx, 2, "b") }); err != nil {
			t.Fatal(err)
		}
		if n := count(t, s); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	}, notes)
}

func TestAfterCommitIsCalledOnceCommittedOnly(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		var called []string
		for _, fail := range []error{errors.New("no"), nil} {
			_ = s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				tx.AfterCommit(func() { called = append(called, fmt.Sprint(fail)) })
				if len(called) > 0 {
					t.Error("called before the commit")
				}
				return fail
			})
		}
		if fmt.Sprint(called) != "[<nil>]" {
			t.Errorf("called for %v", called)
		}
	}, notes)
}

func TestCancelledWriteIsNotCarriedOut(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := s.Write(ctx, func(ctx context.Context, tx store.Tx) error { return insert(ctx, tx, 1, "a") })
		if !errors.Is(err, context.Canceled) || count(t, s) != 0 {
			t.Errorf("err = %v, rows = %d", err, count(t, s))
		}
	}, notes)
}

func TestWriteAfterCloseSaysSo(t *testing.T) {
	s := storetest.Open(t, storetest.Config(t, store.SQLite), notes)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Write(t.Context(), func(context.Context, store.Tx) error { return nil }); !errors.Is(err, store.ErrClosed) {
		t.Errorf("err = %v, want ErrClosed", err)
	}
}

func TestSessionLockIsHeldByOne(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		a, err := s.TryLock(t.Context(), "poll:a")
		if err != nil || a == nil {
			t.Fatal(a, err)
		}
		if again, err := s.TryLock(t.Context(), "poll:a"); again != nil || err != nil {
			t.Errorf("the lock was given twice (%v, %v)", again, err)
		}
		other, err := s.TryLock(t.Context(), "poll:b")
		if err != nil || other == nil {
			t.Fatal(other, err)
		}
		other.Release()
		a.Release()
		a.Release()
		<-a.Lost()
		b, err := s.TryLock(t.Context(), "poll:a")
		if err != nil || b == nil {
			t.Errorf("a released lock cannot be taken (%v, %v)", b, err)
		} else {
			b.Release()
		}
	})
}

func TestSessionLockGoesToTheNextWhenItsHolderCloses(t *testing.T) {
	c := storetest.Config(t, store.Postgres)
	first, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	held, err := first.TryLock(t.Context(), "poll:a")
	if err != nil || held == nil {
		t.Fatal(held, err)
	}
	second := storetest.Open(t, c)
	if l, err := second.TryLock(t.Context(), "poll:a"); l != nil || err != nil {
		t.Fatal("both hold it", l, err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	<-held.Lost()
	// The server takes a moment to notice that the connection is gone.
	late := time.After(30 * time.Second)
	for {
		l, err := second.TryLock(t.Context(), "poll:a")
		if err != nil {
			t.Fatal(err)
		}
		if l != nil {
			l.Release()
			return
		}
		select {
		case <-time.After(5 * time.Millisecond):
		case <-late:
			t.Fatal("the lock did not pass on")
		}
	}
}

func TestLockedDatabaseGivesAClearErrorAndLosesNothing(t *testing.T) {
	c := storetest.Config(t, store.SQLite)
	s := storetest.Open(t, c, notes)
	release := store.HoldForTest(t, c.Dir)
	store.ShortenBusyTimeoutForTest(t, s)
	write := func() error {
		return s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return insert(ctx, tx, 1, "a") })
	}
	if err := write(); !errors.Is(err, store.ErrLocked) {
		t.Errorf("err = %v, want ErrLocked", err)
	}
	release()
	if err := write(); err != nil {
		t.Errorf("after the lock was gone: %v", err)
	}
}

func TestFullDiskGivesAClearErrorAndLosesNothing(t *testing.T) {
	s := storetest.Open(t, storetest.Config(t, store.SQLite), notes)
	roomy := store.FillDiskForTest(t, s)
	big := fmt.Sprintf("%0100000d", 1)
	var kept int
	var err error
	for kept = 0; kept < 1000; kept++ {
		if err = s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return insert(ctx, tx, kept, big) }); err != nil {
			break
		}
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("err = %v, want ErrFull", err)
	}
	if n := count(t, s); n != kept {
		t.Errorf("%d rows, but %d writes were promised", n, kept)
	}
	roomy()
	if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return insert(ctx, tx, 5000, big) }); err != nil {
		t.Errorf("with room again: %v", err)
	}
}

func TestDamagedFileIsNamed(t *testing.T) {
	c := storetest.Config(t, store.SQLite)
	store.WriteJunkForTest(t, c.Dir)
	s, err := store.Open(t.Context(), c)
	if err == nil {
		err = s.Migrate(t.Context(), notes)
		s.Close()
	}
	if !errors.Is(err, store.ErrBroken) {
		t.Errorf("err = %v, want ErrBroken", err)
	}
}

func TestDataDirectoryHasOneOwner(t *testing.T) {
	dir := t.TempDir()
	l, err := store.LockDir(dir, "run")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := store.LockDir(dir, "once"); !errors.Is(err, store.ErrInUse) {
		t.Errorf("err = %v, want ErrInUse", err)
	} else {
		t.Log(err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	l, err = store.LockDir(dir, "once")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
}
