package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"rookery/internal/sim/fedisim"
)

const (
	threadPosts = 500
	// wholePrompt has room for all of such a thread; as the program is shipped
	// most of it is left out.
	wholePrompt = 2_000_000
)

// prompt measures a mention under a long thread: the way of the whole mention,
// beside one without a thread, and the assembly of the prompt alone, which is
// a benchmark of package persona.
func prompt(ctx context.Context, l *lab) (rows []row, err error) {
	n := max(1, l.way/4)
	l.say("the way of %d mentions under %d posts", n, threadPosts)
	alone, err := underThread(ctx, l, n, 0, 0)
	if err != nil {
		return nil, err
	}
	rows = append(rows, shares("a mention's way without a thread, less server and model", "ms", alone.own))
	for _, t := range []struct {
		what  string
		limit int
	}{{"the shipped prompt", 0}, {"all in the prompt", wholePrompt}} {
		u, err := underThread(ctx, l, n, threadPosts, t.limit)
		if err != nil {
			return nil, err
		}
		rows = append(rows,
			shares(fmt.Sprintf("a mention's way under %d posts, %s", threadPosts, t.what), "ms", u.own),
			shares("  to read the thread and ask the model", "ms", u.asking),
			single("  the thread, as the server tells of it", "kB", float64(u.length)/1e3),
			single("  the prompt", "characters", float64(u.chars)))
		if u.peak > 0 {
			rows = append(rows, single("  peak memory meanwhile", "MB", u.peak))
		}
	}
	l.say("the assembly of a prompt")
	assembled, err := assembly(ctx)
	return append(rows, assembled...), err
}

// under are the ways of mentions under a thread.
type under struct {
	times
	length int     // of the thread, in bytes of the server's answer
	chars  int     // of the prompt
	peak   float64 // MB
}

// underThread measures n mentions that each answer the last post of the same
// thread.
func underThread(ctx context.Context, l *lab, n, posts, limit int) (u under, err error) {
	w, err := newWorld(ctx, l, setup{poll: wayPoll, parallel: 1, prompt: limit})
	if err != nil {
		return u, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.past(1)
	thread := w.fedi.Thread(posts, func(i int) fedisim.Line {
		return fedisim.Line{By: w.people[i%len(w.people)], Text: saying(i)}
	})
	p, err := w.rested(ctx, 3)
	if err != nil {
		return u, err
	}
	defer p.kill()
	for i := 1; i <= warmUps+n; i++ {
		s, err := w.follow(ctx, p, i, func(i int) {
			var opts []fedisim.PostOption
			if posts > 0 {
				opts = append(opts, fedisim.ReplyTo(thread[posts-1].ID))
			}
			w.people[i%len(w.people)].Post(w.question(i), opts...)
		})
		if err != nil {
			return u, err
		}
		if i <= warmUps {
			continue
		}
		if err := u.add(w, s, s.answer); err != nil {
			return u, err
		}
		u.length = s.length
	}
	for _, m := range w.model.Requests()[0].Messages {
		u.chars += utf8.RuneCountInString(m.Text)
	}
	if _, peak, err := memoryOf(p.cmd.Process.Pid); err == nil {
		u.peak = float64(peak) / 1e6
	}
	p.kill()
	return u, w.answeredOnce(warmUps + n)
}

// saying is a post of a thread: as long as posts are, and unlike the others.
func saying(i int) string {
	words := strings.Fields("brackets come and go but the clockwork owl on my shelf has seen every compiler since the first and says that " +
		"nobody reads the second error either which is why there has to be a third")
	var b strings.Builder
	fmt.Fprintf(&b, "Number %d of this: ", i)
	for k := range 40 {
		b.WriteString(words[(i*7+k*(1+i%5))%len(words)])
		b.WriteByte(' ')
	}
	return b.String()
}

// assemblyOf reads a line of the benchmark's.
var assemblyOf = regexp.MustCompile(`(?m)^BenchmarkPromptOf500Posts/([a-z]+)\S*\s+\d+\s+(\d+) ns/op\s+(\d+) B/op\s+(\d+) allocs/op`)

// assembly runs persona's own benchmark.
func assembly(ctx context.Context) ([]row, error) {
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^BenchmarkPromptOf500Posts$", "-benchtime", "0.5s", "rookery/internal/persona")
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("run the benchmark of the prompt: %w\n%s", err, out)
	}
	var rows []row
	for _, m := range assemblyOf.FindAllSubmatch(out, -1) {
		var v [3]float64
		for i := range v {
			v[i], _ = strconv.ParseFloat(string(m[2+i]), 64) // digits
		}
		rows = append(rows,
			single(fmt.Sprintf("assembly of the prompt of %d posts, %s", threadPosts, m[1]), "ms", v[0]/1e6),
			single("  memory that it takes on the way", "kB", v[1]/1e3),
			single("  pieces of memory", "allocations", v[2]))
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("the benchmark of the prompt says nothing that can be read:\n%s", out)
	}
	return rows, nil
}
