package doctor

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"rookery/internal/budget"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/jobs"
	"rookery/internal/operator"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// files are all files below dir and what they hold.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		all[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func same(t *testing.T, before, after map[string][]byte) {
	t.Helper()
	for path, b := range after {
		if was, ok := before[path]; !ok {
			t.Errorf("%s was made", path)
		} else if !bytes.Equal(was, b) && !strings.HasSuffix(path, "-shm") { // the index of the log, in which readers note themselves
			t.Errorf("%s was changed", path)
		}
	}
	for path := range before {
		if _, ok := after[path]; !ok {
			t.Errorf("%s was removed", path)
		}
	}
}

func TestNothingIsWritten(t *testing.T) {
	t.Parallel()
	t.Run("while nobody runs", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		w.run()
		before := files(t, w.dir)
		f := w.run()
		f.has("data", OK, "no rookery is at work")
		same(t, before, files(t, w.dir))
	})
	t.Run("beside a bot at work", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		s := w.open()
		lock, err := store.LockDir(w.data.Dir, "run")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = lock.Release() }()
		w.run()
		before := files(t, w.dir)
		// In the middle of a transaction of the bot's.
		err = s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Exec(ctx, `insert into outbox_pause (id, since) values (1, 1)`); err != nil {
				return err
			}
			f := w.run()
			f.has("data", OK, fmt.Sprintf("run, process %d", os.Getpid()))
			f.has("database", OK, "opens")
			if f.of("pause") != nil {
				t.Error("what is not committed was seen")
			}
			same(t, before, files(t, w.dir))
			_, err := tx.Exec(ctx, `delete from outbox_pause`)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := store.LockDir(w.data.Dir, "other"); err == nil {
			t.Error("the lock was lost")
		}
	})
	t.Run("the note of a killed bot", func(t *testing.T) {
		t.Parallel()
		w := newWorld(t, fedisim.Options{}, llmsim.Options{})
		w.database(nil)
		if err := os.WriteFile(filepath.Join(w.data.Dir, "rookery.pid"), []byte("run, process 2147483646, since 2026-11-21T04:00:00Z\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		w.run().has("data", OK, "no rookery is at work")
	})
}

func TestADatabaseThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	path := func(w *world) string { return filepath.Join(w.data.Dir, store.FileName) }
	for _, c := range []struct {
		name string
		make func(*testing.T, *world)
		want string
	}{
		{"of a newer program", func(t *testing.T, w *world) {
			w.database(func(ctx context.Context, tx store.Tx) error {
				_, err := tx.Exec(ctx, `update migration set version = 99 where feature = 'inbox'`)
				return err
			})
		}, "newer rookery: the tables of inbox"},
		{"not a database", func(t *testing.T, w *world) {
			w.database(nil)
			if err := os.WriteFile(path(w), bytes.Repeat([]byte("nothing of SQLite's "), 500), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		{"torn", func(t *testing.T, w *world) {
			w.database(nil)
			b, err := os.ReadFile(path(w))
			if err != nil {
				t.Fatal(err)
			}
			copy(b[len(b)/2:], bytes.Repeat([]byte{0xff}, len(b)/2)) // the pages of some tables
			if err := os.WriteFile(path(w), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "damaged"},
		{"of another program", func(t *testing.T, w *world) {
			if err := os.Mkdir(w.data.Dir, 0o700); err != nil {
				t.Fatal(err)
			}
			db, err := sql.Open("sqlite", path(w))
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			if _, err := db.ExecContext(t.Context(), `create table song (title text)`); err != nil {
				t.Fatal(err)
			}
		}, "not one of rookery"},
		{"a folder", func(t *testing.T, w *world) {
			if err := os.MkdirAll(path(w), 0o700); err != nil {
				t.Fatal(err)
			}
		}, "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{}, llmsim.Options{})
			c.make(t, w)
			f := w.run()
			f.has("database", Error, c.want)
			f.has("zone", OK, "UTC") // the round goes on
			for _, l := range f.lines {
				if l.Level == Error && l.Check != "database" {
					t.Errorf("said twice: %+v", l)
				}
			}
		})
	}
}

func TestADatabaseOfAnOlderProgram(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.database(nil)
	w.Migrations = append(migrations(), store.Migrations{Feature: "gallery", FS: fstest.MapFS{"0001_first.sql": {Data: []byte("select 1")}}})
	f := w.run()
	f.only("database", OK, "next start brings them up to date")
	f.lacks("mentions")
}

// The questions to other parts' tables are asked of tables as those parts make
// and fill them.
func TestWhatWaits(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		w := newWorld(t, fedisim.Options{Clock: noon}, llmsim.Options{})
		w.Clock = clock.NewManual(noon())
		c.Dir = w.data.Dir
		w.data = c
		if c.PostgresURL != "" {
			w.env["PG"] = c.PostgresURL
			w.replace("[llm]", "[store]\npostgres_url_env = \"PG\"\n[llm]")
		}
		if err := os.MkdirAll(c.Dir, 0o700); err != nil {
			t.Fatal(err)
		}
		f := w.run()
		f.has("database", OK, "first start")
		s := w.open()
		w.backup(noon())
		f = w.run()
		f.has("mentions", OK, "No mention waits")
		f.has("effects", OK, "Nothing is half sent")
		f.has("jobs", OK, "No job")
		f.has("budget", OK, "0 answers, 0 of 200,000 tokens")
		if c.PostgresURL != "" {
			f.has("database", OK, "PostgreSQL 1")
		}

		w.fill(s)
		f = w.run()
		f.has("mentions", Warning, "2 mentions wait for an answer, the oldest since 1 January, 00:00 (UTC)")
		f.has("mentions", Warning, "1 notification could not be read")
		f.has("effects", Warning, "1 message is on its way")
		f.has("pause", Warning, "rookery resume")
		f.has("budget", OK, "1 answer, 120 of 200,000 tokens")
		f.has("backups", Warning, "no room left on device")
		f.has("jobs", Warning, "1 job was given up")
	})
}

// noon is a time at which no day ends.
func noon() time.Time { return time.Date(2026, time.November, 21, 12, 0, 0, 0, time.UTC) }

type failing struct{}

func (failing) Kind() string { return "test.failing" }

// fill uses the database as the bot does, so that something of everything waits.
func (w *world) fill(s *store.Store) {
	t := w.t
	ctx := t.Context()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	past := clock.NewManual(time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC))
	now := w.Clock
	const account = community.AccountID("mastodon.example/1")

	in := inbox.New(s, past, silent())
	mention := func(id string) community.Mention {
		return community.Mention{Account: account, Notification: community.NotificationID(id), Notified: past.Now(),
			Post: community.Post{ID: community.PostID(id), URI: "https://x.example/" + id, Text: "hello", At: past.Now()}}
	}
	ours := inbox.Account{ID: account, Features: []inbox.Feature{wanting{}}, Backlog: true, MaxAge: time.Hour}
	_, err := in.Begin(ctx, ours, past.Now())
	check(err)
	_, err = in.Take(ctx, ours, inbox.Page{
		Now: past.Now(), Cursor: "3", Items: []inbox.Item{{Mention: mention("1")}, {Mention: mention("2")}, {Mention: mention("3"), Err: os.ErrInvalid, Raw: "{"}}})
	check(err)

	out := outbox.New(outbox.Config{Store: s, Clock: past, Log: silent()})
	out.Register(sending{})
	check(s.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := out.Plan(ctx, tx, outbox.Effect{Key: "a", Feature: "test", Kind: "test", Account: account, Payload: "x"})
		return err
	}))
	check(out.Pause(ctx))

	b := budget.New(budget.Config{Store: s, Clock: now, Log: silent(), Limits: budget.Limits{RepliesPerMember: -1, TokensPerDay: -1, TokensPerMember: -1,
		TokensPerAccount: -1, TokensPerGuild: -1, MoneyPerDay: -1, MoneyPerMember: -1, MoneyPerAccount: -1, MoneyPerGuild: -1}})
	who := budget.Spender{Feature: "persona", Account: account, Member: "ada@x.example"}
	check(s.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := b.Reserve(ctx, tx, "k", who, budget.Tokens{Prompt: 200, Completion: 100}); err != nil {
			return err
		}
		if err := b.Charge(ctx, tx, "k", budget.Tokens{Prompt: 100, Completion: 20}); err != nil {
			return err
		}
		return b.Settle(ctx, tx, "k")
	}))

	op := operator.New(operator.Config{Store: s, Outbox: out, Clock: now, Log: silent()})
	op.TellNow(ctx, operator.Notice{Key: "backup", Text: "There is no backup of today: no room left on device."})

	q := jobs.New(jobs.Config{Store: s, Clock: clock.System{}, Log: silent()})
	ended := make(chan struct{}, 1)
	jobs.Register(q, jobs.Kind{MaxAttempts: 1}, func(context.Context, jobs.Job[failing]) error {
		ended <- struct{}{}
		return os.ErrInvalid
	})
	check(s.Write(ctx, func(ctx context.Context, tx store.Tx) error { return q.Insert(ctx, tx, failing{}, jobs.Opts{}) }))
	check(q.Start(ctx))
	<-ended
	check(q.Stop(context.WithoutCancel(ctx)))
}

