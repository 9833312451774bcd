package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// sample is what is seen at the end of a month.
type sample struct {
	mentions   int // so far
	contents   contents
	copies     int
	memory     float64 // MB
	files      float64 // open
	goroutines float64
	failed     float64 // jobs
	way        float64 // ms, the median of the month's
	poll       float64 // ms, the median of those that it had to find
	scrape     float64 // ms, the median of ten
}

// foundEach is how many mentions a poll has to find for a sample.
const foundEach = 5

// sample looks at everything, early on the next day: a new budget, and nothing
// under way.
func (y *yearlong) sample(ctx context.Context) error {
	if err := y.until(ctx, 30*time.Minute); err != nil {
		return err
	}
	y.fedi.StallStreams()
	for range foundEach {
		if err := y.found(ctx); err != nil {
			return err
		}
	}
	y.fedi.ResumeStreams()
	m, asked, err := y.atRest(ctx)
	if err != nil {
		return err
	}
	s := sample{mentions: y.number, memory: m["process_resident_memory_bytes"] / 1e6, files: m["process_open_fds"],
		goroutines: m["go_goroutines"], failed: m["rookery_failed_jobs"],
		way:  quantile(y.streams.own[y.seen[0]:], 0.5),
		poll: quantile(y.polls.taking[y.seen[1]:], 0.5), scrape: quantile(asked, 0.5)}
	y.seen = [2]int{len(y.streams.own), len(y.polls.taking)}
	if s.contents, err = y.look(ctx); err != nil {
		return err
	}
	if s.copies, _, err = y.copies(); err != nil {
		return err
	}
	y.samples = append(y.samples, s)
	y.lab.say("(%d of %d days)", y.day, y.lab.days)
	return nil
}

// atRest are the metrics of a moment in which little goes on: of ten those
// with the fewest goroutines; and how long each was asked for, in ms.
func (y *yearlong) atRest(ctx context.Context) (least metrics, asked []float64, err error) {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for range 10 {
		began := time.Now()
		m, err := scrape(ctx, y.address)
		if err != nil {
			return nil, nil, err
		}
		asked = append(asked, ms(time.Since(began)))
		if least == nil || m["go_goroutines"] < least["go_goroutines"] {
			least = m
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return nil, nil, context.Cause(ctx)
		}
	}
	return least, asked, nil
}

// months is a row of one number for each month.
func (y *yearlong) months(what, unit string, of func(sample) float64) row {
	r := row{What: what, Unit: unit}
	for i, s := range y.samples {
		r.Figures = append(r.Figures, figure{fmt.Sprintf("m%d", i+1), of(s)})
	}
	return r
}

// level compares the end of a row of months with its beginning, of which the
// first month does not count: the mean of the last three with that of the
// three after the first. 1 is level.
func level(what string, r row) row {
	var values []float64
	for _, f := range r.Figures[min(1, len(r.Figures)-1):] {
		values = append(values, f.Value)
	}
	n := min(3, len(values))
	mean := func(of []float64) (sum float64) {
		for _, v := range of {
			sum += v
		}
		return sum / float64(len(of))
	}
	return single("  "+what+", the last months against the first", "times", mean(values[len(values)-n:])/mean(values[:n]))
}

func (y *yearlong) rows() []row {
	if len(y.samples) < 2 {
		return nil
	}
	way := y.months("  a mention's way once streamed, less server and model", "ms", func(s sample) float64 { return s.way })
	poll := y.months("  to take a mention in that a poll found", "ms", func(s sample) float64 { return s.poll })
	asked := y.months("  to be asked for the metrics", "ms", func(s sample) float64 { return s.scrape })
	memory := y.months("  memory", "MB", func(s sample) float64 { return s.memory })
	files := y.months("  open files", "files", func(s sample) float64 { return s.files })
	goroutines := y.months("  goroutines", "goroutines", func(s sample) float64 { return s.goroutines })
	rows := []row{
		y.months("a year: the database, after each month", "MB", func(s sample) float64 { return float64(s.contents.Bytes) / 1e6 }),
		y.months("  in use of that", "MB", func(s sample) float64 { return float64(s.contents.Used) / 1e6 }),
	}
	rows = append(rows, y.growth()...)
	if quantile([]float64{y.samples[0].memory}, 0) > 0 { // where the system tells
		rows = append(rows,
			memory, level("memory", memory).judge(aim{Under: 1.25}),
			files, level("open files", files).judge(aim{Under: 1.25}))
	}
	rows = append(rows,
		goroutines, level("goroutines", goroutines).judge(aim{Under: 1.25}),
		way, level("a mention's way", way),
		poll, level("a poll that finds a mention", poll),
		asked, level("to be asked for the metrics", asked),
		y.months("  backups kept", "files", func(s sample) float64 { return float64(s.copies) }),
		y.months("  mentions until then", "mentions", func(s sample) float64 { return float64(s.mentions) }))
	rows = append(rows, y.tables()...)
	return append(rows, y.troubles()...)
}

// retained is the month in which the first rows are let go, after 396 days.
const retained = 13

// growth is how much more of the database each mention and day takes, from the
// second month, when the first words are let go, to the last before rows are.
func (y *yearlong) growth() (rows []row) {
	month := monthOf(y.lab.days)
	full := min(len(y.samples), retained) - 1
	from := min(2, full-1)
	more := float64(y.samples[full].contents.Used - y.samples[from].contents.Used)
	rows = append(rows,
		single("  that is for each mention", "bytes", more/float64(y.samples[full].mentions-y.samples[from].mentions)),
		single("  and for each day", "kB", more/1e3/float64((full-from)*month)))
	if last := len(y.samples) - 1; last > full+1 { // one month is partly kept
		rows = append(rows, single("  in use at the end, against the month before rows were let go", "times",
			float64(y.samples[last].contents.Used)/float64(y.samples[full].contents.Used)))
	}
	return rows
}

// tables are the rows of each table that holds any, in each month.
func (y *yearlong) tables() (rows []row) {
	last := y.samples[len(y.samples)-1].contents.Rows
	for _, t := range slices.Sorted(maps.Keys(last)) {
		if last[t] > 20 { // the others have a row for each account, or each schedule
			rows = append(rows, y.months("  rows of "+t, "rows", func(s sample) float64 { return float64(s.contents.Rows[t]) }))
		}
	}
	return rows
}

// troubles are what the log complained of, and what had to be waited for.
func (y *yearlong) troubles() []row {
	y.log.mu.Lock()
	defer y.log.mu.Unlock()
	rows := []row{
		y.months("  jobs that were given up", "jobs", func(s sample) float64 { return s.failed }),
		single("  leaps of six minutes, for what had to wait for a limit", "leaps", float64(y.leaps)),
	}
	told := row{What: "  what the operator was told", Unit: "notices"}
	for _, key := range slices.Sorted(maps.Keys(y.log.operator)) {
		told.Figures = append(told.Figures, figure{key, float64(y.log.operator[key])})
	}
	if len(told.Figures) > 0 {
		rows = append(rows, told)
	}
	for _, message := range slices.Sorted(maps.Keys(y.log.warnings)) {
		rows = append(rows, single("  in the log: "+message, "times", float64(y.log.warnings[message])))
	}
	for _, text := range y.log.first {
		y.lab.say("(the log has: %s)", text)
	}
	return rows
}
