package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	_ "time/tzdata" // for systems that have none

	"go.uber.org/goleak"

	"rookery/internal/clock"
	"rookery/internal/jobs"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// childEnv makes the test binary a process that backs up again and again until
// it is killed: "data directory|backups".
const childEnv = "ROOKERY_BACKUP_TEST_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(childEnv) != "" {
		os.Exit(child())
	}
	goleak.VerifyTestMain(m)
}

func child() int {
	data, dir, _ := strings.Cut(os.Getenv(childEnv), "|")
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Dir: data})
	k := &Keeper{Store: s, Dir: dir}
	for err == nil {
		if _, err = k.Now(ctx); err == nil {
			fmt.Println("made")
		}
	}
	fmt.Println(err)
	return 1
}

// patience bounds every wait for an event; nothing is measured by it.
const patience = 60 * time.Second

var notes = store.Migrations{Feature: "notes", FS: fstest.MapFS{
	"0001_init.sql": {Data: []byte("create table note (id bigint primary key, body text not null)")},
}}

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type world struct {
	t     *testing.T
	store *store.Store
	clock *clock.Manual
	log   *bytes.Buffer
	*Keeper
	made   []string
	failed []error
}

func newWorld(t *testing.T, s *store.Store) *world {
	w := &world{t: t, store: s, clock: clock.NewManual(noon), log: &bytes.Buffer{}}
	w.Keeper = &Keeper{Store: s, Dir: filepath.Join(t.TempDir(), "backups"), Clock: w.clock, Log: slog.New(slog.NewTextHandler(w.log, nil)),
		Failed: func(_ context.Context, err error) { w.failed = append(w.failed, err) },
		Made:   func(_ context.Context, info store.BackupInfo) { w.made = append(w.made, filepath.Base(info.Path)) }}
	return w
}

func each(t *testing.T, fn func(w *world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) { fn(newWorld(t, s)) }, jobs.Migrations(), notes)
}

