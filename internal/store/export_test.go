package store

import (
	"bufio"
	"context"
	"database/sql"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/jackc/pgx/v5"
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

// RestoreStepsForTest are the steps at which a restore tells that it got there.
func RestoreStepsForTest(d Dialect) []string {
	if d == Postgres {
		return []string{"checked", "moved", "made", "loaded", "committed"}
	}
	return []string{"copied", "laid", "noted", "aside", "aside-wal", "aside-shm", "placed", "done"}
}

// RestoreForTest is Restore that calls at after each step.
func RestoreForTest(ctx context.Context, c Config, path string, features []Migrations, at func(string)) (Restored, error) {
	return restore(ctx, c, path, features, at)
}

// FindPgClientForTest says which folder's programs are taken.
func FindPgClientForTest(ctx context.Context, dirs []string, server int) (string, error) {
	c, err := findPgClient(ctx, dirs, server)
	return c.dir, err
}

// PgEnvForTest is the environment that PostgreSQL's programs get.
func PgEnvForTest(url string) ([]string, error) {
	c, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	return pgEnv(c), nil
}

// ReadScriptForTest reads what pg_restore writes.
func ReadScriptForTest(r io.Reader) (BackupInfo, error) {
	info := BackupInfo{Versions: map[string]int64{}}
	return info, readScript(r, &info)
}

// CopyHeadForTest passes a script through, with the settings that are known.
func CopyHeadForTest(w io.Writer, r io.Reader, known map[string]bool) error {
	b := bufio.NewReaderSize(r, lineStart)
	if err := copyHead(w, b, known); err != nil {
		return err
	}
	_, err := b.WriteTo(w)
	return err
}
