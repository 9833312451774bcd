package budget

import (
	"context"
	"errors"
	"sort"
	"time"

	"rookery/internal/store"
)

// day is a date, YYYY-MM-DD: in the order of texts, days are in their order.
type day string

func dayOf(t time.Time, zone *time.Location) day { return day(t.In(zone).Format(time.DateOnly)) }

// plus is so many days later.
func (d day) plus(days int) day {
	t, _ := time.Parse(time.DateOnly, string(d)) // days are only made by dayOf
	return day(t.AddDate(0, 0, days).Format(time.DateOnly))
}

// begins is the first moment of a day in a zone: its midnight, or, where the
// clocks are changed at midnight, what stands for it.
func (d day) begins(zone *time.Location) time.Time {
	utc, _ := time.Parse(time.DateOnly, string(d))
	// No zone is further than 14 hours from UTC, and none has left out more
	// than one day.
	from := utc.Add(-16 * time.Hour)
	seconds := sort.Search(int(56*time.Hour/time.Second), func(s int) bool {
		return dayOf(from.Add(time.Duration(s)*time.Second), zone) >= d
	})
	return from.Add(time.Duration(seconds) * time.Second).In(zone)
}

// ahead is how many days the stored day may be ahead of the clock and still
// be believed: a clock that is set back must not give a fresh budget. Further
// than that, the clock had been ahead before, and counts now.
const ahead = 2

// after is the day that counts when the clock says d and the latest day seen
// is seen.
func (d day) after(seen day) day {
	if seen < d || seen > d.plus(ahead) {
		return d
	}
	return seen
}

// lock keeps everybody else from changing anything until the transaction
// ends, and tells what day it is. It comes first in everything that changes.
func (b *Budget) lock(ctx context.Context, tx store.Tx) (day, error) {
	today := dayOf(b.Clock.Now(), b.Zone)
	var d string
	err := tx.QueryRow(ctx, `insert into budget_day (one, day) values (1, $1) on conflict (one) do update
		set day = case when budget_day.day < excluded.day or budget_day.day > $2 then excluded.day else budget_day.day end
		returning day`, string(today), string(today.plus(ahead))).Scan(&d)
	return day(d), err
}

// today is the day without a lock, for looking.
func (b *Budget) today(ctx context.Context, q Querier) (day, error) {
	d := dayOf(b.Clock.Now(), b.Zone)
	var seen string
	err := q.QueryRow(ctx, `select day from budget_day where one = 1`).Scan(&seen)
	if errors.Is(err, store.ErrNoRows) {
		return d, nil
	}
	return d.after(day(seen)), err
}

// renews is when the day after d begins.
func (b *Budget) renews(d day) time.Time { return d.plus(1).begins(b.Zone) }

// stale is how long a reservation counts that nobody ends: its process died.
const stale = 24 * time.Hour

// alive is the time since which a live reservation must have been made to count.
func (b *Budget) alive() int64 { return b.Clock.Now().Add(-stale).UnixMilli() }
