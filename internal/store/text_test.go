package store_test

import (
	"context"
	"strings"
	"testing"
	"unicode/utf8"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func TestStorableTextIsStoredAndReadBackAsItIs(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for i, text := range []string{"plain", "", "a\x00b", "\xff\xfe", "schön \u202e", strings.Repeat("ä", 600), "'; drop table note; --"} {
			want := store.Storable(text, 1000)
			if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return insert(ctx, tx, i, want) }); err != nil {
				t.Fatal(err)
			}
			var got string
			if err := s.QueryRow(t.Context(), "select body from note where id = $1", int64(i)).Scan(&got); err != nil || got != want {
				t.Errorf("%q was read back as %q, %v", want, got, err)
			}
		}
	}, notes)
}

func FuzzStorable(f *testing.F) {
	f.Add("a\x00\xffb", 3)
	f.Add(strings.Repeat("ä", 10), 7)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = max(limit, 0) % 1000
		got := store.Storable(s, limit)
		if !utf8.ValidString(got) || strings.Contains(got, "\x00") || len(got) > limit {
			t.Errorf("%q, %d: %q", s, limit, got)
		}
		if again := store.Storable(got, len(got)); again != got {
			t.Errorf("%q becomes %q the second time", got, again)
		}
	})
}
