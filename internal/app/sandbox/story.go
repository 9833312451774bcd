package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"rookery/internal/sim/fedisim"
)

const (
	// patience is how long a story waits for one thing to happen.
	patience = 30 * time.Second
	// betweenSteps passes between two steps of a story that moves the time, so
	// that no step is slowed down by what was asked for in the one before.
	betweenSteps = time.Minute
	// stopLimit is how long the bot may take to end: it promises 8 seconds for
	// the work under way, and some machines are slow.
	stopLimit = 15 * time.Second
)

// story is something to watch: what happens, step by step, and what must hold.
type story struct {
	name    string
	summary string   // in one line, for the list of stories
	intro   []string // three lines that say what is being shown
	steps   []step

	settings settings // of the bot's configuration, at the beginning
}

// stories lists what can be played. A new story is one more line.
func stories() []story {
	return []story{mention(), persona(), gif(), discord(), sharing()}
}

// step is one part of a story. An error of play says that the story cannot go
// on; what merely is not as it should be is told to stage.check.
type step struct {
	title string
	play  func(*stage) error
}

// state says what became of a step.
type state string

const (
	held      state = "held"
	broken    state = "DID NOT HOLD"
	notPlayed state = "not played"
)

// unmet is an expectation that did not come true. It is an error, so that a
// step can end with it.
type unmet struct{ expected, seen string }

func (u *unmet) Error() string { return "expected " + u.expected + "; seen: " + u.seen }

// outcome is what became of a step.
type outcome struct {
	title string
	state state
	took  time.Duration
	unmet []unmet
}

// question is a post that mentions the bot.
type question struct {
	post  fedisim.Post
	note  string // id of the bot's notification of it
	what  string // in a few words, for the table
	want  int    // replies it shall have
	model int    // how often the model had been asked before
}

// count is a row of the table of replies.
type count struct {
	what      string
	want, got int
}

// stage is where a story is played.
type stage struct {
	*world
	ctx   context.Context // ends with the story's time
	bot   *child
	out   io.Writer
	began time.Time

	failed    []unmet // of the step being played
	questions []*question
	guild     guild // on Discord
	works     works // that were shared from there
	told      int   // messages to Olga that were expected so far
}

// say prints a line of what is happening.
func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.out, "    %5.1f s  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// check notes that something expected is not so.
func (s *stage) check(ok bool, expected, seen string) {
	if !ok {
		s.failed = append(s.failed, unmet{expected, seen})
	}
}

// wait waits until cond holds; it is asked after every change on the simulated
// server. The error is an *unmet with what is seen instead.
func (s *stage) wait(expected string, cond func() bool, seen func() string) error {
	return s.waitOn(func(ctx context.Context) error {
		return s.fedi.WaitFor(ctx, func(*fedisim.Server) bool { return cond() })
	}, expected, seen)
}

// waitOn is wait with another server's changes.
func (s *stage) waitOn(changes func(context.Context) error, expected string, seen func() string) error {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	defer func() { cancel(); wg.Wait() }()
	p := s.bot.current()
	if p != nil {
		wg.Go(func() {
			select {
			case <-p.done:
				close(ended)
				cancel()
			case <-ctx.Done():
			}
		})
	}
	err := changes(ctx)
	if err == nil {
		return nil
	}
	select {
	case <-ended:
		return &unmet{expected, "the bot ended by itself, " + p.ending() + ". " + s.bot.lastWords()}
	default:
	}
	if why := s.over(); why != "" {
		return &unmet{expected, why + "; until then: " + seen()}
	}
	return &unmet{expected, fmt.Sprintf("nothing of it within %s; instead: %s", patience, seen())}
}

// over says why the whole story has ended early; "" if it has not.
func (s *stage) over() string {
	switch {
	case s.ctx.Err() == nil:
		return ""
	case errors.Is(context.Cause(s.ctx), errTimeUp):
		return errTimeUp.Error()
	}
	return "the story was interrupted"
}

var errTimeUp = errors.New("the story's time was up (--time-limit)")

// startBot starts the bot and waits until it reads its notifications.
func (s *stage) startBot() error {
	mark := s.mark()
	if err := s.bot.start(s.ctx); err != nil {
		return &unmet{"the bot starts", err.Error()}
	}
	return s.wait("the bot starts, logs in and reads its notifications",
		func() bool { return s.looks(mark) > 0 },
		func() string { return counted(s.mark()-mark, "request", "requests") + " from it" })
}

// post has a member post, and says so. what describes a mention in a few words
// for the table of replies; want is how many replies it shall have.
func (s *stage) post(who *fedisim.Account, what string, want int, text string, opts ...fedisim.PostOption) *question {
	asked := s.model.Count()
	p := who.Post(text, opts...)
	q := &question{post: p, what: what, want: want, model: asked}
	for _, n := range s.fedi.Notifications(s.elelem.ID) {
		if n.PostID == p.ID {
			q.note = n.ID
		}
	}
	if what != "" {
		s.questions = append(s.questions, q)
	}
	how := ""
	switch p.Visibility {
	case "direct":
		how = ", direct"
	case "private":
		how = ", for followers only"
	}
	if p.CW != "" {
		how += ", behind the content warning “" + p.CW + "”"
	}
	s.say("%s posts%s: %s", who.Name, how, oneLine(p.Text))
	return q
}