func (w *world) now() store.BackupInfo {
	w.t.Helper()
	info, err := w.Now(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	return info
}

// lay puts a file into the folder.
func (w *world) lay(names ...string) {
	w.t.Helper()
	if err := os.MkdirAll(w.Dir, 0o700); err != nil {
		w.t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(w.Dir, name), []byte(name), 0o600); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *world) holds(want ...string) {
	w.t.Helper()
	entries, err := os.ReadDir(w.Dir)
	if err != nil {
		w.t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if e.Name() != ".rookery-backup.lock" {
			got = append(got, e.Name())
		}
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		w.t.Errorf("the folder holds\n%q, want\n%q", got, want)
	}
}

// on is the name of a day's backup.
func (w *world) on(day string) string {
	w.t.Helper()
	at, err := time.Parse("2006-01-02 15:04", day)
	if err != nil {
		w.t.Fatal(err)
	}
	return nameOf(at, w.store.Dialect())
}

func TestBackupIsNamedByTheTimeAndOldOnesGo(t *testing.T) {
	each(t, func(w *world) {
		w.Keep = 3
		old := []string{w.on("2026-11-15 04:00"), w.on("2026-11-16 04:00"), w.on("2026-11-17 04:00"), w.on("2026-11-19 04:00")}
		others := []string{"rookery-2020-01-01T000000Z.txt", "rookery-2020-01-01T000000Z (1)" + suffixOf(w.store.Dialect()), "notes.txt",
			"rookery-2020-01-01T000000Z.db.keep", "rookery-yesterday.dump"}
		w.lay(append(old, others...)...)
		if err := os.Mkdir(filepath.Join(w.Dir, w.on("2020-01-02 00:00")), 0o700); err != nil {
			w.t.Fatal(err)
		}
		others = append(others, w.on("2020-01-02 00:00"))
		info := w.now()
		today := w.on("2026-11-21 12:00")
		if filepath.Base(info.Path) != today || !slices.Equal(w.made, []string{today}) {
			w.t.Errorf("made %s, told %q, want %s", info.Path, w.made, today)
		}
		w.holds(append(others, old[2], old[3], today)...)
		if _, err := store.CheckBackup(w.t.Context(), info.Path, jobs.Migrations(), notes); err != nil {
			w.t.Error(err)
		}
		again := w.now() // within the same second
		if filepath.Base(again.Path) == today {
			w.t.Error("two of one name")
		}
		list, err := w.List()
		if err != nil || len(list) != 4 || list[0].Path != again.Path || list[0].Size != again.Size || !list[1].At.Equal(noon) {
			w.t.Errorf("List = %+v, %v", list, err)
		}
	})
}

func TestWhatMayGo(t *testing.T) {
	for name, c := range map[string]struct {
		keep  int
		files []string // newest first
		want  []string
	}{
		"as many as are kept": {3, []string{"11-21 04:00", "11-20 04:00", "11-19 04:00"}, nil},
		"one more":            {3, []string{"11-21 04:00", "11-20 04:00", "11-19 04:00", "11-18 04:00"}, []string{"11-18 04:00"}},
		"days with gaps count by the days that have one": {3, []string{"11-21 04:00", "11-10 04:00", "10-01 04:00", "09-01 04:00"}, []string{"09-01 04:00"}},
		"by hand, again and again": {2, []string{"11-21 11:02", "11-21 11:01", "11-21 11:00", "11-20 13:00", "11-20 04:00", "11-19 04:00"},
			[]string{"11-20 04:00", "11-19 04:00"}},
		"the last of each day": {3, []string{"11-21 04:00", "11-19 15:00", "11-19 14:00", "11-18 04:00"}, []string{"11-19 14:00"}},
		"by a clock that ran ahead, which count for nothing": {2, []string{"12-30 04:00", "12-29 04:00", "12-28 04:00", "11-21 04:00", "11-20 04:00", "11-19 04:00"},
			[]string{"11-19 04:00"}},
		"by a clock that is behind now": {1, []string{"12-30 04:00", "12-29 04:00", "11-25 04:00"}, nil},
		"younger than a day stay":       {1, []string{"11-21 04:00", "11-20 23:00", "11-20 12:00"}, nil},
	} {
		var all []File
		var want []string
		for _, f := range c.files {
			at, err := time.Parse("2006-01-02 15:04", "2026-"+f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, File{Path: f, At: at})
		}
		for _, f := range surplus(all, noon, c.keep) {
			want = append(want, f.Path)
		}
		if !slices.Equal(want, c.want) {
			t.Errorf("%s: %q may go, want %q", name, want, c.want)
		}
	}
}

func TestFailedBackupRemovesNothing(t *testing.T) {
	each(t, func(w *world) {
		w.Keep = 1
		if err := w.Daily(jobs.New(jobs.Config{Store: w.store}), "04:00", nil); err != nil {
			w.t.Fatal(err)
		}
		old := []string{w.on("2026-11-15 04:00"), w.on("2026-11-16 04:00")}
		w.lay(old...)
		w.free = func(string) (int64, error) { return 1 << 20, nil }
		_, err := w.Now(w.t.Context())
		if !errors.Is(err, store.ErrFull) || !strings.Contains(err.Error(), "1 MB are free") || !strings.Contains(err.Error(), "are missing") {
			w.t.Errorf("no room: %v", err)
		}
		w.holds(old...)
		if len(w.failed) != 0 {
			w.t.Errorf("what was asked for is told twice: %v", w.failed)
		}
		if err := w.IfDue(w.t.Context()); !errors.Is(err, store.ErrFull) || len(w.failed) != 1 || !errors.Is(w.failed[0], store.ErrFull) {
			w.t.Errorf("the daily one: %v, told %v", err, w.failed)
		}
		w.holds(old...)
		w.free = nil
		if err := w.IfDue(w.t.Context()); err != nil {
			w.t.Error(err)
		}
		w.holds(w.on("2026-11-21 12:00"))

		ctx, cancel := context.WithCancel(w.t.Context())
		cancel()
		w.clock.Advance(3 * day)
		if err := w.IfDue(ctx); err == nil || len(w.failed) != 1 {
			w.t.Errorf("when the process ends: %v, told %v", err, w.failed)
		}
	})
}

func TestFolderThatCannotBeMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, storetest.Open(t, storetest.Config(t, store.SQLite), notes))
	w.lay("file")
	w.Dir = filepath.Join(w.Dir, "file", "backups")
	if _, err := w.Now(t.Context()); err == nil || !strings.Contains(err.Error(), "folder of the backups") {
		t.Errorf("err = %v", err)
	}
}

