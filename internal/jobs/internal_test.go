package jobs

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

func TestMerge(t *testing.T) {
	at := func(h int) time.Time { return time.Date(2026, 11, 20, h, 0, 0, 0, time.UTC) }
	fresh := func(h int) waiting { return waiting{runAt: at(h), max: 25, priority: 2} }
	back := func(h, attempt int, err string) waiting {
		return waiting{runAt: at(h), max: 25, priority: 2, attempt: attempt, backingOff: true, lastError: err}
	}
	for name, c := range map[string]struct{ a, b, want waiting }{
		"the earlier time":            {fresh(2), fresh(1), fresh(1)},
		"a back-off stands":           {back(5, 1, "x"), fresh(1), back(5, 1, "x")},
		"also the shorter one":        {back(1, 1, "x"), fresh(5), back(1, 1, "x")},
		"the later of two back-offs":  {back(5, 1, "x"), back(2, 3, "y"), back(5, 3, "y")},
		"snoozed after it had failed": {waiting{runAt: at(3), attempt: 2, max: 25, priority: 2, lastError: "x"}, fresh(1), waiting{runAt: at(1), attempt: 2, max: 25, priority: 2, lastError: "x"}},
		"the better priority, the most attempts": {
			waiting{runAt: at(1), max: 3, priority: 4}, waiting{runAt: at(1), max: 9, priority: 1},
			waiting{runAt: at(1), max: 9, priority: 1}},
	} {
		if d := cmp.Diff(c.want, merge(c.a, c.b), cmp.AllowUnexported(waiting{})); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if d := cmp.Diff(c.want, merge(c.b, c.a), cmp.AllowUnexported(waiting{})); d != "" {
			t.Errorf("%s, the other way round: %s", name, d)
		}
	}
}

func TestBackoffGrowsFromASecondToTenMinutes(t *testing.T) {
	for range 100 {
		for attempt := 1; attempt < 100; attempt++ {
			d := backoff(attempt)
			if d < time.Second || d > 10*time.Minute || attempt >= 12 && d < 7*time.Minute || attempt == 4 && (d < 6*time.Second || d > 10*time.Second) {
				t.Fatalf("after attempt %d: %s", attempt, d)
			}
		}
	}
}

func TestHasNUL(t *testing.T) {
	for text, want := range map[string]bool{
		`"a"`: false, `"\u0000"`: true, `"\\u0000"`: false, `"\\\u0000"`: true, `"\\u0000 \u0000"`: true, `"\u00001"`: true, ``: false,
	} {
		if hasNUL([]byte(text)) != want {
			t.Errorf("%s: %v", text, !want)
		}
	}
}

func FuzzClip(f *testing.F) {
	f.Add("short")
	f.Add(strings.Repeat("日", 1000))
	f.Add(strings.Repeat("a", maxError) + "\xff\x00")
	f.Fuzz(func(t *testing.T, s string) {
		c := clip(s)
		if len(c) > maxError || !utf8.ValidString(c) || strings.Contains(c, "\x00") {
			t.Errorf("%d bytes, %q", len(c), c)
		}
	})
}