// replies lists the bot's replies to a question.
func (s *stage) replies(q *question) []fedisim.Post {
	var out []fedisim.Post
	for _, p := range s.fedi.Replies(q.post.ID) {
		if p.AccountID == s.elelem.ID {
			out = append(out, p)
		}
	}
	return out
}

// answered waits for a reply, and then for the bot to be done with the
// question.
func (s *stage) answered(q *question) (fedisim.Post, error) {
	err := s.wait("a reply to “"+shortened(q.post.Text)+"”",
		func() bool { return len(s.replies(q)) > 0 },
		func() string {
			return fmt.Sprintf("no reply; the model was asked %s since", times(s.model.Count()-q.model))
		})
	if err != nil {
		return fedisim.Post{}, err
	}
	reply := s.replies(q)[0]
	s.say("Elelem replies: %s", oneLine(reply.Text))
	return reply, s.finished(q)
}

// finished waits for the bot to be done with a question that it has replied
// to, as far as its server lets it show that.
func (s *stage) finished(q *question) error {
	if !s.dismisses() {
		mark := s.mark()
		return s.wait("the bot reads its notifications twice more", func() bool { return s.looks(mark) >= 2 },
			func() string { return times(s.looks(mark)) })
	}
	return s.wait("the bot is done with that mention and takes it off its notifications",
		func() bool { return slices.Contains(s.fedi.Dismissed(s.elelem.ID), q.note) },
		func() string { return "the notification is still there" })
}

// checkOne checks that a question has one reply, which is as wide as it should
// be and addresses only the asker.
func (s *stage) checkOne(q *question, reply fedisim.Post, visibility string) {
	n := len(s.replies(q))
	s.check(n == 1, "exactly one reply", counted(n, "reply", "replies"))
	s.check(reply.Visibility == visibility, "the reply is "+visibility, "it is "+reply.Visibility)
	s.check(len(reply.Mentions) == 1 && reply.Mentions[0] == q.post.Acct,
		"the reply mentions only @"+q.post.Acct, "it mentions: "+strings.Join(reply.Mentions, ", "))
}

func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// counted is a number and its noun.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// oneLine is a text without its line breaks.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

func shortened(text string) string {
	if r := []rune(text); len(r) > 50 {
		return string(r[:50]) + "…"
	}
	return text
}

// closing are the steps that end every story. They are played as long as the
// bot runs, whatever became of the others.
func closing() []step {
	return []step{
		{"Asked to stop (" + stopSignal + "), the bot ends in order and in time", func(s *stage) error {
			if !s.bot.running() {
				return &unmet{"the bot still runs", "it does not"}
			}
			began := time.Now()
			if err := s.bot.stop(stopLimit); err != nil {
				return &unmet{"exit status 0 within " + stopLimit.String(), err.Error()}
			}
			s.say("The bot has ended with exit status 0, %.1f s after it was asked.", time.Since(began).Seconds())
			return nil
		}},
		{"Counted at the end: no mention has a reply too many or too few", func(s *stage) error {
			for _, c := range s.counts() {
				s.check(c.got == c.want, counted(c.want, "reply", "replies")+" to: "+c.what, counted(c.got, "reply", "replies"))
			}
			s.checkGuild()
			s.checkGallery()
			return s.checkNothingLeft()
		}},
	}
}

// counts tells how many replies each mention has.
func (s *stage) counts() []count {
	rows := make([]count, len(s.questions))
	for i, q := range s.questions {
		rows[i] = count{q.what, q.want, len(s.replies(q))}
	}
	return rows
}

// play plays a story and prints it. It reports whether every step held.
func (s *stage) play(t story) ([]outcome, bool) {
	steps := append(t.steps[:len(t.steps):len(t.steps)], closing()...)
	outcomes := make([]outcome, len(steps))
	stuck, all := false, true
	for i, st := range steps {
		outcomes[i] = outcome{title: st.title, state: notPlayed}
		last := i >= len(t.steps)
		if (stuck || s.over() != "") && (!last || !s.bot.running()) {
			all = false
			continue
		}
		fmt.Fprintf(s.out, "\n%d of %d: %s\n", i+1, len(steps), st.title)
		s.pass(betweenSteps)
		s.failed = nil
		began := time.Now()
		err := st.play(s)
		var u *unmet
		switch {
		case errors.As(err, &u):
			s.failed = append(s.failed, *u)
		case err != nil:
			s.failed = append(s.failed, unmet{"the step can be played", err.Error()})
		}
		stuck = stuck || err != nil
		outcomes[i].took, outcomes[i].unmet = time.Since(began), s.failed
		outcomes[i].state = held
		if len(s.failed) > 0 {
			outcomes[i].state, all = broken, false
		}
		s.say("%s", strings.ToUpper(string(outcomes[i].state[:1]))+string(outcomes[i].state[1:])+".")
	}
	return outcomes, all
}
