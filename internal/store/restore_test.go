package store_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// childEnv makes the test binary a process that backs up or restores:
// "verb|directory|PostgreSQL URL|file|step at which it is killed".
const childEnv = "ROOKERY_STORE_TEST_CHILD"

func child() int {
	a := strings.Split(os.Getenv(childEnv), "|")
	verb, c, path, last := a[0], store.Config{Dir: a[1], PostgresURL: a[2], MaxConns: 4}, a[3], a[4]
	ctx := context.Background()
	var err error
	switch verb {
	case "backup":
		var s *store.Store
		if s, err = store.Open(ctx, c); err == nil {
			_, err = s.Backup(ctx, path)
			err = errors.Join(err, s.Close())
		}
	case "restore":
		_, err = store.RestoreForTest(ctx, c, path, []store.Migrations{everything}, func(step string) {
			if step != last {
				return
			}
			if p, err := os.FindProcess(os.Getpid()); err == nil {
				_ = p.Kill()
			}
			select {} // nothing may happen after it
		})
	}
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("done")
	return 0
}

// runChild runs a child, by way of a command if one is given, and returns what
// it said.
func runChild(t *testing.T, c store.Config, verb, path, step string, by ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	if len(by) > 0 {
		cmd = exec.CommandContext(t.Context(), by[0], append(by[1:], self)...)
	}
	cmd.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{verb, c.Dir, c.PostgresURL, path, step}, "|"))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String()
}

