package store_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func steps(sql ...string) store.Migrations {
	m := fstest.MapFS{}
	for i, s := range sql {
		m["migrations/000"+string(rune('1'+i))+"_step.sql"] = &fstest.MapFile{Data: []byte(s)}
	}
	return store.Migrations{Feature: "birds", FS: m}
}

var (
	first  = "create table bird (id bigint primary key);\ncreate index bird_id on bird (id);"
	second = "alter table bird add column name text not null default '';\n" +
		"create table only_here (lite bigint); -- only: sqlite\n" +
		"create table only_here (post bigint); -- only: postgres\n"
)

func TestMigrationsRunOnceAndInOrder(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c, steps(first))
		if err := s.Migrate(t.Context(), steps(first, second)); err != nil {
			t.Fatal(err)
		}
		if err := s.Migrate(t.Context(), steps(first, second)); err != nil {
			t.Errorf("the second time: %v", err)
		}
		column := map[store.Dialect]string{store.SQLite: "lite", store.Postgres: "post"}[s.Dialect()]
		if _, err := query(t, s, "select "+column+" from only_here"); err != nil {
			t.Errorf("a line for this database only is missing: %v", err)
		}
		if _, err := query(t, s, "select name from bird"); err != nil {
			t.Error(err)
		}
	})
}

func query(t *testing.T, s *store.Store, sql string) ([]string, error) {
	rows, err := s.Query(t.Context(), sql)
	return store.Collect(rows, err, func(r store.Row) (v string, err error) { return v, r.Scan(&v) })
}

func TestTwoProcessesMayMigrateAtOnce(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				s, err := store.Open(t.Context(), c)
				if err != nil {
					t.Error(err)
					return
				}
				defer s.Close()
				if err := s.Migrate(t.Context(), steps(first, second), notes); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	})
}

func TestNewerSchemaIsRefusedAndNothingIsTouched(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c, steps(first, second))
		err := s.Migrate(t.Context(), notes, steps(first))
		if !errors.Is(err, store.ErrNewer) {
			t.Fatalf("err = %v, want ErrNewer", err)
		}
		if !strings.Contains(err.Error(), "birds tables have version 2, this program knows up to 1") {
			t.Errorf("the word is not clear: %v", err)
		}
		if _, err := query(t, s, "select body from note"); err == nil {
			t.Error("other features were migrated before the refusal")
		}
	})
}

func TestFailedStepLeavesTheVersionBefore(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c)
		broken := steps(first, "create table half (id bigint); create tabel typo (id bigint);")
		if err := s.Migrate(t.Context(), broken); err == nil {
			t.Fatal("a broken step passed")
		}
		if err := s.Migrate(t.Context(), steps(first, "create table half (id bigint)")); err != nil {
			t.Errorf("half of the broken step was kept: %v", err)
		}
	})
}

func TestExtraRunsAfterTheSteps(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		m := steps(first)
		m.Extra = func(ctx context.Context, s *store.Store) error {
			return s.Write(ctx, func(ctx context.Context, tx store.Tx) error {
				_, err := tx.Exec(ctx, "insert into bird (id) values (1)")
				return err
			})
		}
		storetest.Open(t, c, m)
	})
}
