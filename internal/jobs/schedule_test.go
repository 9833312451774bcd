package jobs_test

import (
	"testing"
	"time"
	_ "time/tzdata" // for systems that have none

	"rookery/internal/clock"
	"rookery/internal/jobs"
)

// scheduled gives a world whose schedules go by a clock of the test's own on
// both databases; River works the jobs as they come.
func scheduled(w *world) *clock.Manual {
	m := w.manual
	if m == nil {
		m = clock.NewManual(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC))
		w.clock = m
	}
	w.manual = nil // the test alone moves it
	return m
}

// stored waits until the schedule has been looked after once.
func (w *world) stored(name string) time.Time {
	w.t.Helper()
	var at int64
	w.eventually("schedule "+name+" is stored", func() bool {
		return w.s.QueryRow(w.t.Context(), `select next_at from schedule where name = $1`, name).Scan(&at) == nil
	})
	return time.UnixMilli(at).UTC()
}

// until moves the clock on in small steps until the schedule's next instant
// is after t: a schedule may have begun to sleep just before.
func (w *world) until(m *clock.Manual, name string, t time.Time) {
	w.t.Helper()
	w.eventually("the schedule passes "+t.String(), func() bool {
		if w.stored(name).After(t) {
			return true
		}
		m.Advance(time.Second)
		return false
	})
}

func TestOneInstantOneJob(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := scheduled(w)
		day := m.Now()
		var ran []<-chan jobs.Job[hello]
		for range 2 { // two processes, as it were
			q := w.queue()
			ran = append(ran, collect(q, jobs.Kind{}))
			q.Every("daily", jobs.Cron("0 3 * * *", time.UTC), hello{N: 1}, jobs.Opts{})
			w.start(q)
		}
		next := day.Add(15 * time.Hour)
		if at := w.stored("daily"); !at.Equal(next) {
			t.Errorf("first instant %s, want %s", at, next)
		}
		for n := 1; n <= 3; n++ {
			m.Advance(next.Sub(m.Now()))
			w.until(m, "daily", next)
			next = next.Add(24 * time.Hour)
			w.eventually("it ran", func() bool { return len(ran[0])+len(ran[1]) >= n })
			w.empty()
			if got := len(ran[0]) + len(ran[1]); got != n {
				t.Fatalf("%d runs after %d instants", got, n)
			}
			if at := w.stored("daily"); !at.Equal(next) {
				t.Errorf("next instant %s, want %s", at, next)
			}
		}
	})
}

func TestDowntimeGivesOneRunAndAClockSetBackNone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := scheduled(w)
		run := func(fn func(ran <-chan jobs.Job[hello])) {
			q := w.queue()
			ran := collect(q, jobs.Kind{})
			q.Every("often", jobs.Interval(time.Hour), hello{N: 1}, jobs.Opts{})
			w.start(q)
			fn(ran)
			w.empty()
			w.stop(q)
			if len(ran) != 0 {
				t.Errorf("%d runs too many", len(ran))
			}
		}
		begin := m.Now()
		run(func(<-chan jobs.Job[hello]) {
			if at := w.stored("often"); !at.Equal(begin.Add(time.Hour)) {
				t.Errorf("first instant %s", at)
			}
		})
		m.Advance(50 * time.Hour) // nobody was there
		run(func(ran <-chan jobs.Job[hello]) {
			receive(w, ran)
			if at := w.stored("often"); !at.Equal(begin.Add(51 * time.Hour)) {
				t.Errorf("after downtime: %s", at)
			}
		})
		m.Advance(-3 * time.Hour)
		run(func(ran <-chan jobs.Job[hello]) {
			if at := w.stored("often"); !at.Equal(begin.Add(51 * time.Hour)) {
				t.Errorf("after the clock was set back: %s", at)
			}
			m.Advance(4 * time.Hour)
			w.until(m, "often", begin.Add(51*time.Hour))
			receive(w, ran)
		})
		// A clock that ran years ahead must not silence the schedule for years.
		m.Advance(30000 * time.Hour)
		run(func(ran <-chan jobs.Job[hello]) { receive(w, ran) })
		m.Advance(-30000 * time.Hour)
		run(func(ran <-chan jobs.Job[hello]) {
			soon := m.Now().Add(time.Hour)
			w.eventually("the schedule is mended", func() bool { return !w.stored("often").After(soon) })
		})
	})
}

func TestAChangedScheduleBeginsAnew(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		m := scheduled(w)
		for _, c := range []struct {
			s    jobs.Schedule
			want time.Duration
		}{
			{jobs.Interval(100 * time.Hour), 100 * time.Hour},
			{jobs.Interval(time.Hour), time.Hour},
			{jobs.Cron("30 12 * * *", time.FixedZone("X", 3600)), 23*time.Hour + 30*time.Minute},
		} {
			q := w.queue()
			collect(q, jobs.Kind{})
			q.Every("it", c.s, hello{}, jobs.Opts{})
			w.start(q)
			want := m.Now().Add(c.want)
			w.eventually("it is "+want.String(), func() bool { return w.stored("it").Equal(want) })
			w.stop(q)
		}
	})
}

func TestParseCronRefusesNonsense(t *testing.T) {
	for _, spec := range []string{"", "* * * *", "61 * * * *", "0 0 30 2 *", "now"} {
		if s, err := jobs.ParseCron(spec, time.UTC); err == nil {
			t.Errorf("%q: %v", spec, s)
		}
	}
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s, err := jobs.ParseCron("0 3 * * *", berlin)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 10, 24, 12, 0, 0, 0, time.UTC) // the night the clocks go back
	if next := s.Next(at); !next.Equal(time.Date(2026, 10, 25, 2, 0, 0, 0, time.UTC)) {
		t.Errorf("next is %s", next.UTC())
	}
}
