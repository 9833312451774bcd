// Package storetest gives tests real databases: a SQLite file in a folder of
// the test's own, and a PostgreSQL database of its own in the cluster that
// ROOKERY_TEST_POSTGRES names (`make test` starts one). Without a cluster the
// PostgreSQL half is skipped, unless ROOKERY_REQUIRE_POSTGRES is set.
package storetest

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"rookery/internal/store"
)

// Each runs fn as a subtest on each database, migrated to features.
func Each(t *testing.T, fn func(t *testing.T, s *store.Store), features ...store.Migrations) {
	t.Helper()
	EachConfig(t, func(t *testing.T, c store.Config) { fn(t, Open(t, c, features...)) })
}

// EachConfig runs fn as a subtest for each database, not yet opened.
func EachConfig(t *testing.T, fn func(t *testing.T, c store.Config)) {
	t.Helper()
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			fn(t, Config(t, d))
		})
	}
}

// Config makes an empty database and says how to open it. It goes with the
// test.
func Config(t testing.TB, d store.Dialect) store.Config {
	t.Helper()
	c := store.Config{Dir: t.TempDir()}
	if d == store.Postgres {
		c.PostgresURL = newDatabase(t)
		c.MaxConns = 8
	}
	return c
}

// Open opens and migrates a database that is closed at the end of the test.
func Open(t testing.TB, c store.Config, features ...store.Migrations) *store.Store {
	t.Helper()
	fill(t, c, features)
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	if err := s.Migrate(t.Context(), features...); err != nil {
		t.Fatal(err)
	}
	return s
}

// fill puts a SQLite file in its place that has the tables already, if there is
// none yet.
func fill(t testing.TB, c store.Config, features []store.Migrations) {
	t.Helper()
	file := filepath.Join(c.Dir, store.FileName)
	if _, err := os.Stat(file); c.PostgresURL != "" || len(features) == 0 || !errors.Is(err, fs.ErrNotExist) {
		return
	}
	b, err := blank(t.Context(), features)
	if err == nil {
		err = os.MkdirAll(c.Dir, 0o700) // as the store would
	}
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func newDatabase(t testing.TB) string {
	t.Helper()
	cluster := os.Getenv("ROOKERY_TEST_POSTGRES")
	if cluster == "" {
		if os.Getenv("ROOKERY_REQUIRE_POSTGRES") != "" {
			t.Fatal("ROOKERY_TEST_POSTGRES is not set: run through `make test` or scripts/with-postgres")
		}
		t.Skip("no PostgreSQL: run through `make test` or scripts/with-postgres")
	}
	u, err := url.Parse(cluster)
	if err != nil {
		t.Fatalf("ROOKERY_TEST_POSTGRES: %v", err)
	}
	name := "t_" + strings.ToLower(rand.Text()[:16])
	admin(t, cluster, "create database "+name)
	t.Cleanup(func() { admin(t, cluster, "drop database if exists "+name+" with (force)") })
	u.Path = "/" + name
	return u.String()
}

func admin(t testing.TB, cluster, sql string) {
	t.Helper()
	ctx := context.Background() // also used when the test's own has ended
	conn, err := pgx.Connect(ctx, cluster)
	if err != nil {
		t.Fatalf("connect to ROOKERY_TEST_POSTGRES: %v", err)
	}
	defer func() { _ = conn.Close(ctx) }()
	if _, err := conn.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
