package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

const (
	rushArtists = 50
	rushLasts   = time.Hour // in which they all come, evenly
	// rushStill is how long nothing happens before the time leaps to when
	// something is due.
	rushStill = 150 * time.Millisecond
	// rushLongest is after which time whatever has not been posted never will:
	// an offer that was agreed to goes back to its artist after three days.
	rushLongest = 72 * time.Hour
	// One in so many uploads and posts is answered with a 429 that the program
	// could not foresee: somebody else uses the account too.
	rushRefused = 40
	rushPause   = 90 * time.Second
)

// rush measures what becomes of many submissions within an hour, by fifty
// artists, on a Mastodon with its rate limits (30 uploads in half an hour, 300
// posts in three hours, 300 requests in five minutes), which besides refuses
// one in forty uploads and posts; Discord has its limits too. The time is the
// world's. It leaps while nothing happens: in the hour from one submission to
// the next, and after it to when the program means to go on.
//
// What must not be is an error, not a number: a submission that is not posted,
// or posted twice, or before one that was agreed to earlier, or whose artist is
// not told of the link.
func rush(ctx context.Context, l *lab) (rows []row, err error) {
	n := l.submissions
	l.say("%d submissions within an hour", n)
	w, err := newArtWorld(ctx, l, artSetup{artists: min(rushArtists, n), limited: true, gifs: "ffmpeg = \"off\"\n"})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	p, err := w.running(ctx, w.followed(shows("run")...)...)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	refusals := []*fedisim.Injected{
		w.fedi.Inject(fedisim.TooMany(fedisim.RetrySeconds, rushPause).On("POST", "/api/*/media").Chance(1.0 / rushRefused).Always()),
		w.fedi.Inject(fedisim.TooMany(fedisim.ResetISO, rushPause).On("POST", "/api/v1/statuses").Chance(1.0 / rushRefused).Always()),
	}
	r := &rushing{artWorld: w, p: p, began: w.hand.now()}
	start := time.Now()
	for i := range n {
		if err := r.submit(ctx, i, rushLasts/time.Duration(n)); err != nil {
			return nil, fmt.Errorf("submission %d: %w", i, err)
		}
	}
	submitted := time.Since(start)
	if err := r.drain(ctx); err != nil {
		return nil, err
	}
	took := time.Since(start)
	_, peak, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	p.kill()
	posts := w.fedi.PostsBy(w.bot.ID)
	slices.SortStableFunc(posts, func(a, b fedisim.Post) int { return a.CreatedAt.Compare(b.CreatedAt) })
	if wrong := mistakes(posts, r.links(), len(w.fedi.Uploads())); len(wrong) > 0 {
		return nil, fmt.Errorf("%d mistakes, the first: %s", len(wrong), strings.Join(wrong[:min(len(wrong), 5)], "; "))
	}
	// No fewer: a window of the uploads' limit lets so many through.
	windows := (n - 1) / 30
	rows = []row{
		single(fmt.Sprintf("%d submissions within an hour, on Mastodon, each posted once and in turn: the last after", n), "hours", posts[n-1].CreatedAt.Sub(r.began).Hours()),
		single("  the least that the limit of uploads allows", "hours", float64(windows)/2),
		{What: "  meanwhile by the machine's clock", Unit: "s", Figures: []figure{{"submitting", submitted.Seconds()}, {"all", took.Seconds()}}},
		{What: "  refused by a limit", Unit: "requests", Figures: []figure{{"by Discord", float64(w.refused[0])}, {"by Mastodon", float64(w.refused[1])},
			{"of these unforeseeable", float64(refusals[0].Hits() + refusals[1].Hits())}}},
		single("  edits of messages on Discord, for each submission", "messages", float64(w.edits)/float64(n)),
	}
	if peak > 0 {
		rows = append(rows, single("  peak memory meanwhile", "MB", float64(peak)/1e6))
	}
	return rows, nil
}

// rushing is a world with submissions that wait.
type rushing struct {
	*artWorld
	p       *process
	began   time.Time // by the world's time
	threads []string
}

