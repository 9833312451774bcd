package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/robfig/cron/v3"

	"rookery/internal/store"
)

// Schedule is a series of instants: an Interval or a Cron.
type Schedule interface {
	// Next is the first instant after t.
	Next(t time.Time) time.Time
	// String tells one schedule from another.
	String() string
}

// Interval is every d, counted from the first start; at least a second.
func Interval(d time.Duration) Schedule { return interval(max(d, time.Second)) }

type interval time.Duration

func (i interval) Next(t time.Time) time.Time { return t.Add(time.Duration(i)) }
func (i interval) String() string             { return "every " + time.Duration(i).String() }

// Cron is a series of times of day in loc, in cron's five fields (minute,
// hour, day of month, month, day of week) or a word like @daily; see
// https://pkg.go.dev/github.com/robfig/cron/v3. A time of day that a change of
// the clocks leaves out is left out. It panics if spec is wrong; ParseCron is
// for what a person wrote.
func Cron(spec string, loc *time.Location) Schedule {
	s, err := ParseCron(spec, loc)
	if err != nil {
		panic("jobs: " + err.Error())
	}
	return s
}

// ParseCron is Cron for a spec from outside the program.
func ParseCron(spec string, loc *time.Location) (Schedule, error) {
	if loc == nil {
		loc = time.UTC
	}
	s, err := cron.ParseStandard(spec)
	if err != nil {
		return nil, fmt.Errorf("the schedule %q: %w", spec, err)
	}
	if s.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, loc)).IsZero() {
		return nil, fmt.Errorf("the schedule %q: that day never comes", spec)
	}
	return &cronSchedule{s, spec, loc}, nil
}

type cronSchedule struct {
	cron.Schedule
	spec string
	loc  *time.Location
}

func (c *cronSchedule) Next(t time.Time) time.Time { return c.Schedule.Next(t.In(c.loc)) }
func (c *cronSchedule) String() string             { return c.spec + " " + c.loc.String() }

// schedule is one of a queue's schedules.
type schedule struct {
	name   string
	series Schedule
	args   Args
	opts   Opts
	next   time.Time // as last read from the store; zero: not yet read
}

// Every inserts a job at each instant of s, from Start on. name is stable for
// ever. However many processes share the database, an instant gives one job;
// instants missed while none ran give one job together; a clock that is set
// back does not repeat them. A new schedule begins with its next instant, and
// so does one whose s has changed. Call it before Start. It panics if name is
// used twice.
func (q *Queue) Every(name string, s Schedule, args Args, o Opts) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range q.schedules {
		if e.name == name {
			panic(fmt.Sprintf("jobs: schedule %s is set twice", name))
		}
	}
	if q.phase != fresh {
		panic(fmt.Sprintf("jobs: schedule %s is set after Start", name))
	}
	q.schedules = append(q.schedules, &schedule{name: name, series: s, args: args, opts: o})
}

const (
	// longestNap bounds the sleep of the schedules, for a system's clock can
	// be set while they sleep.
	longestNap = 30 * time.Second
	// farAhead is how far beyond its own next instant a schedule may be stored
	// before that is taken for the work of a clock that ran ahead. Anything
	// less is a clock set back, whose instants are not repeated.
	farAhead = 48 * time.Hour
)

// tolerance is how far ahead of its next instant a series may be stored. An
// interval promises no instant: it just goes on from now.
func tolerance(s Schedule) time.Duration {
	if i, ok := s.(interval); ok {
		return time.Duration(i)
	}
	return farAhead
}

// runSchedules inserts what falls due until ctx ends.
func (q *Queue) runSchedules(ctx context.Context) {
	defer close(q.schedulesDone)
	if len(q.schedules) == 0 {
		return
	}
	refused := 0 // in a row
	for {
		nap := longestNap
		for _, e := range q.schedules {
			now := q.clock.Now()
			if !now.Before(e.next) || e.next.Sub(e.series.Next(now)) > tolerance(e.series) {
				if err := q.tick(ctx, e, now); err != nil {
					if ctx.Err() != nil {
						return
					}
					// Once a minute: a full disk must not be filled with its own complaint.
					if refused++; refused%60 == 1 {
						q.log.Warn("a schedule could not be looked after, trying again", "schedule", e.name, "error", err)
					}
					nap = min(nap, time.Second)
					continue
				}
				refused = 0
			}
			nap = min(nap, e.next.Sub(now))
		}
		ready, stop := q.clock.After(max(nap, 0))
		select {
		case <-ready:
		case <-ctx.Done():
			stop()
			return
		}
	}
}

// tick inserts e's job if an instant has come that nobody has taken, and reads
// when the next one is.
func (q *Queue) tick(ctx context.Context, e *schedule, now time.Time) error {
	first := e.next.IsZero()
	var next time.Time
	err := q.store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		next = e.series.Next(now)
		var spec string
		var at int64
		err := tx.QueryRow(ctx, `select spec, next_at from schedule where name = $1`, e.name).Scan(&spec, &at)
		if errors.Is(err, store.ErrNoRows) {
			_, err = tx.Exec(ctx, `insert into schedule (name, spec, next_at) values ($1, $2, $3)
				on conflict (name) do nothing`, e.name, e.series.String(), next.UnixMilli())
			return err
		}
		if err != nil {
			return err
		}
		stored := time.UnixMilli(at).UTC()
		due := !now.Before(stored)
		changed := first && spec != e.series.String()
		ahead := stored.Sub(next) > tolerance(e.series)
		if !due && !changed && !ahead {
			next = stored
			return nil
		}
		if due {
			// Keep to the rhythm unless it was missed.
			if n := e.series.Next(stored); n.After(now) {
				next = n
			}
		} else if ahead {
			q.log.Warn("a schedule was stored by a clock that ran far ahead, it begins anew", "schedule", e.name, "stored", stored, "next", next)
		}
		// Only one of those who saw the old value changes it.
		n, err := tx.Exec(ctx, `update schedule set spec = $2, next_at = $3 where name = $1 and next_at = $4`,
			e.name, e.series.String(), next.UnixMilli(), at)
		if err != nil || n == 0 || !due {
			return err
		}
		return q.Insert(ctx, tx, e.args, e.opts)
	})
	if err != nil {
		return err
	}
	e.next = next
	return nil
}
