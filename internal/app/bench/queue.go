package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

const (
	// queueSpeed is how much faster than ours the time runs while requests
	// wait. The faster, the more of it what is under way takes.
	queueSpeed = 10
	// Where nothing happens for so long the time leaps: a little first, then
	// further, but by much less than a window of the server's limits.
	queueStill = 600 * time.Millisecond
	queueAgain = 250 * time.Millisecond // after a leap
	firstLeap  = 5 * time.Second
	lastLeap   = 2 * time.Minute
	// queueLongest is after which time whatever has not ended never will.
	queueLongest = 72 * time.Hour
)

// queue measures what becomes of many requests that wait at once, of many
// members, under the limits as they are shipped: once on a server with
// Mastodon's limits (30 uploads in half an hour), and once without any. All
// are taken in first; then `run` shows pictures, on a clock that runs faster
// and leaps where nothing happens.
//
// Most members ask for less than the program keeps of one, and a quarter for
// more. A request may end in four ways: with its picture; declined, with a word
// to its member that enough waits already; expired after a day, with a word
// long before that it takes longer; or lost, which is everything else.
func queue(ctx context.Context, l *lab) (rows []row, err error) {
	for _, limited := range []bool{true, false} {
		more, err := queued(ctx, l, limited)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// asks is how many requests each member makes, the quarter who ask more last.
// Some more or fewer come out where the numbers do not divide.
func asks(requests, members int) []int {
	each := max(1, requests/members)
	all := make([]int, members)
	for i := range all {
		all[i] = max(1, each-2)
		if i >= members-members/4 {
			all[i] = each + 6
		}
	}
	return all
}

// queueing is a world with requests that wait.
type queueing struct {
	*world
	address string
	asked   []fedisim.Post
	began   time.Time // when the program began, by its clock
}

func queued(ctx context.Context, l *lab, limited bool) (rows []row, err error) {
	each := asks(l.requests, min(l.members, l.requests))
	q := &queueing{}
	total := 0
	for _, n := range each {
		total += n
	}
	limits := "on Mastodon"
	if !limited {
		limits = "on a server without limits"
	}
	l.say("what becomes of %d requests of %d members, %s", total, len(each), limits)
	if q.address, err = freePort(ctx); err != nil {
		return nil, err
	}
	im := ball()
	im.Width, im.Height, im.Frames = 64, 48, 4
	pictures := make([]boorusim.Image, 2*total) // none is shown twice
	for i := range pictures {
		pictures[i] = im
	}
	q.world, err = newWorld(ctx, l, setup{public: limited, backlog: true, people: len(each), pictures: pictures,
		more: fmt.Sprintf("[web]\nlisten = %q\n", q.address)})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, q.close()) }()
	for i, n := range each {
		for range n {
			q.hand.set(-time.Minute + time.Duration(len(q.asked))*time.Minute/time.Duration(total))
			text, _ := q.wish(len(q.asked))
			q.asked = append(q.asked, q.people[i].Post(text))
		}
	}
	q.hand.set(0)
	if _, _, err := q.whole(ctx, shows("once", "--replies", "0")...); err != nil {
		return nil, err
	}
	q.began = q.hand.now()
	p, err := q.start(ctx, nil, q.followed(shows("run")...)...)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	if err := q.drain(ctx, p); err != nil {
		return nil, err
	}
	end, err := q.ended(ctx)
	if err != nil {
		return nil, err
	}
	p.kill()
	if end.lost > 0 {
		l.say("(lost: %s)", strings.Join(end.seen, "; "))
	}
	return end.rows(fmt.Sprintf("%d requests of %d members, %s", total, len(each), limits)), nil
}

