package importer

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rookery/internal/words"
)

const createSubmissions = "CREATE TABLE IF NOT EXISTS fedi_submissions(thread_id, author_id, ack_message_id, submission_id)" // as the bot does

// botDB is a database of the bot's, open for writing.
type botDB struct {
	t    *testing.T
	path string
	db   *sql.Conn
}

func newBotDB(t *testing.T, statements ...string) *botDB {
	t.Helper()
	d := &botDB{t: t, path: filepath.Join(t.TempDir(), "db.sqlite")}
	pool, err := sql.Open("sqlite", d.path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pool.Close() })
	if d.db, err = pool.Conn(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.db.Close() })
	d.do(createSubmissions)
	d.do(statements...)
	return d
}

func (d *botDB) do(statements ...string) {
	d.t.Helper()
	for _, s := range statements {
		if _, err := d.db.ExecContext(d.t.Context(), s); err != nil {
			d.t.Fatalf("%s: %v", s, err)
		}
	}
}

func (d *botDB) read() *FediverseBot {
	d.t.Helper()
	b, err := ReadFediverseBot(d.path)
	if err != nil {
		d.t.Fatal(err)
	}
	if !b.HasPosts() || b.HasSettings() {
		d.t.Errorf("%+v", b)
	}
	return b
}

// files are the names and contents in the bot's folder.
func (d *botDB) files() map[string]string {
	d.t.Helper()
	entries, err := os.ReadDir(filepath.Dir(d.path))
	if err != nil {
		d.t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(d.path), e.Name()))
		if err != nil {
			d.t.Fatal(err)
		}
		all[e.Name()] = string(data)
	}
	return all
}

const anAuthor = "223456789012345678"

// row is a finished submission.
func row(n int) string {
	return fmt.Sprintf("INSERT INTO fedi_submissions VALUES('10000000000000000%d', '%s', '30000000000000000%d', 'AbCdEf%d')", n, anAuthor, n, n)
}

func post(n int) OldPost {
	return OldPost{fmt.Sprint("10000000000000000", n), anAuthor, fmt.Sprint("30000000000000000", n), fmt.Sprint("AbCdEf", n)}
}

// adopter keeps what it is given, as the gallery does.
type adopter map[string]OldPost

func (a adopter) adopt(_ context.Context, p OldPost) (bool, error) {
	_, known := a[p.Post]
	a[p.Post] = p
	return !known, nil
}

func TestFediverseBotsPostsAreTakenOver(t *testing.T) {
	t.Parallel()
	d := newBotDB(t, row(1), "INSERT INTO fedi_submissions (thread_id) VALUES('100000000000000002')", row(3))
	before := d.files()
	b := d.read()
	if !maps.Equal(d.files(), before) {
		t.Error("the bot's folder is not as it was")
	}
	for _, l := range words.Languages() {
		known := adopter{}
		var out bytes.Buffer
		into := TakeoverPosts{Account: "gallery", Adopt: known.adopt, Out: &out, Language: l}
		taken, err := b.TakeOver(t.Context(), into)
		if err != nil || taken != (TakenPosts{New: 2, Unfinished: 1}) {
			t.Fatalf("%+v, %v", taken, err)
		}
		if !maps.Equal(known, adopter{"AbCdEf1": post(1), "AbCdEf3": post(3)}) {
			t.Errorf("taken over: %v", known)
		}
		again, err := b.TakeOver(t.Context(), into)
		if err != nil || again != (TakenPosts{Known: 2, Unfinished: 1}) {
			t.Errorf("again: %+v, %v", again, err)
		}
		for _, k := range []words.Key{words.ImportFediversebotPosts, words.ImportFediversebotAgain, words.ImportFediversebotUnfinished, words.ImportFediversebotRun} {
			n := 2
			if k == words.ImportFediversebotUnfinished {
				n = 1
			}
			if want := l.Say(k, words.Args{"n": n, "account": "gallery"}); !strings.Contains(out.String(), want) {
				t.Errorf("%q is not said:\n%s", want, out.String())
			}
		}
	}
}