func restore(t *testing.T, c store.Config, path string) store.Restored {
	t.Helper()
	done, err := store.Restore(t.Context(), c, path, everything)
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// notesIn counts the notes of a database that nobody else has open.
func notesIn(t *testing.T, c store.Config) int {
	t.Helper()
	s, err := store.Open(t.Context(), c)
	if err == nil {
		err = s.Migrate(t.Context(), everything)
	}
	if err != nil {
		t.Fatal(err)
	}
	n := count(t, s)
	// Whatever came, it is a whole database.
	fill(t, s, 1_000_000, 1)
	if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		if _, err := tx.Exec(ctx, `delete from child where note = 1000000`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `delete from note where id = 1000000`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

// change gives the database n more notes.
func change(t *testing.T, c store.Config, from, n int) {
	t.Helper()
	s, err := store.Open(t.Context(), c)
	if err == nil {
		err = s.Migrate(t.Context(), everything)
	}
	if err != nil {
		t.Fatal(err)
	}
	fill(t, s, from, n)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// keep makes a backup of the database as it is.
func keep(t *testing.T, c store.Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kept")
	s, err := store.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	backup(t, s, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestRestorePutsBackAndPutsAside(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		change(t, c, 0, 3)
		if c.PostgresURL != "" {
			lead(t, c)
		}
		path := keep(t, c)
		change(t, c, 3, 2)
		done := restore(t, c, path)
		if n := notesIn(t, c); n != 3 {
			t.Errorf("%d notes after the restore, want 3", n)
		}
		if !slices.Contains(done.Backup.Tables, store.TableRows{Table: "note", Rows: 3}) || done.Aside == "" {
			t.Errorf("done: %+v", done)
		}
		again := restore(t, c, path) // within the same second
		if again.Aside == done.Aside {
			t.Errorf("twice put aside as %s", done.Aside)
		}
		if c.PostgresURL == "" {
			restore(t, c, done.Aside)
			if n := notesIn(t, c); n != 5 {
				t.Errorf("%d notes in what was put aside, want 5", n)
			}
			return
		}
		s := storetest.Open(t, c, everything)
		var n int
		if err := s.QueryRow(t.Context(), `select count(*) from `+done.Aside+`.note`).Scan(&n); err != nil || n != 5 {
			t.Errorf("%d notes in the schema that was put aside, %v; want 5", n, err)
		}
		// What only lives with a process does not come back.
		if err := s.QueryRow(t.Context(), `select count(*) from leader`).Scan(&n); err != nil || n != 0 {
			t.Errorf("%d leaders, %v", n, err)
		}
		// All kinds of objects are there, and only once.
		if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Exec(ctx, `insert into felt (m) values ('merry')`); err != nil {
				return err
			}
			return tx.QueryRow(ctx, `select plus(nextval('loose')) from merry`).Scan(&n)
		}); err != nil || n != 2 {
			t.Errorf("view, function, type and sequence: %d, %v", n, err)
		}
	})
}

// lead notes a process, as River does.
func lead(t *testing.T, c store.Config) {
	t.Helper()
	s, err := store.Open(t.Context(), c)
	if err == nil {
		err = s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Exec(ctx, `insert into leader (name) values ('me')`)
			return err
		})
		err = errors.Join(err, s.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestRestoreIntoAnEmptyPlace(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		change(t, c, 0, 3)
		path := keep(t, c)
		d := store.SQLite
		if c.PostgresURL != "" {
			d = store.Postgres
		}
		c = storetest.Config(t, d)
		if done := restore(t, c, path); done.Aside != "" {
			t.Errorf("nothing was put aside as %s", done.Aside)
		}
		if n := notesIn(t, c); n != 3 {
			t.Errorf("%d notes, want 3", n)
		}
	})
}

func TestRestoreRefusesWhileAnotherIsAtWork(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		change(t, c, 0, 3)
		path := keep(t, c)
		lock, err := store.LockDir(c.Dir, "run")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Restore(t.Context(), c, path, everything); !errors.Is(err, store.ErrInUse) || !strings.Contains(err.Error(), "run, process") {
			t.Errorf("with the directory taken: %v", err)
		}
		if err := lock.Release(); err != nil {
			t.Fatal(err)
		}
		if c.PostgresURL == "" {
			return
		}
		other := c
		other.Dir = t.TempDir()
		s, err := store.Open(t.Context(), other)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.Restore(t.Context(), c, path, everything); !errors.Is(err, store.ErrInUse) {
			t.Errorf("with another process on the database: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		restore(t, c, path)
	})
}

func TestBadBackupsAreRefusedBeforeAnythingIsTouched(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		change(t, c, 0, 30)
		good := keep(t, c)
		whole, err := os.ReadFile(good)
		if err != nil {
			t.Fatal(err)
		}
		bad := func(change func([]byte) []byte) string {
			path := filepath.Join(t.TempDir(), "bad")
			if err := os.WriteFile(path, change(slices.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		files := map[string]string{
			"empty":       bad(func([]byte) []byte { return nil }),
			"half":        bad(func(b []byte) []byte { return b[:len(b)/2] }),
			"a head":      bad(func(b []byte) []byte { return b[:64] }),
			"lacks a bit": bad(func(b []byte) []byte { return b[:len(b)-10] }),
			"a letter":    bad(func([]byte) []byte { return []byte("Dear grandmother, this is no database at all.") }),
			"scribbled on": bad(func(b []byte) []byte {
				for i := len(b) / 2; i < len(b)/2+5000; i++ {
					b[i] ^= 0x55
				}
				return b
			}),
			"another program's": foreign(t, c),
		}
		for name, path := range files {
			if _, err := store.Restore(t.Context(), c, path, everything); !errors.Is(err, store.ErrBadBackup) {
				t.Errorf("%s: %v, want ErrBadBackup", name, err)
			}
			if _, err := store.CheckBackup(t.Context(), path, everything); !errors.Is(err, store.ErrBadBackup) {
				t.Errorf("check %s: %v, want ErrBadBackup", name, err)
			}
		}
		older := store.Migrations{Feature: "everything", FS: fstest.MapFS{}}
		if _, err := store.Restore(t.Context(), c, good, older); !errors.Is(err, store.ErrNewer) {
			t.Errorf("of a newer program: %v, want ErrNewer", err)
		}
		if _, err := store.Restore(t.Context(), c, filepath.Join(t.TempDir(), "nowhere"), everything); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("no file: %v", err)
		}
		if c.PostgresURL == "" {
			if _, err := store.Restore(t.Context(), c, filepath.Join(c.Dir, store.FileName), everything); err == nil {
				t.Error("the database was put in its own place")
			}
			only(t, c.Dir, "rookery.db", "rookery.lock")
		}
		if n := notesIn(t, c); n != 30 {
			t.Errorf("%d notes after refusals, want 30", n)
		}
	})
}

// foreign is a well-formed backup of something else.
func foreign(t *testing.T, c store.Config) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "foreign")
	if c.PostgresURL != "" {
		other := storetest.Config(t, store.Postgres)
		pgDump(t, other.PostgresURL, path)
		return path
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), `create table bookmark (url text)`); err != nil {
		t.Fatal(err)
	}
	return path
}

func pgDump(t *testing.T, url, path string, args ...string) {
	t.Helper()
	if b, err := exec.CommandContext(t.Context(), "pg_dump", append(args, "-Fc", "-f", path, url)...).CombinedOutput(); err != nil {
		t.Fatalf("pg_dump: %v: %s", err, b)
	}
}

func TestBackupOfTheOtherDatabaseIsNamed(t *testing.T) {
	t.Parallel()
	lite, pg := storetest.Config(t, store.SQLite), storetest.Config(t, store.Postgres)
	change(t, lite, 0, 1)
	change(t, pg, 0, 1)
	for path, c := range map[string]store.Config{keep(t, lite): pg, keep(t, pg): lite} {
		if _, err := store.Restore(t.Context(), c, path, everything); err == nil || !strings.Contains(err.Error(), "is a backup of") {
			t.Errorf("err = %v", err)
		}
	}
}