// sending is a kind of effect that is never sent.
type sending struct{}

func (sending) Name() string                                         { return "test" }
func (sending) Now(community.AccountID) time.Time                    { return time.Time{} }
func (sending) Send(context.Context, outbox.Attempt) (string, error) { return "", os.ErrInvalid }

// wanting takes every mention.
type wanting struct{}

func (wanting) Name() string                                                        { return "test" }
func (wanting) Wants(community.Mention) (bool, string)                              { return true, "" }
func (wanting) Accept(context.Context, store.Tx, inbox.ID, community.Mention) error { return nil }
func (wanting) Wake(context.Context, store.Tx, community.AccountID) error           { return nil }

func TestBackups(t *testing.T) {
	t.Parallel()
	at := noon()
	for _, c := range []struct {
		name   string
		config string
		ages   []time.Duration
		level  Level
		want   string
	}{
		{"of today", "", []time.Duration{8 * time.Hour, 30 * time.Hour}, OK, "8 hours"},
		{"old", "", []time.Duration{72 * time.Hour}, Warning, "3 days"},
		{"none", "", nil, Warning, "rookery backup"},
		{"off", "[backup]\ndaily = false\n", nil, Warning, "switched off"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{Clock: noon}, llmsim.Options{})
			w.Clock = clock.NewManual(at)
			w.open()
			for _, age := range c.ages {
				w.backup(at.Add(-age))
			}
			for _, other := range []string{"notes.txt", "rookery-2099-01-01T000000Z.db.123.partial", "rookery-tomorrow.db"} {
				if err := os.MkdirAll(filepath.Join(w.data.Dir, "backups"), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(w.data.Dir, "backups", other), nil, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			w.text = strings.Replace(w.text, "[operator]", c.config+"[operator]", 1)
			w.run().only("backups", c.level, c.want)
		})
	}
}

func TestPostgreSQLThatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.env["PG"] = "postgres://rookery:letmein@127.0.0.1:1/rookery"
	w.replace("[llm]", "[store]\npostgres_url_env = \"PG\"\n[llm]")
	f := w.run()
	f.only("database", Error, "PostgreSQL server runs")
}

func TestTheReaderCannotWrite(t *testing.T) {
	t.Parallel()
	storetest.EachConfig(t, func(t *testing.T, c store.Config) {
		storetest.Open(t, c, migrations()...)
		open := func() (*database, error) { return openSQLite(t.Context(), filepath.Join(c.Dir, store.FileName)) }
		if c.PostgresURL != "" {
			open = func() (*database, error) { return openPostgres(t.Context(), c.PostgresURL) }
		}
		db, err := open()
		if err != nil {
			t.Fatal(err)
		}
		defer db.close()
		var id int64
		err = db.row(t.Context(), []any{&id}, `insert into outbox_pause (id, since) values (1, 1) returning id`)
		if err == nil || !slices.ContainsFunc([]string{"readonly", "read-only"}, func(s string) bool { return strings.Contains(err.Error(), s) }) {
			t.Errorf("written: %v", err)
		}
	})
}