func TestDailyOneIsDueOnce(t *testing.T) {
	t.Parallel()
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, storetest.Open(t, storetest.Config(t, store.SQLite), notes))
	if err := w.IfDue(t.Context()); err != nil || len(w.made) != 0 {
		t.Errorf("before Daily: %v, made %q", err, w.made)
	}
	for _, wrong := range []string{"", "4", "24:00", "04:60", "four"} {
		if err := w.Daily(jobs.New(jobs.Config{Store: w.store}), wrong, nil); err == nil {
			t.Errorf("%q was taken for a time", wrong)
		}
	}
	if err := w.Daily(jobs.New(jobs.Config{Store: w.store}), "04:00", berlin); err != nil { // 03:00 UTC
		t.Fatal(err)
	}
	for _, c := range []struct {
		at   string
		want int // made so far
	}{
		{"2026-11-21 12:00", 1}, // the first one at once
		{"2026-11-21 12:10", 1},
		{"2026-11-22 02:59", 1},
		{"2026-11-22 03:00", 2},
		{"2026-11-22 03:05", 2},
		{"2026-11-30 00:00", 3}, // after a week without a process
		{"2026-11-30 00:05", 3},
		{"2026-11-30 03:05", 4},
		{"2026-11-29 01:00", 5}, // the clock was set back: what it had dated ahead says nothing
		{"2026-11-29 01:05", 5},
		{"2026-11-30 03:10", 5}, // and counts again once its time has come
	} {
		at, err := time.Parse("2006-01-02 15:04", c.at)
		if err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(at.Sub(w.clock.Now()))
		if err := w.IfDue(t.Context()); err != nil || len(w.made) != c.want {
			t.Errorf("at %s: %v, made %q, want %d", c.at, err, w.made, c.want)
		}
	}
}

func TestQueueMakesOneADayAndOneForAllThatWereMissed(t *testing.T) {
	t.Parallel()
	s := storetest.Open(t, storetest.Config(t, store.SQLite), jobs.Migrations(), notes)
	w := newWorld(t, s)
	made := make(chan string, 10)
	w.Made = func(_ context.Context, info store.BackupInfo) { made <- filepath.Base(info.Path) }
	start := func() *jobs.Queue {
		q := jobs.New(jobs.Config{Store: s, Clock: w.clock})
		k := &Keeper{Store: s, Dir: w.Dir, Clock: w.clock, Made: w.Made}
		if err := k.Daily(q, "04:00", nil); err != nil {
			t.Fatal(err)
		}
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		return q
	}
	next := func() string {
		t.Helper()
		late := time.After(patience)
		for {
			select {
			case name := <-made:
				return name
			case <-time.After(5 * time.Millisecond):
				w.clock.Advance(time.Minute)
			case <-late:
				t.Fatal("no backup was made")
			}
		}
	}
	q := start()
	if name := next(); !strings.HasPrefix(name, "rookery-2026-11-22T04") {
		t.Errorf("the first is %s, want one of the next morning", name)
	}
	if err := q.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.clock.Advance(5 * day)
	q = start()
	if name := next(); !strings.HasPrefix(name, "rookery-2026-11-27T") {
		t.Errorf("after five days: %s", name)
	}
	if name := next(); !strings.HasPrefix(name, "rookery-2026-11-28T04") {
		t.Errorf("then: %s, want the next morning's", name)
	}
	if err := q.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if left, err := w.List(); err != nil || len(left) != 3 {
		t.Errorf("%d backups, %v", len(left), err)
	}
}