// drain returns when nothing waits or is under way.
func (q *queueing) drain(ctx context.Context, p *process) error {
	var acts atomic.Int64
	q.gate.listen(func(passed passage) {
		if !passed.notifications() {
			acts.Add(1)
		}
	})
	defer q.gate.listen(nil)
	q.hand.quicken(queueSpeed)
	defer q.hand.quicken(1)
	look := time.NewTicker(40 * time.Millisecond)
	defer look.Stop()
	began := time.Now()
	seen, last, wait, leap := acts.Load(), time.Now(), queueStill, firstLeap
	for {
		select {
		case <-look.C:
		case <-p.done:
			return fmt.Errorf("the program ended: %s\n%s", p.cmd.ProcessState, p.log.tail())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		acts.Add(int64(len(q.board.visited())))
		if n := acts.Load(); n != seen {
			seen, last, wait, leap = n, time.Now(), queueStill, firstLeap
			continue
		}
		if time.Since(last) < wait {
			continue
		}
		m, err := scrape(ctx, q.address)
		switch {
		case err != nil && time.Since(began) > patience(0):
			return err
		case err != nil: // it has only just started
		case m.quiet():
			return nil
		case q.hand.now().Sub(q.began) > queueLongest:
			return fmt.Errorf("after %s something still waits: %s; the program's log ends with:\n%s", queueLongest, m.waiting(), p.log.tail())
		default:
			if err := q.hand.jump(ctx, p, leap); err != nil {
				return err
			}
			wait, leap = queueAgain, min(2*leap, lastLeap)
		}
		last = time.Now()
	}
}

// end is what became of the requests.
type end struct {
	pictures, words int // replies to requests
	declined        int // and the member was told
	expired         int
	lost            int
	seen            []string // of those, for whoever looks for a mistake
	full, later     int      // notices
	twice           int
	lead            int
	half, hours     float64 // until half of the pictures were there, and the last
}

// record is what the program itself has noted of a request.
type record struct{ state, reason string }

// records are those of all requests, by post.
func (q *queueing) records(ctx context.Context) (map[string]record, error) {
	db, err := q.reading()
	if err != nil {
		return nil, err
	}
	defer db.Close()
	rows, err := db.QueryContext(ctx, `select post_id, state, reason from inbox_mention`)
	if err != nil {
		return nil, fmt.Errorf("look into the database: %w", err)
	}
	defer rows.Close()
	all := map[string]record{}
	for rows.Next() {
		var post string
		var r record
		if err := rows.Scan(&post, &r.state, &r.reason); err != nil {
			return nil, fmt.Errorf("look into the database: %w", err)
		}
		all[post] = r
	}
	return all, rows.Err()
}

// ended sorts the requests by what became of them.
func (q *queueing) ended(ctx context.Context) (e end, err error) {
	noted, err := q.records(ctx)
	if err != nil {
		return e, err
	}
	toldFull, toldLater := map[string]bool{}, map[string]bool{} // members
	answers := map[string][]fedisim.Post{}                      // by request
	var order []string                                          // of members who got a picture
	var came []time.Duration
	for _, post := range q.fedi.PostsBy(q.bot.ID) {
		asked, ok := q.fedi.Post(post.InReplyTo)
		if !ok {
			return e, fmt.Errorf("the bot answered %q, which is not there", post.InReplyTo)
		}
		switch {
		case len(post.Media) > 0:
			order = append(order, asked.AccountID)
			came = append(came, post.CreatedAt.Sub(q.began))
			answers[asked.ID] = append(answers[asked.ID], post)
		case strings.Contains(post.Text, words.English.Say(words.GIFsLater, nil)):
			e.later++
			toldLater[asked.AccountID] = true
		case isFull(post.Text):
			e.full++
			toldFull[asked.AccountID] = true
		default:
			answers[asked.ID] = append(answers[asked.ID], post)
		}
	}
	got := map[string]int{}
	for _, who := range order {
		got[who]++
	}
	for _, asked := range q.asked {
		r, all := noted[asked.ID], answers[asked.ID]
		e.twice += max(0, len(all)-1)
		switch {
		case len(all) > 0 && len(all[0].Media) > 0:
			e.pictures++
		case len(all) > 0:
			e.words++
		case r.state == "declined" && toldFull[asked.AccountID]:
			e.declined++
		case r.state == "expired" && toldLater[asked.AccountID]:
			e.expired++
		default:
			if e.lost++; len(e.seen) < 5 {
				e.seen = append(e.seen, fmt.Sprintf("%s: %s %s", asked.Acct, r.state, r.reason))
			}
		}
	}
	e.lead = ahead(order, got)
	if len(came) > 0 {
		e.half, e.hours = came[(len(came)-1)/2].Hours(), came[len(came)-1].Hours()
	}
	return e, nil
}

// isFull tells the notice that enough requests wait already.
func isFull(text string) bool {
	for n := range 100 {
		if strings.Contains(text, words.English.Say(words.GIFsQueueFull, words.Args{"n": n})) {
			return true
		}
	}
	return false
}

// ahead is the most turns that a member had more than another who still had
// some to come; had is how many each had in the end.
func ahead(order []string, had map[string]int) (lead int) {
	turns := map[string]int{}
	for _, who := range order {
		turns[who]++
		for other, all := range had {
			if turns[other] < all {
				lead = max(lead, turns[who]-turns[other])
			}
		}
	}
	return lead
}

func (e end) rows(what string) []row {
	return []row{
		single(what+": pictures", "requests", float64(e.pictures)),
		single("  answered in words", "requests", float64(e.words)),
		single("  declined and told so, for enough of theirs waited", "requests", float64(e.declined)),
		single("  expired, and told long before that it takes longer", "requests", float64(e.expired)),
		single("  lost", "requests", float64(e.lost)).judge(aim{Under: 1}),
		single("  answered twice", "requests", float64(e.twice)).judge(aim{Under: 1}),
		{What: "  notices", Unit: "messages", Figures: []figure{{"enough waits", float64(e.full)}, {"it takes longer", float64(e.later)}}},
		// Two, for those that are made at once overtake each other.
		single("  the most a member was ahead of another who waited", "requests", float64(e.lead)).judge(aim{Under: 3}),
		{What: "  until then, by the simulated clock", Unit: "hours", Figures: []figure{{"half of the pictures", e.half}, {"the last", e.hours}}},
	}
}