func TestATakeOverThatFailsGoesOnLater(t *testing.T) {
	t.Parallel()
	b := newBotDB(t, row(1), row(2), row(3)).read()
	known, full := adopter{}, errors.New("the disk is full")
	into := TakeoverPosts{Account: "gallery", Adopt: func(ctx context.Context, p OldPost) (bool, error) {
		if len(known) == 2 && full != nil {
			return false, full
		}
		return known.adopt(ctx, p)
	}}
	if taken, err := b.TakeOver(t.Context(), into); !errors.Is(err, full) || taken.New != 2 || !strings.Contains(err.Error(), "run this again") {
		t.Errorf("%+v, %v", taken, err)
	}
	full = nil
	if taken, err := b.TakeOver(t.Context(), into); err != nil || taken != (TakenPosts{New: 1, Known: 2}) {
		t.Errorf("%+v, %v", taken, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.TakeOver(ctx, into); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if _, err := new(FediverseBot).TakeOver(t.Context(), into); err == nil {
		t.Error("there was no database")
	}
}

func TestRowsThatAreNotAsTheBotWritesThem(t *testing.T) {
	t.Parallel()
	d := newBotDB(t,
		"INSERT INTO fedi_submissions VALUES(100000000000000001, 223456789012345678, 18446744073709551, 1150000000000000001)", // numbers
		"INSERT INTO fedi_submissions VALUES(x'313030303030303030303030303030303032', ' 223456789012345678 ', NULL, 'Blob')",
		"INSERT INTO fedi_submissions VALUES('None', '223456789012345678', 'None', 'Twice')",
		"INSERT INTO fedi_submissions VALUES('100000000000000003', '223456789012345678', '300000000000000003', 'Twice')",
		"INSERT INTO fedi_submissions VALUES(NULL, NULL, NULL, NULL)",
		"INSERT INTO fedi_submissions VALUES('100000000000000004', '223456789012345678', NULL, NULL)",
		"INSERT INTO fedi_submissions VALUES('100000000000000005', 2.2e17, NULL, 'Real')",
		"INSERT INTO fedi_submissions VALUES('100000000000000006', '223456789012345678', NULL, '../../etc')",
		"INSERT INTO fedi_submissions VALUES('100000000000000007', NULL, NULL, 'Nobodys')",
		"INSERT INTO fedi_submissions VALUES('100000000000000008', '223456789012345678', NULL, 'Disputed')",
		"INSERT INTO fedi_submissions VALUES('100000000000000008', '323456789012345678', NULL, 'Disputed')",
		"INSERT INTO fedi_submissions VALUES('100000000000000008', '223456789012345678', NULL, 'Disputed')",
		row(9), row(9))
	known := adopter{}
	var out bytes.Buffer
	taken, err := d.read().TakeOver(t.Context(), TakeoverPosts{Account: "gallery", Adopt: known.adopt, Out: &out})
	if err != nil || taken != (TakenPosts{New: 4, Unfinished: 2, Odd: 4}) {
		t.Errorf("%+v, %v", taken, err)
	}
	want := adopter{
		"1150000000000000001": {"100000000000000001", anAuthor, "18446744073709551", "1150000000000000001"},
		"Blob":                {"100000000000000002", anAuthor, "", "Blob"},
		"Twice":               {"100000000000000003", anAuthor, "300000000000000003", "Twice"},
		"AbCdEf9":             post(9),
	}
	if !maps.Equal(known, want) {
		t.Errorf("taken over: %v", known)
	}
	for _, want := range []string{"row 7 of the bot’s table, where author_id is not an id", "row 8 of the bot’s table, where submission_id", "Nobodys", "Disputed"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not said:\n%s", want, out.String())
		}
	}
	if strings.Contains(out.String(), "etc") {
		t.Errorf("what is no id is shown:\n%s", out.String())
	}
}

func TestManyOddRowsAreNotAllTold(t *testing.T) {
	t.Parallel()
	d := newBotDB(t, "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 50) INSERT INTO fedi_submissions SELECT 'x', 'x', 'x', '!' FROM n")
	var out bytes.Buffer
	taken, err := d.read().TakeOver(t.Context(), TakeoverPosts{Adopt: adopter{}.adopt, Out: &out})
	if err != nil || taken.Odd != 200 || strings.Count(out.String(), "\n") > 30 || !strings.Contains(out.String(), "180") || !strings.Contains(out.String(), "nothing that could be taken over") {
		t.Errorf("%+v, %v:\n%s", taken, err, out.String())
	}
}

func TestADatabaseInUseIsRead(t *testing.T) {
	t.Parallel()
	t.Run("WAL", func(t *testing.T) {
		t.Parallel()
		d := newBotDB(t, "PRAGMA journal_mode=WAL", "PRAGMA wal_autocheckpoint=0", row(1), row(2), "BEGIN", row(3))
		before := d.files()
		if len(before["db.sqlite-wal"]) == 0 {
			t.Fatal("there is no WAL")
		}
		// Whoever may not write there reads it as well.
		if err := os.Chmod(filepath.Dir(d.path), 0o500); err != nil {
			t.Fatal(err)
		}
		b := d.read()
		if err := os.Chmod(filepath.Dir(d.path), 0o700); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.posts.posts, []OldPost{post(1), post(2)}) {
			t.Errorf("the posts are %v", b.posts.posts)
		}
		if !maps.Equal(d.files(), before) {
			t.Error("the bot's folder is not as it was")
		}
		d.do("ROLLBACK")
	})
	t.Run("a journal of what was cut off", func(t *testing.T) {
		t.Parallel()
		d := newBotDB(t, row(1), "PRAGMA cache_size=1", "BEGIN IMMEDIATE", "DELETE FROM fedi_submissions", row(2),
			"WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO fedi_submissions SELECT '1' || i, '1', hex(randomblob(20)), i FROM n")
		if d.files()["db.sqlite-journal"] == "" {
			t.Fatal("there is no journal")
		}
		if b := d.read(); !slices.Equal(b.posts.posts, []OldPost{post(1)}) || b.posts.unfinished > 0 {
			t.Errorf("there are %d posts", len(b.posts.posts))
		}
		d.do("ROLLBACK")
	})
}

