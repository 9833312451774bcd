package store_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// everything has all kinds of objects that our tables and River's consist of.
var everything = store.Migrations{Feature: "everything", FS: fstest.MapFS{
	"0001_init.sql": {Data: []byte(`
create table note (id bigint primary key, body text not null);
create index note_body on note (body);
create table "Odd ""name""" (a text not null);
create table child (id integer primary key autoincrement, note bigint references note (id)); -- only: sqlite
create table child (id bigserial primary key, note bigint references note (id)); -- only: postgres
create type mood as enum ('sad', 'merry'); -- only: postgres
create table felt (m mood not null, n bigint generated always as identity); -- only: postgres
create unlogged table leader (name text primary key); -- only: postgres
create sequence loose; -- only: postgres
create view merry as select m from felt where m = 'merry'; -- only: postgres
create function plus(a bigint, b bigint default 1) returns bigint language sql immutable as 'select a + b'; -- only: postgres
create index note_plus on note (plus(id)); -- only: postgres
create function nothing() returns trigger language plpgsql as 'begin return new; end'; -- only: postgres
create trigger note_nothing before insert on note for each row execute function nothing(); -- only: postgres
`)},
}}

// fill writes n notes, with all that a text can hold.
func fill(t *testing.T, s *store.Store, from, n int) {
	t.Helper()
	err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		for i := range n {
			if err := insert(ctx, tx, from+i, "tab\t, line\n\\.\nCOPY x.y (z) FROM stdin;\n'\"Ж\u2028 "+strings.Repeat("long ", 20_000*(i%2))); err != nil {
				return err
			}
		}
		_, err := tx.Exec(ctx, `insert into child (note) values ($1)`, int64(from))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func backup(t *testing.T, s *store.Store, path string, opts ...store.BackupOption) store.BackupInfo {
	t.Helper()
	info, err := s.Backup(t.Context(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

func only(t *testing.T, dir string, want ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if !slices.Equal(got, want) {
		t.Errorf("the folder holds %q, want %q", got, want)
	}
}

func TestBackupHoldsWhatWasCommitted(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		fill(t, s, 0, 7)
		dir := filepath.Join(t.TempDir(), "new", "folder")
		path := filepath.Join(dir, "copy")
		info := backup(t, s, path)
		if info.Path != path || info.Dialect != s.Dialect() || info.Versions["everything"] != 1 ||
			!slices.Contains(info.Tables, store.TableRows{Table: "note", Rows: 7}) ||
			!slices.Contains(info.Tables, store.TableRows{Table: `Odd "name"`, Rows: 0}) {
			t.Errorf("backup of 7 notes: %+v", info)
		}
		file, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if file.Size() != info.Size || runtime.GOOS != "windows" && file.Mode() != 0o600 {
			t.Errorf("the file has %d bytes and mode %v, want %d and 0600", file.Size(), file.Mode(), info.Size)
		}
		size, err := s.Size(t.Context())
		if err != nil || size <= 0 {
			t.Errorf("Size() = %d, %v", size, err)
		}

		fill(t, s, 7, 1)
		if _, err := s.Backup(t.Context(), path); !errors.Is(err, fs.ErrExist) {
			t.Errorf("a second backup of the same name: %v, want ErrExist", err)
		}
		checked, err := store.CheckBackup(t.Context(), path, everything)
		if err != nil || !slices.Equal(checked.Tables, info.Tables) || checked.Versions["everything"] != 1 || checked.Size != info.Size {
			t.Errorf("CheckBackup = %+v, %v, want %+v", checked, err, info)
		}
		if again := backup(t, s, path, store.Overwrite()); !slices.Contains(again.Tables, store.TableRows{Table: "note", Rows: 8}) {
			t.Errorf("written over: %+v, want 8 notes", again.Tables)
		}
		only(t, dir, "copy")
	}, everything)
}

func TestBackupIsRefusedWhereItWouldDoHarm(t *testing.T) {
	t.Parallel()
	c := storetest.Config(t, store.SQLite)
	s := storetest.Open(t, c, everything)
	for _, name := range []string{store.FileName, store.FileName + "-wal"} {
		if _, err := s.Backup(t.Context(), filepath.Join(c.Dir, name), store.Overwrite()); err == nil {
			t.Errorf("%s was written over", name)
		}
	}
	if _, err := s.Backup(t.Context(), c.Dir, store.Overwrite()); err == nil {
		t.Error("the folder was written over")
	}
	err := s.Write(t.Context(), func(ctx context.Context, _ store.Tx) error {
		_, err := s.Backup(ctx, filepath.Join(t.TempDir(), "x"))
		return err
	})
	if !errors.Is(err, store.ErrNested) {
		t.Errorf("inside a transaction: %v", err)
	}
}

func TestCancelledBackupLeavesNothing(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		dir := t.TempDir()
		if _, err := s.Backup(ctx, filepath.Join(dir, "copy")); !errors.Is(err, context.Canceled) {
			t.Errorf("err = %v", err)
		}
		only(t, dir)
	}, everything)
}

// Each transaction writes a pair of notes; the restored backup holds no half.
func TestBackupOfABusyDatabaseIsOneInstant(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s, err := store.Open(t.Context(), c)
		if err == nil {
			err = s.Migrate(t.Context(), everything)
		}
		if err != nil {
			t.Fatal(err)
		}
		fill(t, s, 0, 2)
		stop, busy := make(chan struct{}), make(chan struct{}, 1000)
		var wg sync.WaitGroup
		for w := range 3 {
			wg.Go(func() {
				for i := 10; ; i += 2 {
					select {
					case <-stop:
						return
					default:
					}
					err := s.Write(context.Background(), func(ctx context.Context, tx store.Tx) error {
						if err := insert(ctx, tx, w*1_000_000+i, strings.Repeat("x", 3000)); err != nil {
							return err
						}
						return insert(ctx, tx, w*1_000_000+i+1, "pair")
					})
					if err != nil {
						t.Error(err)
						return
					}
					select {
					case busy <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 20 {
			<-busy
		}
		path := filepath.Join(t.TempDir(), "copy")
		_, err = s.Backup(t.Context(), path)
		close(stop)
		wg.Wait()
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		restore(t, c, path)
		s = storetest.Open(t, c, everything)
		var halves, all int
		if err := s.QueryRow(t.Context(), `select count(*), (select count(*) from note) from note n
			where not exists (select 1 from note p where p.id = n.id + 1 - 2 * (n.id % 2))`).Scan(&halves, &all); err != nil {
			t.Fatal(err)
		}
		if halves != 0 || all < 42 {
			t.Errorf("%d of %d notes lack their other half", halves, all)
		}
	})
}

func TestFullDiskFailsTheBackupAlone(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no limit for the size of files")
	}
	c := storetest.Config(t, store.SQLite)
	s := storetest.Open(t, c, everything)
	fill(t, s, 0, 60)
	dir := t.TempDir()
	said := runChild(t, c, "backup", filepath.Join(dir, "copy"), "", "sh", "-c", `ulimit -f 100; exec "$0"`)
	if !strings.Contains(said, "failed: ") {
		t.Errorf("a backup of 3 MB where a file may have 100 blocks: %s", said)
	}
	only(t, dir)
	fill(t, s, 60, 1)
	backup(t, s, filepath.Join(dir, "copy"))
	only(t, dir, "copy")
}
