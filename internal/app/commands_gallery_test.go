package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery"
	"rookery/internal/gallery/ledger"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
	"rookery/internal/words"
)

// Nothing that strangers write is obeyed by a terminal, and none of it can
// look like a further letter.
func TestLettersCannotSteerATerminal(t *testing.T) {
	t.Parallel()
	const hostile = "a\x1b]0;b\x07\x1b[2J\u009bc\u202ed\u2066e\u200ff\u2028g\tz\xff"
	for _, letter := range []gallery.Letter{
		{ID: "1" + hostile, Author: "zoe@other.example", URL: "https://a.example/1", Words: "hi"},
		{ID: "1", Author: hostile + "\n2: olga@art.example wrote", URL: "https://a.example/1", Words: "hi", Done: time.UnixMilli(1)},
		{ID: "1", Author: "zoe@other.example", URL: "https://a.example/" + hostile + "\n\n2:", Words: "hi", Direct: true},
		{ID: "1", Author: "zoe@other.example", URL: "https://a.example/1", Words: hostile + "\n2: olga@art.example"},
	} {
		var b strings.Builder
		printLetters(&b, words.English, []gallery.Letter{letter})
		got := b.String()
		if strings.ContainsAny(got, "\x1b\x07\t\u009b\u202e\u2066\u200f\u2028") || !utf8.ValidString(got) {
			t.Errorf("%q is printed for %+v", got, letter)
		}
		if lines := strings.Split(got, "\n"); slices.ContainsFunc(lines, func(line string) bool { return strings.HasPrefix(line, "2:") }) {
			t.Errorf("a letter that there is none of: %q", got)
		}
	}
}

func TestPrintable(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	for _, r := range []rune{0x061c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069, 0x7f, 0x85, 0x9b, 0, '\r', '\b'} {
		all.WriteRune(r)
	}
	if got := printable(all.String()); got != "" {
		t.Errorf("%+q is left", got)
	}
	const kept = "Привет, عالم\n👩\u200d🎨 – naïve"
	if got := printable(kept); got != kept {
		t.Errorf("%q became %q", kept, got)
	}
	if got := printableLine(" a\n\tb\r\n c\u202e "); got != "a b c" {
		t.Errorf("%q", got)
	}
}

// A post is not taken over without its guild because Discord was away for a
// moment: its moderators would never find it.
func TestGuildOfAnOldThread(t *testing.T) {
	t.Parallel()
	away := fmt.Errorf("look: %w", &discord.Error{Class: discord.Transient, Err: errors.New("away")})
	for name, test := range map[string]struct {
		thread community.ChannelID
		err    error
		want   community.GuildID
		fails  bool
	}{
		"stands":    {"7", nil, "1", false},
		"none":      {"", errors.New("nobody is to be asked"), "", false},
		"gone":      {"7", &discord.Error{Class: discord.Gone}, "", false},
		"forbidden": {"7", &discord.Error{Class: discord.Forbidden}, "", false},
		"away":      {"7", away, "", true},
		"rate":      {"7", &discord.Error{Class: discord.Rate}, "", true},
		"ended":     {"7", context.Canceled, "", true},
	} {
		got, err := guildOf(t.Context(), func(_ context.Context, id community.ChannelID) (discord.Channel, error) {
			if test.err != nil {
				return discord.Channel{}, test.err
			}
			return discord.Channel{ID: id, Guild: "1"}, nil
		}, test.thread)
		if got != test.want || (err != nil) != test.fails || test.fails && !errors.Is(err, test.err) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A ledger that was altered is read all the same, and it is said what is wrong.
func TestGalleryLedgerSaysThatItIsBroken(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		l := ledger.New(s, clock.NewManual(time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)))
		a := &App{gallery: &gallery.Gallery{Config: gallery.Config{Store: s, Ledger: l}}}
		exec := func(sql string) {
			t.Helper()
			if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { _, err := tx.Exec(ctx, sql); return err }); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			return l.Write(ctx, tx, ledger.Entry{Event: ledger.Agreed, Submission: "s", Subject: "p", Text: "Post this?"})
		}); err != nil {
			t.Fatal(err)
		}
		read, err := a.galleryLedger(t.Context(), ledgerOf{Member: "p"})
		if err != nil || len(read.Entries) != 1 || read.Broken != "" {
			t.Fatalf("%+v, %v", read, err)
		}
		if s.Dialect() == store.Postgres {
			exec(`drop trigger gallery_ledger_keeps on gallery_ledger`)
		} else {
			exec(`drop trigger gallery_ledger_keeps`)
		}
		exec(`update gallery_ledger set note = 'she also agreed to prints'`)
		read, err = a.galleryLedger(t.Context(), ledgerOf{Member: "p"})
		if err != nil || len(read.Entries) != 1 || !strings.Contains(read.Broken, "entry 1 is not what was written") {
			t.Errorf("%+v, %v", read, err)
		}
		if _, err = a.galleryLedger(t.Context(), ledgerOf{Member: "nobody"}); !errors.Is(err, ledger.ErrBroken) || !errors.Is(err, gallery.ErrNoMember) {
			t.Errorf("%v", err)
		}
		exec(`drop table gallery_ledger_text`)
		if _, err = a.galleryLedger(t.Context(), ledgerOf{Member: "p"}); err == nil || errors.Is(err, ledger.ErrBroken) {
			t.Errorf("a database that cannot be read: %v", err)
		}
	}, ledger.Migrations(), gallery.Migrations())
}
