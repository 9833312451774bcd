package budget

import (
	"testing"
	"time"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func zone(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestADayBeginsAtItsFirstMoment(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		zone string
		day  day
		want string // in UTC
	}{
		{"UTC", "2026-01-01", "2026-01-01T00:00:00Z"},
		{"Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00Z"}, // 23 hours long
		{"Europe/Berlin", "2026-03-30", "2026-03-29T22:00:00Z"},
		{"Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00Z"}, // 25 hours long
		{"Europe/Berlin", "2026-10-26", "2026-10-25T23:00:00Z"},
		{"America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00:00Z"}, // has no midnight
		{"America/Havana", "2025-11-02", "2025-11-02T04:00:00Z"},    // has two
		{"Pacific/Kiritimati", "2026-06-01", "2026-05-31T10:00:00Z"},
		{"Etc/GMT+12", "2026-06-01", "2026-06-01T12:00:00Z"},
		{"Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00Z"}, // was left out
		{"Asia/Kathmandu", "2026-06-01", "2026-05-31T18:15:00Z"},
	} {
		got := test.day.begins(zone(t, test.zone))
		if got.UTC().Format(time.RFC3339) != test.want {
			t.Errorf("%s in %s begins at %s, want %s", test.day, test.zone, got.UTC().Format(time.RFC3339), test.want)
		}
		if got.Location().String() != test.zone {
			t.Errorf("the time is in %s", got.Location())
		}
	}
}

func TestMidnightBringsANewBudgetAlsoWhenClocksChange(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, test := range []struct {
			noon  string // of the day before the change
			hours int    // of the day of the change
		}{{"2026-03-28T12:00:00+01:00", 23}, {"2026-10-24T12:00:00+02:00", 25}} {
			clear(t, s)
			w := setup(t, s, func(c *Config) { c.Zone, c.Limits.RepliesPerMember = zone(t, "Europe/Berlin"), 1 })
			noon, err := time.Parse(time.RFC3339, test.noon)
			if err != nil {
				t.Fatal(err)
			}
			w.clock.Advance(noon.Sub(w.clock.Now()))
			// Used up on the day before the change, on it, and after it.
			for n := range 3 {
				w.reply(test.noon+string(rune('a'+n)), ada, Tokens{1, 1})
				over := w.reserve("x", ada, Tokens{1, 1})
				if over == nil {
					t.Fatal("a second reply on one day")
				}
				renews := over.Renews
				if !w.quota(ada).Renews.Equal(renews) || renews.Format("15:04:05") != "00:00:00" {
					t.Errorf("it renews at %s, the quota says %s", renews, w.quota(ada).Renews)
				}
				if long := renews.Sub(w.clock.Now()); n == 1 && long != time.Duration(test.hours)*time.Hour {
					t.Errorf("the day of the change lasts %s", long)
				}
				w.clock.Advance(renews.Sub(w.clock.Now()) - time.Second)
				if w.reserve("x", ada, Tokens{1, 1}) == nil {
					t.Error("a second reply one second before midnight")
				}
				w.clock.Advance(time.Second)
			}
		}
	}, Migrations())
}

func TestWhatWasReservedBeforeMidnightCountsForItsDay(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay = 100 })
		w.clock.Advance(12*time.Hour - time.Second)
		w.mustReserve("a", ada, Tokens{90, 0})
		w.mustReserve("b", ada, Tokens{10, 0})
		w.charge("b", Tokens{5, 0})
		w.clock.Advance(2 * time.Second)
		w.want(0, 0)
		w.charge("a", Tokens{80, 0})
		w.settle("a")
		w.want(0, 0)
		// Reserved again, it is the new day's, and what it used stays yesterday's.
		w.mustReserve("b", ada, Tokens{10, 0})
		w.want(0, 10)
		w.charge("b", Tokens{7, 0})
		w.settle("b")
		w.want(7, 0)
		var tokens, replies int64
		if err := s.QueryRow(t.Context(), `select tokens, replies from budget_used where day = '2026-03-01' and scope = 'day'`).Scan(&tokens, &replies); err != nil {
			t.Fatal(err)
		}
		if tokens != 85 || replies != 1 {
			t.Errorf("yesterday: %d tokens, %d replies", tokens, replies)
		}
	}, Migrations())
}

