// Command bench measures the real program against the simulated services:
// how fast it takes mentions in and replies, what one mention's way costs by
// poll, by stream and under a long thread, whether many members are answered
// in turn, how long a request takes to its picture, what a large picture costs
// and what becomes of many requests, how soon what a member shares is posted and
// what that costs, what becomes of 500 submissions within an hour, how long it
// takes to start, how much memory and room it needs, and whether anything grows
// in a year. It prints one table, and beside it what the numbers depend on: the
// processors and what the disk takes to make a write safe. On Discord: how many
// messages it hears in a second, what it keeps in memory for 50 guilds, how
// soon a press is acknowledged, how long it takes to know 500 guilds; discordgo
// does the same beside it.
//
// The servers are simulated in this process (a model that answers at once, and
// rate limits off unless the part says otherwise); the program is built as for
// a release and runs as processes of its own, on SQLite in a folder of the disk
// that -dir names. With ROOKERY_TEST_POSTGRES set the rates and the ways are
// measured on PostgreSQL too; the aims are for SQLite.
// Simulators and program share the machine's processors, so that the rates are
// below what the program alone could do.
//
// All parts take forty minutes, most of it the year and the requests that wait;
// -only chooses. Converting is measured where there is an ffmpeg.
//
// How each thing is measured stands at the function that measures it. What a
// change costs one tells by running this before and after: it keeps no history.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// options are what a person chose.
type options struct {
	mentions  int
	members   int
	way       int
	days      int
	requests  int
	megabytes int
	runs      int
	only      string
	dir       string
	json      string
	program   string

	photo       float64
	submissions int
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == measureWord {
		os.Exit(measureChild(os.Args[2:]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := bench(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

// bench reads the flags, measures and prints. progress gets a line before each
// part.
func bench(ctx context.Context, args []string, out, progress io.Writer) error {
	var o options
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(progress)
	f.Usage = func() {
		fmt.Fprint(progress, "Measures the program. The parts:\n")
		for _, p := range parts() {
			fmt.Fprintf(progress, "  %-8s%s\n", p.name, p.about)
		}
		fmt.Fprint(progress, "\nThe flags:\n")
		f.PrintDefaults()
	}
	f.IntVar(&o.mentions, "mentions", 10_000, "how many mentions wait, for the rates and for fairness")
	f.IntVar(&o.members, "members", 200, "by how many members these are, for fairness")
	f.IntVar(&o.way, "way", 200, "how many mentions go their way one after the other; a quarter of them under a long thread; half as many requests for a GIF, and for a film")
	f.IntVar(&o.days, "days", 450, "how many days the year has; 396 pass before the first rows are let go")
	f.IntVar(&o.requests, "requests", 1_000, "how many requests for pictures wait, by as many members as -members says")
	f.IntVar(&o.megabytes, "megabytes", 25, "how large the GIF is whose conversion is measured")
	f.Float64Var(&o.photo, "photo", 5, "how large each photograph is whose sharing is measured, in megabytes; it has 12 megapixels at 5")
	f.IntVar(&o.submissions, "submissions", 500, "how many submissions come within an hour")
	f.IntVar(&o.runs, "runs", 5, "how often what is short is measured")
	f.StringVar(&o.only, "only", "", "measure these parts alone, with commas between: "+strings.Join(partNames(), ", "))
	f.StringVar(&o.dir, "dir", os.TempDir(), "folder on the disk to measure; all that is written goes into a new folder inside, and is removed")
	f.StringVar(&o.program, "program", "", "measure this program, not one built for it")
	f.StringVar(&o.json, "json", "", "file to write the numbers to, as JSON")
	if err := f.Parse(args); err != nil {
		return err
	}
	switch {
	case f.NArg() > 0:
		return fmt.Errorf("%q is no flag: bench takes flags only", f.Arg(0))
	case o.mentions < 2 || o.way < 1 || o.runs < 1:
		return errors.New("-mentions must be at least 2, -way and -runs at least 1")
	case o.days < 4:
		return errors.New("-days must be at least 4")
	case o.requests < 1:
		return errors.New("-requests must be at least 1")
	case o.megabytes < 1 || o.megabytes > 40:
		return errors.New("-megabytes must be from 1 to 40, which is the most that the program fetches")
	case !(o.photo >= 0.1 && o.photo <= 9):
		return errors.New("-photo must be from 0.1 to 9: the largest file that Discord takes has 10 MB")
	case o.submissions < 1 || o.submissions > 1_000:
		return errors.New("-submissions must be from 1 to 1000, which is what a server can allow in an hour")
	case o.members < 1 || o.members > o.mentions:
		return fmt.Errorf("-members must be at least 1 and at most -mentions, which is %d", o.mentions)
	}
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	r, err := measure(ctx, o, chosen, progress)
	if err != nil {
		return err
	}
	r.print(out)
	if o.json != "" {
		return r.save(o.json)
	}
	return nil
}

// part is a group of rows that are measured together.
type part struct {
	name    string
	about   string
	measure func(context.Context, *lab) ([]row, error)
}

func parts() []part {
	return []part{
		{"rates", "taking in and replying", rates},
		{"way", "the way of one mention that a poll tells of", way},
		{"stream", "the same of one that a stream tells of", stream},
		{"prompt", "the same under a thread of 500 posts", prompt},
		{"fair", "who is answered when many members wait", fair},
		{"picture", "a request's way to its picture", picture},
		{"convert", "memory while a picture of 25 MB is converted", convert},
		{"queue", "what becomes of many requests for pictures at once", queue},
		{"gallery", "from “Post publicly” to the post, and memory meanwhile", gallery},
		{"rush", "what becomes of 500 submissions within an hour", rush},
		{"once", "single passes", once},
		{"start", "starting and resting", start},
		{"year", "a year of operation on a simulated clock, and what grows", year},
		{"discord", "hearing, resting and answering on Discord", onDiscord},
		{"size", "the program's file", size},
	}
}

func partNames() (names []string) {
	for _, p := range parts() {
		names = append(names, p.name)
	}
	return names
}

// choose reads -only.
func choose(only string) ([]part, error) {
	all := parts()
	if only == "" {
		return all, nil
	}
	names := strings.Split(only, ",")
	for _, name := range names {
		if !slices.Contains(partNames(), name) {
			return nil, fmt.Errorf("-only %s: there is no such part; the parts are %s", name, strings.Join(partNames(), ", "))
		}
	}
	return slices.DeleteFunc(all, func(p part) bool { return !slices.Contains(names, p.name) }), nil
}

// lab is where the parts are measured.
type lab struct {
	options
	binary   string
	cluster  string // URL of a PostgreSQL, empty for none
	progress io.Writer
	folders  int
}

// say tells what is being measured now.
func (l *lab) say(format string, args ...any) {
	fmt.Fprintf(l.progress, "measuring "+format+"\n", args...)
}

// folder makes a new one on the measured disk.
func (l *lab) folder() (string, error) {
	l.folders++
	dir := filepath.Join(l.dir, fmt.Sprint(l.folders))
	if err := os.Mkdir(dir, 0o700); err != nil {
		return "", fmt.Errorf("make a folder to measure in: %w", err)
	}
	return dir, nil
}

func measure(ctx context.Context, o options, chosen []part, progress io.Writer) (_ *report, err error) {
	began := time.Now()
	dir, err := os.MkdirTemp(o.dir, "rookery-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder to measure in: %w", err)
	}
	defer func() {
		if e := os.RemoveAll(dir); e != nil {
			err = errors.Join(err, fmt.Errorf("remove the folder that was measured in: %w", e))
		}
	}()
	r := &report{}
	if r.Machine, err = machineAt(dir); err != nil {
		return nil, err
	}
	l := &lab{options: o, cluster: os.Getenv("ROOKERY_TEST_POSTGRES"), progress: progress}
	l.dir = dir
	if l.binary = o.program; l.binary == "" {
		fmt.Fprintln(progress, "building the program")
		l.binary, err = build(ctx, dir)
	} else {
		l.binary, err = filepath.Abs(l.binary)
	}
	if err != nil {
		return nil, err
	}
	before := loadNow()
	for _, p := range chosen {
		rows, err := p.measure(ctx, l)
		if err != nil {
			return nil, fmt.Errorf("measure %s: %w", p.about, err)
		}
		for i := range rows {
			rows[i].Part = p.name
		}
		r.Rows = append(r.Rows, rows...)
	}
	r.Seconds, r.Others = time.Since(began).Seconds(), others(before, loadNow())
	return r, nil
}
