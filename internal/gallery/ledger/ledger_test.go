package ledger_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"rookery/internal/clock"
	"rookery/internal/gallery/ledger"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

var start = time.Date(2026, 11, 21, 19, 19, 3, 250e6, time.UTC)

// world is a ledger on a real database.
type world struct {
	*testing.T
	*ledger.Ledger
	store *store.Store
	clock *clock.Manual
}

func each(t *testing.T, fn func(w world)) {
	t.Helper()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		c := clock.NewManual(start)
		fn(world{t, ledger.New(s, c), s, c})
	}, ledger.Migrations())
}

func (w world) write(entries ...ledger.Entry) {
	w.Helper()
	for _, e := range entries {
		err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error { return w.Write(ctx, tx, e) })
		if err != nil {
			w.Fatal(err)
		}
		w.clock.Advance(time.Second)
	}
}

func (w world) exec(sql string, args ...any) error {
	return w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	})
}

func full() ledger.Entry {
	return ledger.Entry{
		Event: ledger.Agreed, Submission: "s1", Subject: "p1", Guild: "g", Channel: "c", Source: "m", Account: "a", Target: "@gallery@art.example",
		Processor: "OpenAI (USA)", Model: "gpt-4o", Text: "Post this publicly?\nпублично", Post: "https://art.example/1",
		Media: []ledger.Medium{{N: 1, Name: "cat.png", SHA256: "ab", Alt: "discord"}, {N: 2, Name: "cat.png", SHA256: "cd"}},
		By:    "moderator p2", Via: "button", Note: "why",
	}
}

func entry(event ledger.Event) ledger.Entry {
	return ledger.Entry{Event: event, Submission: "s1", Subject: "p1"}
}

var filledIn = cmpopts.IgnoreFields(ledger.Entry{}, "Seq", "At", "Chain")

func TestWhatIsWrittenIsRead(t *testing.T) {
	t.Parallel()
	each(t, func(w world) {
		other := ledger.Entry{Event: ledger.Offered, Submission: "s2", Subject: "p1", Text: full().Text}
		foreign := ledger.Entry{Event: ledger.Offered, Submission: "s3", Subject: "p3"}
		w.write(full(), other, foreign)

		got, err := w.Submission(w.Context(), "s1")
		if diff := cmp.Diff([]ledger.Entry{full()}, got, filledIn); err != nil || diff != "" {
			w.Errorf("%v, %s", err, diff)
		}
		if got[0].Seq != 1 || !got[0].At.Equal(start) || len(got[0].Chain) != 64 {
			w.Errorf("entry %d of %v has the chain %q", got[0].Seq, got[0].At, got[0].Chain)
		}
		got, err = w.Subject(w.Context(), "p1")
		if diff := cmp.Diff([]ledger.Entry{full(), other}, got, filledIn); err != nil || diff != "" {
			w.Errorf("%v, %s", err, diff)
		}
		if got, err = w.Submission(w.Context(), "s9"); err != nil || got != nil {
			w.Errorf("of nothing: %v, %v", got, err)
		}
		entries, head, err := w.Head(w.Context())
		if err != nil || entries != 3 || len(head) != 64 {
			w.Errorf("the end is %d, %q, %v", entries, head, err)
		}
		if err := w.Verify(w.Context()); err != nil {
			w.Error(err)
		}
		// A text is stored once.
		var texts int
		if err := w.store.QueryRow(w.Context(), `select count(*) from gallery_ledger_text`).Scan(&texts); err != nil || texts != 1 {
			w.Errorf("%d texts, %v", texts, err)
		}
	})
}

func TestPostFindsAllOfItsSubmission(t *testing.T) {
	t.Parallel()
	each(t, func(w world) {
		posted := entry(ledger.Posted)
		posted.Post = "https://art.example/1"
		stranger := ledger.Entry{Event: ledger.Posted, Submission: "s2", Subject: "p1", Post: "https://art.example/2"}
		w.write(entry(ledger.Agreed), posted, stranger, entry(ledger.Deleted))
		got, err := w.Post(w.Context(), "https://art.example/1")
		if diff := cmp.Diff([]ledger.Entry{entry(ledger.Agreed), posted, entry(ledger.Deleted)}, got, filledIn); err != nil || diff != "" {
			w.Errorf("%v, %s", err, diff)
		}
		if got, err := w.Post(w.Context(), ""); err != nil || got != nil {
			w.Errorf("of no address: %v, %v", got, err)
		}
	})
}

func TestAnEntryStandsWithItsTransaction(t *testing.T) {
	t.Parallel()
	each(t, func(w world) {
		stop := errors.New("stop")
		err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error {
			if err := w.Write(ctx, tx, full()); err != nil {
				return err
			}
			// What it wrote, the transaction reads.
			if _, ok, err := w.Agreement(ctx, tx, "s1"); err != nil || !ok {
				w.Errorf("in the transaction: %v, %v", ok, err)
			}
			return stop
		})
		if !errors.Is(err, stop) {
			w.Fatal(err)
		}
		if entries, _, err := w.Head(w.Context()); err != nil || entries != 0 {
			w.Errorf("%d entries are left, %v", entries, err)
		}
	})
}

func TestWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	each(t, func(w world) {
		with := func(change func(*ledger.Entry)) ledger.Entry {
			e := full()
			change(&e)
			return e
		}
		for name, e := range map[string]ledger.Entry{
			"no event":        with(func(e *ledger.Entry) { e.Event = "" }),
			"unknown event":   with(func(e *ledger.Entry) { e.Event = "dreamt" }),
			"no submission":   with(func(e *ledger.Entry) { e.Submission = "" }),
			"no subject":      with(func(e *ledger.Entry) { e.Subject = "" }),
			"too many media":  with(func(e *ledger.Entry) { e.Media = make([]ledger.Medium, ledger.MaxMedia+1) }),
			"text too long":   with(func(e *ledger.Entry) { e.Text = strings.Repeat("a", ledger.MaxText+1) }),
			"text with NUL":   with(func(e *ledger.Entry) { e.Text = "a\x00b" }),
			"text of nothing": with(func(e *ledger.Entry) { e.Text = "a\xffb" }),
		} {
			err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error { return w.Write(ctx, tx, e) })
			if err == nil || strings.HasPrefix(name, "text") && !errors.Is(err, ledger.ErrText) {
				w.Errorf("%s: %v", name, err)
			}
		}
		// Anything else is made fit.
		w.write(with(func(e *ledger.Entry) {
			e.Note, e.Media[0].Name, e.Text = strings.Repeat("я", 5000), "a\x00\xff", strings.Repeat("a", ledger.MaxText)
		}))
		got, err := w.Submission(w.Context(), "s1")
		if err != nil || len(got) != 1 || len(got[0].Note) > 2<<10 || got[0].Media[0].Name != "a\uFFFD" || len(got[0].Text) != ledger.MaxText {
			w.Errorf("%+v, %v", got, err)
		}
		if err := w.Verify(w.Context()); err != nil {
			w.Error(err)
		}
	})
}

// Whoever asks, and however.
func TestTheTablesOnlyGrow(t *testing.T) {
	t.Parallel()
	each(t, func(w world) {
		w.write(full(), full())
		statements := []string{
			`update gallery_ledger set note = 'x'`,
			`update gallery_ledger set note = 'x' where seq = 1`,
			`delete from gallery_ledger`,
			`delete from gallery_ledger where seq = 2`,
			`update gallery_ledger_text set body = 'x'`,
			`delete from gallery_ledger_text`,
			`insert into gallery_ledger select * from gallery_ledger where seq = 1 on conflict (seq) do update set note = 'x'`,
			`insert into gallery_ledger_text select hash, 'x' from gallery_ledger_text where true on conflict (hash) do update set body = excluded.body`,
		}
		if w.store.Dialect() == store.Postgres {
			statements = append(statements, `truncate gallery_ledger`, `truncate gallery_ledger_text`, `truncate gallery_ledger, gallery_ledger_text cascade`)
		} else {
			statements = append(statements, `replace into gallery_ledger select * from gallery_ledger where seq = 1`,
				`insert or replace into gallery_ledger_text select hash, 'x' from gallery_ledger_text`)
		}
		for _, sql := range statements {
			if err := w.exec(sql); err == nil || !strings.Contains(err.Error(), "only grows") {
				w.Errorf("%s: %v", sql, err)
			}
		}
		if err := w.Verify(w.Context()); err != nil {
			w.Error(err)
		}
	})
}

// What is not there cannot be used by mistake.
func TestTheSourcesHaveNoStatementThatChanges(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("migrations/*.sql")
	if err != nil || len(more) == 0 || len(files) < 4 {
		t.Fatal(files, more, err)
	}
	changes := regexp.MustCompile(`(?is)\bupdate\s+("?gallery|only\b)|\bdelete\s+from\b|\btruncate\s+(table\s+)?"?gallery|\breplace\s+into\b|\bor\s+replace\b|\bdo\s+update\b|\b(drop|alter)\s+(table|trigger|function)\b|\bfor\s+update\b`)
	for _, name := range append(files, more...) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := regexp.MustCompile(`(?m)^--.*$`).ReplaceAllString(string(b), "")
		if found := changes.FindString(text); found != "" {
			t.Errorf("%s has %q", name, found)
		}
	}
}

func TestManyWriteAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(w world) {
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				for j := range 5 {
					e := full()
					e.Submission = fmt.Sprint(i, "/", j)
					err := w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) error { return w.Write(ctx, tx, e) })
					if err != nil {
						w.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if entries, _, err := w.Head(w.Context()); err != nil || entries != 30 {
			w.Errorf("%d entries, %v", entries, err)
		}
		if err := w.Verify(w.Context()); err != nil {
			w.Error(err)
		}
	})
}