// A process is killed while it writes a backup; the next one tidies up.
func TestKilledWhileWriting(t *testing.T) {
	t.Parallel()
	c := storetest.Config(t, store.SQLite)
	s := storetest.Open(t, c, notes)
	if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		for i := range 300 {
			if _, err := tx.Exec(ctx, `insert into note (id, body) values ($1, $2)`, int64(i), strings.Repeat("x", 100_000)); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, s)
	w.Clock = nil
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+c.Dir+"|"+w.Dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	if n, _ := out.Read(b); !strings.HasPrefix(string(b[:n]), "made") {
		t.Errorf("the child says %s", b[:n])
	}
	drained := make(chan struct{})
	go func() { defer close(drained); _, _ = io.Copy(io.Discard, out) }()
	late := time.After(patience)
	for half := []string(nil); len(half) == 0; half, _ = filepath.Glob(filepath.Join(w.Dir, "*.partial")) {
		select {
		case <-time.After(time.Millisecond):
		case <-late:
			t.Fatal("the child writes nothing")
		}
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-drained
	_ = cmd.Wait()
	w.lay("rookery-2026-01-01T000000Z.db.123.partial-journal")
	w.now()
	if left, _ := filepath.Glob(filepath.Join(w.Dir, "*.partial*")); len(left) != 0 {
		t.Errorf("left over: %q", left)
	}
	list, err := w.List()
	if err != nil || len(list) < 2 {
		t.Fatalf("%d backups, %v", len(list), err)
	}
	for _, f := range list {
		if _, err := store.CheckBackup(t.Context(), f.Path, notes); err != nil {
			t.Error(err)
		}
	}
}

type hello struct{ N int }

func (hello) Kind() string { return "test.hello" }

// What waited when the backup was made is worked once it has been put back.
func TestRestoredQueueGoesOn(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		s := storetest.Open(t, c, jobs.Migrations(), notes)
		q := jobs.New(jobs.Config{Store: s})
		if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return q.Insert(ctx, tx, hello{7}, jobs.Opts{Key: "a"})
		}); err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, s)
		path := w.now().Path
		c = storetest.Config(t, s.Dialect())
		if _, err := store.Restore(t.Context(), c, path, jobs.Migrations(), notes); err != nil {
			t.Fatal(err)
		}
		s = storetest.Open(t, c, jobs.Migrations(), notes)
		q = jobs.New(jobs.Config{Store: s})
		done := make(chan int, 1)
		jobs.Register(q, jobs.Kind{}, func(_ context.Context, j jobs.Job[hello]) error { done <- j.Args.N; return nil })
		if err := q.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := q.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}()
		select {
		case n := <-done:
			if n != 7 {
				t.Errorf("job %d", n)
			}
		case <-time.After(patience):
			t.Error("the job was not worked")
		}
	})
}

func TestFreeSpaceIsKnown(t *testing.T) {
	if !slices.Contains([]string{"linux", "darwin", "windows"}, runtime.GOOS) {
		t.Skip("not on this system")
	}
	if n, err := store.FreeBytes(t.TempDir()); err != nil || n <= 0 {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := store.FreeBytes(filepath.Join(t.TempDir(), "nowhere")); err == nil {
		t.Error("no error for a folder that is not there")
	}
}

func FuzzTimeOf(f *testing.F) {
	for _, name := range []string{"rookery-2026-11-21T040000Z.db", "rookery-2026-02-30T040000Z.dump", "rookery-.db", "rookery-02026-11-21T040000Z.db", "rookery-2026-11-21T040000.5Z.db"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
			if at, ok := timeOf(name, d); ok && nameOf(at, d) != name {
				t.Errorf("%q was read as %s", name, at)
			}
		}
	})
}