func TestAClockSetBackGivesNoFreshBudget(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		for _, back := range []int{0, 1, 2, 3, 400} {
			clear(t, s)
			w := setup(t, s, func(c *Config) { c.Limits.RepliesPerMember = 1 })
			w.reply("a", ada, Tokens{1, 1})
			w.clock.Advance(-time.Duration(back) * 24 * time.Hour)
			over := w.reserve("b", ada, Tokens{1, 1})
			q := w.quota(ada)
			if back > 2 {
				// The clock had been ahead before.
				if over != nil || q.Renews.Sub(w.clock.Now()) != 12*time.Hour {
					t.Errorf("%d days back: %+v, renews at %s", back, over, q.Renews)
				}
				continue
			}
			if over == nil || !over.Renews.Equal(time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)) || q.Replies.Used != 1 || !q.Renews.Equal(over.Renews) {
				t.Errorf("%d days back: %+v, %+v", back, over, q)
			}
			w.clock.Advance(time.Duration(back) * 24 * time.Hour)
			if w.reserve("b", ada, Tokens{1, 1}) == nil {
				t.Errorf("%d days back and forth: a fresh budget", back)
			}
			w.clock.Advance(24 * time.Hour)
			w.mustReserve("b", ada, Tokens{1, 1})
		}
	}, Migrations())
}

func TestAReservationThatNobodyEndsExpires(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		// The clock goes back a day, so that one day of the budget lasts two.
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay, c.Limits.RepliesPerMember = 100, 1 })
		w.reply("day", bob, Tokens{0, 0})
		w.clock.Advance(-36 * time.Hour)
		w.mustReserve("a", ada, Tokens{100, 0})
		w.clock.Advance(24 * time.Hour)
		w.want(0, 100)
		if over := w.reserve("b", ada, Tokens{1, 0}); over == nil || !over.Passing() {
			t.Errorf("%+v", over)
		}
		w.clock.Advance(time.Minute)
		w.want(0, 0)
		if q := w.quota(ada); q.Replies.Held != 0 {
			t.Errorf("%+v", q)
		}
		w.mustReserve("b", ada, Tokens{100, 0})
		w.release("b")
		w.mustReserve("a", ada, Tokens{50, 0}) // its process came back
		w.want(0, 100)
	}, Migrations())
}

func TestPruneKeepsWhatCounts(t *testing.T) {
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		w := setup(t, s, func(c *Config) { c.Limits.TokensPerDay = 10 })
		w.reply("old", ada, Tokens{9, 0})
		w.mustReserve("lost", bob, Tokens{1, 0})
		w.clock.Advance(36*time.Hour - time.Minute) // 23:59
		w.mustReserve("live", bob, Tokens{1, 0})
		w.clock.Advance(2 * time.Minute)
		w.reply("new", ada, Tokens{9, 0})
		rows := func() (n [3]int64) {
			for i, table := range []string{"budget_used", "budget_reserved", "budget_notice"} {
				if err := s.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n[i]); err != nil {
					t.Fatal(err)
				}
			}
			return n
		}
		for _, step := range []struct {
			before time.Duration
			want   [3]int64
		}{
			{-100 * time.Hour, [3]int64{8, 4, 2}},
			{0, [3]int64{4, 2, 1}},
			{1000 * time.Hour, [3]int64{4, 2, 1}}, // never what is of today
		} {
			if err := w.Prune(t.Context(), w.clock.Now().Add(step.before)); err != nil {
				t.Fatal(err)
			}
			if got := rows(); got != step.want {
				t.Errorf("%s: rows %v, want %v", step.before, got, step.want)
			}
		}
		w.want(9, 0)
		w.settle("live")
	}, Migrations())
}