// Who gets past the database's own guard is found out.
func TestVerifyFindsWhatWasDoneByHand(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ sql, want string }{
		"a word":         {`update gallery_ledger set note = 'x' where seq = 2`, "entry 2"},
		"a time":         {`update gallery_ledger set at = at + 1 where seq = 3`, "entry 3"},
		"a medium":       {`update gallery_ledger set media = '[]' where seq = 2`, "entry 2"},
		"cut out":        {`delete from gallery_ledger where seq = 2`, "entry 2 is missing"},
		"the first":      {`delete from gallery_ledger where seq = 1`, "entry 1 is missing"},
		"closed up":      {`delete from gallery_ledger where seq = 2; update gallery_ledger set seq = 2 where seq = 3`, "entry 2"},
		"another's hash": {`update gallery_ledger set chain = (select chain from gallery_ledger where seq = 1) where seq = 2`, "entry 2"},
		"a text":         {`update gallery_ledger_text set body = 'x'`, "entry 1 has lost its text"},
		"no text":        {`delete from gallery_ledger_text`, "entry 1 has lost its text"},
		"moved words":    {`update gallery_ledger set via = 'butto', note = 'nwhy' where seq = 1`, "entry 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := storetest.Config(t, store.SQLite)
			s := storetest.Open(t, c, ledger.Migrations())
			w := world{t, ledger.New(s, clock.NewManual(start)), s, clock.NewManual(start)}
			w.write(full(), full(), full())
			for _, trigger := range []string{"keeps", "stays", "once", "text_keeps", "text_stays", "text_once"} {
				if err := w.exec(`drop trigger gallery_ledger_` + trigger); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.exec(test.sql); err != nil {
				t.Fatal(err)
			}
			err := w.Verify(t.Context())
			if !errors.Is(err, ledger.ErrBroken) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAI(t *testing.T) {
	t.Parallel()
	const on, off, agreed, posted = ledger.AIOn, ledger.AIOff, ledger.Agreed, ledger.Posted
	each(t, func(w world) {
		n := 0
		for _, test := range []struct {
			events []ledger.Event
			want   bool
		}{
			{nil, false},
			{[]ledger.Event{ledger.Offered, agreed}, false},
			{[]ledger.Event{on}, true},
			{[]ledger.Event{on, off}, false},
			{[]ledger.Event{on, off, on}, true},
			{[]ledger.Event{off}, false},
			{[]ledger.Event{on, agreed, ledger.Approved, posted, ledger.Edited, ledger.Drafted, ledger.Described, ledger.Offered}, true},
			{[]ledger.Event{on, ledger.Void}, false},
			{[]ledger.Event{on, ledger.Void, ledger.Offered, agreed}, false},
			{[]ledger.Event{on, ledger.Void, on}, true},
			{[]ledger.Event{on, ledger.Withdrawn}, false},
			{[]ledger.Event{on, ledger.Declined}, false},
			{[]ledger.Event{on, ledger.Expired}, false},
			{[]ledger.Event{on, ledger.Rejected}, false},
			{[]ledger.Event{on, agreed, posted, ledger.Deleted}, false},
			{[]ledger.Event{on, agreed, posted, ledger.TakenDown}, false},
			{[]ledger.Event{on, agreed, posted, ledger.Revoked}, false},
		} {
			n++
			id := fmt.Sprint("s", n)
			for i, event := range test.events {
				e := ledger.Entry{Event: event, Submission: id, Subject: "p"}
				if event == on {
					e.Processor, e.Model = "OpenAI (USA)", fmt.Sprint("model ", i)
				}
				w.write(e)
			}
			processor, model, ok, err := w.AI(w.Context(), w.store, id)
			if err != nil || ok != test.want || ok != (processor == "OpenAI (USA)" && strings.HasPrefix(model, "model ")) {
				w.Errorf("after %v: %q, %q, %v, %v", test.events, processor, model, ok, err)
			}
		}
		// A yes to nobody is none, and the last yes counts.
		w.write(entry(on))
		if _, _, ok, err := w.AI(w.Context(), w.store, "s1"); ok || err != nil {
			w.Error(ok, err)
		}
		first, second := entry(on), entry(on)
		first.Processor, second.Processor = "one", "two"
		w.write(first, second)
		if processor, _, ok, err := w.AI(w.Context(), w.store, "s1"); !ok || err != nil || processor != "two" {
			w.Error(processor, ok, err)
		}
	})
}

func TestAgreement(t *testing.T) {
	t.Parallel()
	each(t, func(w world) {
		stands := func(want bool) {
			w.Helper()
			e, ok, err := w.Agreement(w.Context(), w.store, "s1")
			if err != nil || ok != want || ok != (e.Event == ledger.Agreed) {
				w.Errorf("%v, %v, %v", e, ok, err)
			}
		}
		stands(false)
		w.write(entry(ledger.Offered))
		stands(false)
		w.write(full(), entry(ledger.AIOff), entry(ledger.Posted))
		for range 120 { // more than are read at once
			w.write(entry(ledger.Edited))
		}
		stands(true)
		w.write(entry(ledger.Void))
		stands(false)
		w.write(full())
		stands(true)
		w.write(entry(ledger.Deleted))
		stands(false)
	})
}
