package store

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"testing"
)

// HoldForTest locks the database as another program would.
func HoldForTest(t *testing.T, dir string) (release func()) {
	t.Helper()
	db, err := sql.Open("sqlite", dsn(filepath.Join(dir, FileName), nil))
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(t.Context(), "begin exclusive"); err != nil {
		t.Fatal(err)
	}
	return func() {
		if _, err := db.ExecContext(context.Background(), "rollback"); err != nil {
			t.Error(err)
		}
		db.Close()
	}
}

// ShortenBusyTimeoutForTest makes the writer give up at once.
func ShortenBusyTimeoutForTest(t *testing.T, s *Store) { pragma(t, s, "busy_timeout = 1") }

// FillDiskForTest leaves room for a few more pages, as SQLite itself counts
// them; the answer is a real SQLITE_FULL.
func FillDiskForTest(t *testing.T, s *Store) (roomy func()) {
	t.Helper()
	pragma(t, s, "max_page_count = 100")
	return func() { pragma(t, s, "max_page_count = 1000000") }
}

func pragma(t *testing.T, s *Store, text string) {
	t.Helper()
	// The writer is idle: nobody else uses the store in these tests.
	if err := s.backend.(*sqliteDB).writer.exec("pragma " + text); err != nil {
		t.Fatal(err)
	}
}

// WriteJunkForTest puts something that is no database in its place.
func WriteJunkForTest(t *testing.T, dir string) {
	t.Helper()
	junk := make([]byte, 8192)
	copy(junk, "this is a letter to my grandmother, not a database")
	if err := os.WriteFile(filepath.Join(dir, FileName), junk, 0o600); err != nil {
		t.Fatal(err)
	}
}