// submit has time pass, and then an artist share what they have made.
func (r *rushing) submit(ctx context.Context, i int, pass time.Duration) error {
	if err := r.hand.jump(ctx, r.p, pass); err != nil {
		return err
	}
	file, err := drawing(i)
	if err != nil {
		return err
	}
	who := r.artists[i%len(r.artists)]
	thread, err := r.begin(ctx, r.p, who, "My work, "+mark(i), file)
	if err != nil {
		return err
	}
	r.threads = append(r.threads, thread)
	if _, err := r.press(ctx, r.p, who, thread, words.GalleryPost); err != nil {
		return err
	}
	if r.button(thread, words.GalleryPost) == "" {
		return nil
	}
	return r.until(ctx, r.p, "the offer to be taken", func(*discordsim.Server) bool { return r.button(thread, words.GalleryPost) == "" })
}

// drain returns when nothing is left to do.
func (r *rushing) drain(ctx context.Context) error {
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	seen, last := r.done(), time.Now()
	for {
		select {
		case <-look.C:
		case <-r.p.done:
			return fmt.Errorf("the program ended: %s\n%s", r.p.cmd.ProcessState, r.p.log.tail())
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if n := r.done(); n != seen {
			seen, last = n, time.Now()
			continue
		}
		if time.Since(last) < rushStill {
			continue
		}
		due, left, err := r.due(ctx)
		switch {
		case err != nil:
			return err
		case left == 0:
			return nil
		case r.hand.now().Sub(r.began) > rushLongest:
			return fmt.Errorf("after %s %d submissions and messages are not through; the program's log ends with:\n%s", rushLongest, left, r.p.log.tail())
		}
		// What is due already is under way, or waits for something that it has not noted.
		if err := r.hand.jump(ctx, r.p, max(due.Sub(r.hand.now()), 0)+time.Second); err != nil {
			return err
		}
		last = time.Now()
	}
}

// done is how much has been done on Discord and on the instance.
func (r *rushing) done() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.acts
}

// due is when the program means to go on, and how many of its submissions and
// effects are not through.
func (r *rushing) due(ctx context.Context) (at time.Time, left int, err error) {
	db, err := r.reading()
	if err != nil {
		return at, 0, err
	}
	defer db.Close()
	var first int64
	err = db.QueryRowContext(ctx, `select (select count(*) from gallery_submission where state <> 'posted' or post_url = '') + (select count(*) from outbox_effect where state in ('planned', 'sent')),
		min(coalesce((select min(run_at) from job where state = 0 and kind = 'gallery.share'), 9000000000000000), coalesce((select min(next_at) from outbox_effect where state in ('planned', 'sent')), 9000000000000000))`).Scan(&left, &first)
	if err != nil {
		return at, 0, fmt.Errorf("look into the database: %w", err)
	}
	if first == 9_000_000_000_000_000 {
		return r.hand.now(), left, nil
	}
	return time.UnixMilli(first), left, nil
}

// links are what the artists are told, in the order in which they agreed.
func (r *rushing) links() (all []string) {
	for _, thread := range r.threads {
		all = append(all, r.link(thread))
	}
	return all
}

// mistakes says what is wrong with posts, in the order in which they were made:
// each submission stands there once, in the order in which they were agreed to,
// with its one file, and its artist has the link.
func mistakes(posts []fedisim.Post, links []string, uploads int) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	for i, link := range links {
		if i >= len(posts) {
			say("number %d is not posted", i)
			continue
		}
		post := posts[i]
		if !strings.HasSuffix(firstLine(post.Text), mark(i)) || len(post.Media) != 1 || !strings.HasSuffix(post.Media[0].Description, mark(i)) {
			say("in the place of number %d stands %q with %d files", i, post.Text, len(post.Media))
		}
		if link != post.URL {
			say("the artist of number %d is told of %q, not of %q", i, link, post.URL)
		}
	}
	if len(posts) > len(links) {
		say("%d posts stand for %d submissions", len(posts), len(links))
	}
	if uploads != len(links) {
		say("%d files were uploaded for %d submissions", uploads, len(links))
	}
	return wrong
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