func TestDatabasesThatAreNotTheBots(t *testing.T) {
	t.Parallel()
	whole := newBotDB(t, row(1), "CREATE TABLE filler(x)", "INSERT INTO filler VALUES(zeroblob(40000))").files()["db.sqlite"]
	for name, c := range map[string]struct{ data, want string }{
		"cut off":        {whole[:len(whole)/2], "while the bot is stopped"},
		"a head alone":   {sqliteMagic, "while the bot is stopped"},
		"overwritten":    {whole[:100] + strings.Repeat("x", len(whole)-100), "while the bot is stopped"},
		"without a head": {whole[16:], "neither a SQLite database nor text"},
		"another's":      {newBotDB(t, "CREATE TABLE other(a)", "DROP TABLE fedi_submissions").files()["db.sqlite"], "no table fedi_submissions"},
		"another version": {newBotDB(t, "ALTER TABLE fedi_submissions RENAME COLUMN ack_message_id TO ack").files()["db.sqlite"],
			"no column ack_message_id"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := ReadFediverseBot(newGiffer(t).file("db.sqlite", c.data)); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one about %q", err, c.want)
			}
		})
	}
	t.Run("two", func(t *testing.T) {
		t.Parallel()
		d := newBotDB(t)
		if _, err := ReadFediverseBot(d.path, d.path); err == nil || !strings.Contains(err.Error(), "of one kind") {
			t.Errorf("error %v", err)
		}
	})
}

func TestBothFilesAtOnce(t *testing.T) {
	t.Parallel()
	w := newBot(t)
	d := newBotDB(t, row(1))
	for _, paths := range [][]string{{w.file("config.ini", botINI), d.path}, {d.path, filepath.Join(w.dir, "config.ini")}} {
		b, err := ReadFediverseBot(paths...)
		if err != nil || !b.HasPosts() || !b.HasSettings() || len(b.posts.posts) != 1 {
			t.Fatalf("%+v, %v", b, err)
		}
	}
}
