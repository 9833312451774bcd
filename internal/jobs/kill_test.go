package jobs_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/jobs"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// childEnv makes the test binary a process that works jobs until it is killed
// or its input ends: "directory|PostgreSQL URL".
const childEnv = "ROOKERY_JOBS_TEST_CHILD"

// chore writes an effect and is done in the same transaction, or, if Plain,
// writes an effect and returns.
type chore struct {
	N     int
	Plain bool
}

func (chore) Kind() string { return "test.chore" }

// choreQueue works chores. each is told before and after one.
func choreQueue(s *store.Store, each func(verb string, n int)) *jobs.Queue {
	q := jobs.New(jobs.Config{Store: s, Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
		Workers: map[string]int{jobs.DefaultQueue: 4}})
	jobs.Register(q, jobs.Kind{Timeout: time.Second}, func(ctx context.Context, j jobs.Job[chore]) error {
		each("begun", j.Args.N)
		err := s.Write(ctx, func(ctx context.Context, tx store.Tx) error {
			if _, err := tx.Exec(ctx, `insert into effect (id, n) values ($1, $2)`, int64(j.Args.N), int64(j.Attempt)); err != nil {
				return err
			}
			if j.Args.Plain {
				return nil
			}
			return j.Complete(ctx, tx)
		})
		if err == nil {
			each("done", j.Args.N)
		}
		return err
	})
	return q
}

func child() int {
	dir, url, _ := strings.Cut(os.Getenv(childEnv), "|")
	ctx := context.Background()
	s, err := store.Open(ctx, store.Config{Dir: dir, PostgresURL: url, MaxConns: 8})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	q := choreQueue(s, func(verb string, n int) { fmt.Printf("%s %d\n", verb, n) })
	if err := q.Start(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("ready")
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := q.Stop(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := s.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// process is a child and what it says.
type process struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	lines chan string // closed at its end
}

func spawn(t *testing.T, c store.Config) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), lines: make(chan string, 10_000)}
	p.cmd.Env = append(os.Environ(), childEnv+"="+c.Dir+"|"+c.PostgresURL)
	var errs book
	p.cmd.Stderr = &errs
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(p.lines)
		for scan := bufio.NewScanner(out); scan.Scan(); {
			p.lines <- scan.Text()
		}
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-read
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("a child said: %s", errs.String())
		}
	})
	return p
}

// say waits for the n-th line that begins so, and returns how many came.
func (p *process) say(t *testing.T, prefix string, n int) int {
	t.Helper()
	deadline := time.After(patience)
	for got := 0; got < n; {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return got
			}
			if strings.HasPrefix(line, prefix) {
				got++
			}
		case <-deadline:
			t.Fatalf("a child said %q %d times, not %d", prefix, got, n)
		}
	}
	return n
}

func (p *process) kill(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Kill(); err != nil { // SIGKILL
		t.Fatal(err)
	}
	for range p.lines { // until it is gone
	}
}

func (p *process) end(t *testing.T) {
	t.Helper()
	_ = p.in.Close()
	for range p.lines {
	}
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("a child ended badly: %v", err)
	}
}

func (w *world) chores(n int) {
	q := jobs.New(jobs.Config{Store: w.s})
	w.write(func(ctx context.Context, tx store.Tx) error {
		for i := range n {
			o := jobs.Opts{}
			if i%2 == 0 {
				o.Key = fmt.Sprint(i)
			}
			if err := q.Insert(ctx, tx, chore{N: i, Plain: i%5 == 0}, o); err != nil {
				return err
			}
		}
		return nil
	})
}

// checkEffects finds every chore done at least once.
func (w *world) checkEffects(n int) {
	w.t.Helper()
	var ids, rows int
	if err := w.s.QueryRow(w.t.Context(), `select count(distinct id), count(*) from effect`).Scan(&ids, &rows); err != nil {
		w.t.Fatal(err)
	}
	if ids != n {
		w.t.Errorf("%d of %d jobs had an effect", ids, n)
	}
	w.t.Logf("%d jobs had %d effects", ids, rows)
	var twice int
	if err := w.s.QueryRow(w.t.Context(), `select count(*) from (select id from effect where id % 5 <> 0 group by id having count(*) > 1) as t`).Scan(&twice); err != nil {
		w.t.Fatal(err)
	}
	if twice != 0 {
		w.t.Errorf("%d jobs that complete in the transaction of their effect had it twice", twice)
	}
}

func TestKilledAgainAndAgain(t *testing.T) {
	t.Parallel()
	const n = 300
	c := storetest.Config(t, store.SQLite)
	open := func() *world {
		s, err := store.Open(t.Context(), c)
		if err == nil {
			err = s.Migrate(t.Context(), jobs.Migrations(), effects)
		}
		if err != nil {
			t.Fatal(err)
		}
		return &world{t: t, s: s, clock: clock.System{}, log: &book{}}
	}
	w := open()
	w.chores(n)
	if err := w.s.Close(); err != nil {
		t.Fatal(err)
	}
	done := 0
	for range 6 {
		p := spawn(t, c)
		p.say(t, "ready", 1)
		done += p.say(t, "done", 25)
		p.kill(t)
	}
	if done < 100 {
		t.Errorf("only %d were done between the kills", done)
	}
	last := spawn(t, c)
	last.say(t, "ready", 1)
	w = open()
	defer w.s.Close()
	w.empty()
	last.end(t)
	w.checkEffects(n)
}

func TestTwoProcessesShareAndOneIsKilled(t *testing.T) {
	t.Parallel()
	const n = 300
	c := storetest.Config(t, store.Postgres)
	w := &world{t: t, s: storetest.Open(t, c, jobs.Migrations(), effects), clock: clock.System{}, log: &book{}}
	first := spawn(t, c) // and so the leader of River's maintenance
	first.say(t, "ready", 1)
	second := spawn(t, c)
	second.say(t, "ready", 1)
	w.chores(n)
	if first.say(t, "done", 10) < 10 || second.say(t, "done", 10) < 10 {
		t.Error("they did not share")
	}
	first.kill(t)
	w.empty()
	second.end(t)
	w.checkEffects(n)
}
