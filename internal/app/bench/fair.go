package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rookery/internal/sim/fedisim"
)

// fairParallel is how many answers are made at once where fairness is
// measured: the more, the further one may overtake another.
const fairParallel = 4

// fair measures who is answered when many members wait, each with as many
// mentions, that came member by member. All are taken in first; then `run`
// answers.
//
// In rounds means: after as many replies as there are members, each of them
// has one, and so on.
func fair(ctx context.Context, l *lab) (rows []row, err error) {
	each := l.mentions / l.members
	total := each * l.members
	l.say("the replying to %d members with %d mentions each", l.members, each)
	w, err := newWorld(ctx, l, setup{poll: longPoll, parallel: fairParallel, backlog: true, people: l.members})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	for i := range total {
		w.hand.set(-2*time.Hour + time.Duration(i)*time.Hour/time.Duration(total))
		w.people[i/each].Post(w.question(i))
	}
	w.hand.set(0)
	if _, _, err := w.whole(ctx, "once", "--replies", "0"); err != nil {
		return nil, err
	}
	if known, waiting, err := w.count(ctx); err != nil || known != total || waiting != total {
		return nil, errors.Join(err, fmt.Errorf("after the taking in %d of %d mentions are stored and %d wait", known, total, waiting))
	}

	c := &counter{mentions: total, replied: make(chan struct{})}
	var memory []float64 // at the first reply, in the middle, and at the last
	pid := make(chan int, 1)
	w.gate.listen(func(p passage) {
		if n := c.replies + 1; p.reply() && (n == 1 || n == (total+1)/2 || n == total) {
			id := <-pid
			if now, _, err := memoryOf(id); err == nil && now > 0 {
				memory = append(memory, float64(now)/1e6)
			}
			pid <- id
		}
		c.pass(p)
	})
	p, err := w.start(ctx, nil, "run")
	if err != nil {
		return nil, err
	}
	defer p.kill()
	pid <- p.cmd.Process.Pid
	if err := p.await(ctx, "the last reply", c.replied, patience(total)); err != nil {
		return nil, err
	}
	p.kill()
	w.gate.listen(nil)
	if err := w.answeredOnce(total); err != nil {
		return nil, err
	}

	order, err := w.askers()
	if err != nil {
		return nil, err
	}
	lead, outOfTurn := rounds(order, l.members)
	came := make([]string, total) // as the mentions came
	for i := range came {
		came[i] = w.people[i/each].ID
	}
	first, _ := rounds(came, l.members)
	rows = []row{
		single(fmt.Sprintf("replied, %d members in turn, %d at once", l.members, fairParallel), "replies/s", c.repliedRate()),
		// Two, for those that are made at once overtake each other.
		single("  the most a member was ahead of another", "replies", float64(lead)).judge(aim{Under: 3}),
		single("  the same in the order in which they came", "replies", float64(first)),
		single("  the most members out of turn after any round", "members", float64(outOfTurn)),
	}
	if len(memory) == 3 {
		r := row{What: "  memory at the first reply, in the middle, at the last", Unit: "MB"}
		for i, name := range []string{"first", "middle", "last"} {
			r.Figures = append(r.Figures, figure{name, memory[i]})
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// askers are the members whom the bot has answered, in the order of the
// replies.
func (w *world) askers() ([]string, error) {
	posts := w.fedi.PostsBy(w.bot.ID)
	slices.SortStableFunc(posts, func(a, b fedisim.Post) int { return a.CreatedAt.Compare(b.CreatedAt) })
	var order []string
	for _, p := range posts {
		asked, ok := w.fedi.Post(p.InReplyTo)
		if !ok {
			return nil, fmt.Errorf("the bot answered %q, which is not there", p.InReplyTo)
		}
		order = append(order, asked.AccountID)
	}
	return order, nil
}

// rounds tells how far an order is from each of the members having one turn
// after the other. lead is the most turns that one had more than another at
// any moment: 1 if all is in order (0 of one member alone). outOfTurn is how many members, after the
// worst of the rounds, had not had as many turns as there were rounds.
func rounds(order []string, members int) (lead, outOfTurn int) {
	turns := map[string]int{}
	for i, who := range order {
		turns[who]++
		least, most := turns[who], turns[who]
		for _, n := range turns {
			least, most = min(least, n), max(most, n)
		}
		if len(turns) < members {
			least = 0
		}
		lead = max(lead, most-least)
		if (i+1)%members != 0 {
			continue
		}
		wrong := members - len(turns)
		for _, n := range turns {
			if n != (i+1)/members {
				wrong++
			}
		}
		outOfTurn = max(outOfTurn, wrong)
	}
	return lead, outOfTurn
}