// What an operator made by pg_dump alone, of the whole database and with what
// others have in it, will do as well.
func TestPlainDumpOfTheWholeDatabaseIsTakenToo(t *testing.T) {
	t.Parallel()
	c := storetest.Config(t, store.Postgres)
	change(t, c, 0, 3)
	s := storetest.Open(t, c, everything)
	if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `create schema others; create table others.thing (id bigint); insert into others.thing values (1); comment on schema public is 'x'`)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "plain")
	pgDump(t, c.PostgresURL, path)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	change(t, c, 3, 1)
	restore(t, c, path)
	if n := notesIn(t, c); n != 3 {
		t.Errorf("%d notes, want 3", n)
	}
}

// A database that was put aside after a crash has a log that holds the newest.
func TestLogOfACrashedDatabaseIsNotLostOnEitherSide(t *testing.T) {
	t.Parallel()
	crashed := func(notes int) store.Config {
		c := storetest.Config(t, store.SQLite)
		s := storetest.Open(t, c, everything)
		fill(t, s, 0, notes)
		after := store.Config{Dir: t.TempDir()}
		for _, suffix := range []string{"", "-wal"} { // as the disk is after a kill
			b, err := os.ReadFile(filepath.Join(c.Dir, store.FileName+suffix))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(after.Dir, store.FileName+suffix), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return after
	}
	c := crashed(5)
	done := restore(t, c, filepath.Join(crashed(3).Dir, store.FileName))
	if n := notesIn(t, c); n != 3 {
		t.Errorf("%d notes, want 3", n)
	}
	restore(t, c, done.Aside)
	if n := notesIn(t, c); n != 5 {
		t.Errorf("%d notes in what was put aside, want 5", n)
	}
}

func TestDamagedDatabaseIsPutAsideToo(t *testing.T) {
	t.Parallel()
	c := storetest.Config(t, store.SQLite)
	change(t, c, 0, 3)
	path := keep(t, c)
	store.WriteJunkForTest(t, c.Dir)
	done := restore(t, c, path)
	if n := notesIn(t, c); n != 3 {
		t.Errorf("%d notes, want 3", n)
	}
	if b, err := os.ReadFile(done.Aside); err != nil || !bytes.HasPrefix(b, []byte("this is a letter")) {
		t.Errorf("aside: %.20q, %v", b, err)
	}
}

func TestRestoreKilledAtEachStepLeavesTheOldStateOrTheNew(t *testing.T) {
	// From which step on it is the new one.
	turn := map[string]string{"sqlite": "noted", "postgres": "committed"}
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		d := store.SQLite
		if c.PostgresURL != "" {
			d = store.Postgres
		}
		change(t, c, 0, 3)
		path := keep(t, c)
		change(t, c, 3, 2)
		want := 5
		for _, step := range store.RestoreStepsForTest(d) {
			if step == turn[string(d)] {
				want = 3
			}
			if said := runChild(t, c, "restore", path, step); said != "" {
				t.Fatalf("%s: the child was not killed: %s", step, said)
			}
			if n := notesIn(t, c); n != want {
				t.Errorf("killed at %q: %d notes, want %d", step, n, want)
			}
			restore(t, c, path) // works again at once
			if n := notesIn(t, c); n != 3 {
				t.Errorf("restored after the kill at %q: %d notes, want 3", step, n)
			}
			change(t, c, 3, 2)
		}
		if d == store.SQLite {
			left := map[string]bool{}
			entries, err := os.ReadDir(c.Dir)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if !strings.Contains(e.Name(), ".before-restore-") {
					left[e.Name()] = true
				}
			}
			for _, name := range []string{"rookery.db", "rookery.lock", "rookery.db.restore.lock", "rookery.pid"} {
				delete(left, name)
			}
			if len(left) != 0 {
				t.Errorf("left over: %q", slices.Collect(maps.Keys(left)))
			}
		}
	})
}

// A restore that was cut off after its die was cast counts, also when the next
// thing that happens is another restore.
func TestRestoreAfterOneThatWasCutOff(t *testing.T) {
	t.Parallel()
	c := storetest.Config(t, store.SQLite)
	change(t, c, 0, 3)
	three := keep(t, c)
	change(t, c, 3, 2)
	five := keep(t, c)
	change(t, c, 5, 2)
	for _, step := range []string{"noted", "aside", "placed"} {
		if said := runChild(t, c, "restore", three, step); said != "" {
			t.Fatalf("the child was not killed: %s", said)
		}
		aside := restore(t, c, five).Aside
		if n := notesIn(t, c); n != 5 {
			t.Errorf("%s: %d notes, want 5", step, n)
		}
		other := storetest.Config(t, store.SQLite)
		restore(t, other, aside)
		if n := notesIn(t, other); n != 3 {
			t.Errorf("%s: %d notes were put aside, want the 3 of the restore that was cut off", step, n)
		}
	}
}
