package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
)

// searchPace is the least time between two searches: the program asks a board
// no more often, and waiting for that is no part of a request's way.
const searchPace = 700 * time.Millisecond

const pictureWarmUps = 2

// ball is the picture that everybody gets: an ordinary one.
func ball() boorusim.Image {
	return boorusim.Image{Scene: boorusim.Ball, Width: 480, Height: 360, Frames: 24, Rating: boorusim.Safe,
		Artists: []string{"marble"}, Characters: []string{"bouncing bob"}, Tags: []string{"animated", "gif", "ball", "red", "sky"}}
}

// picture measures a request's way to its picture through a program at rest,
// many times, one after the other: from when the server had the answer that
// tells of the request to when the reply arrives there, less what the server,
// the board and ffmpeg took. First a GIF that is sent as the board has it;
// then, on a server that takes no GIFs, the same as a film. The server is done
// with a file when it has come. ffmpeg's time is that of its process, so that
// what starting it costs stays in.
func picture(ctx context.Context, l *lab) (rows []row, err error) {
	n := max(1, l.way/2)
	l.say("the way of %d requests to a GIF", n)
	gif, err := picturesOf(ctx, l, n, nil)
	if err != nil {
		return nil, err
	}
	rows = append(rows, shares("a request's way to its GIF, less server and board", "ms", gif.own).judge(aim{Under: wayAim}))
	rows = append(rows, gif.parts()...)
	f, err := newFFmpeg(l)
	if err != nil || f == nil {
		return rows, err
	}
	defer func() { err = errors.Join(err, f.remove()) }()
	l.say("the way of %d requests to a film", n)
	film, err := picturesOf(ctx, l, n, f)
	if err != nil {
		return nil, err
	}
	rows = append(rows, shares("a request's way to its film, less server, board and ffmpeg", "ms", film.own))
	rows = append(rows, film.parts()...)
	return append(rows, shares("  ffmpeg, as the program runs it", "ms", film.converting),
		shares("  ffmpeg by hand, the same arguments", "ms", film.byHand),
		beside("  ffmpeg's time of the processor, the median", "ms", quantile(film.working, 0.5), quantile(film.workingByHand, 0.5))), nil
}

// beside is a row of ffmpeg as the program runs it and by hand.
func beside(what, unit string, program, hand float64) row {
	return row{What: what, Unit: unit, Figures: []figure{{"by the program", program}, {"by hand", hand}}}
}

// pictureTimes are what requests' ways took, in ms.
type pictureTimes struct {
	own     []float64
	taking  []float64
	fetched []float64
	sending []float64
	whole   []float64

	converting, byHand     []float64
	working, workingByHand []float64 // the same, of the processor
}

func (t *pictureTimes) parts() []row {
	return []row{
		shares("  to take it in and search", "ms", t.taking),
		shares("  to fetch the file, make it fit and upload it", "ms", t.fetched),
		shares("  to plan the reply and send it", "ms", t.sending),
		shares("  all of it with server and board", "ms", t.whole),
	}
}

// picturesOf measures n requests; with f they get a film.
func picturesOf(ctx context.Context, l *lab, n int, f *ffmpeg) (t *pictureTimes, err error) {
	s := setup{poll: wayPoll, pictures: []boorusim.Image{ball()}, gifs: unlimited}
	if f != nil {
		s.gifs += f.line()
	}
	w, err := newWorld(ctx, l, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.fedi.Processing(0)
	if f != nil {
		w.fedi.Limit(onlyFilms)
	}
	p, err := w.rested(ctx, 3, shows("run")...)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	t = &pictureTimes{}
	pace := time.NewTicker(searchPace)
	defer pace.Stop()
	file := ""
	for i := range pictureWarmUps + n {
		s, err := w.picture(ctx, p, i)
		if err != nil {
			return nil, err
		}
		if file = s.file; i >= pictureWarmUps {
			if err := t.add(s, f); err != nil {
				return nil, err
			}
		}
		pace.Reset(searchPace)
		select {
		case <-pace.C:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	p.kill()
	if err := w.answeredOnce(pictureWarmUps + n); err != nil {
		return nil, err
	}
	want := "image/gif"
	if f != nil {
		want = "video/mp4"
		if err := t.again(ctx, w, f, file, min(n, 20)); err != nil {
			return nil, err
		}
	}
	for _, m := range w.fedi.Uploads() {
		if m.Type != want || m.PostID == "" {
			return nil, fmt.Errorf("the bot sent %s, in the post %q, not %s", m.Type, m.PostID, want)
		}
	}
	return t, nil
}

// onlyFilms are the limits of a server that takes no GIFs.
func onlyFilms(m *fedisim.Limits) { m.Types = []string{"image/png", "image/jpeg", "video/mp4"} }

// again converts the same by hand.
func (t *pictureTimes) again(ctx context.Context, w *world, f *ffmpeg, file string, times int) error {
	data, err := w.board.get(ctx, file)
	if err != nil {
		return err
	}
	made, err := f.conversions()
	if err != nil || len(made) == 0 {
		return errors.Join(err, errors.New("nothing was converted"))
	}
	for range times {
		took, err := f.byHand(ctx, made[len(made)-1], data)
		if err != nil {
			return err
		}
		t.byHand = append(t.byHand, ms(took.Wall))
		t.workingByHand = append(t.workingByHand, ms(took.Processor))
	}
	return nil
}

// pictureSteps are the moments of one request's way.
type pictureSteps struct {
	mark     []byte
	noticed  time.Time // the first answer to a poll that tells of it
	searched span
	uploaded span
	replied  time.Time
	others   []span // all that servers worked on
	file     string // at the board
	seen     []string
	ended    bool
	over     chan struct{} // closed when the reply is noted and the notification dismissed
}

func (s *pictureSteps) pass(p passage) {
	if len(s.seen) < 40 {
		s.seen = append(s.seen, p.arrived.Format(time.StampMilli)+" "+p.method+" "+p.path)
	}
	switch {
	case p.told():
	case p.notifications():
		if s.noticed.IsZero() && bytes.Contains(p.answer, s.mark) {
			s.noticed = p.ready
		}
	case p.dismissal():
		if !s.ended && !s.replied.IsZero() {
			s.ended = true
			close(s.over)
		}
	case p.reply():
		s.replied = p.arrived
	case p.method == http.MethodPost && strings.HasSuffix(p.path, "/media"):
		s.uploaded = span{p.arrived, p.ready}
		s.others = append(s.others, s.uploaded)
	default:
		s.others = append(s.others, span{p.arrived, p.ready})
	}
}

// picture follows a request to the end of its way.
func (w *world) picture(ctx context.Context, p *process, i int) (*pictureSteps, error) {
	text, mark := w.wish(i)
	s := &pictureSteps{mark: []byte(mark), over: make(chan struct{})}
	w.board.visited()
	w.gate.listen(s.pass)
	defer w.gate.listen(nil)
	w.people[i%len(w.people)].Post(text)
	if err := p.await(ctx, "the end of a reply with a picture", s.over, patience(1)); err != nil {
		return nil, err
	}
	for _, v := range w.board.visited() {
		s.others = append(s.others, v.span)
		if v.file == "" {
			s.searched = v.span
		} else {
			s.file = v.file
		}
	}
	if s.noticed.IsZero() || s.searched.from.IsZero() || s.file == "" || s.uploaded.from.IsZero() {
		return nil, fmt.Errorf("a request did not go its way; there passed:\n%s\nand the program's log ends with:\n%s", strings.Join(s.seen, "\n"), p.log.tail())
	}
	return s, nil
}

// add takes in a way that was followed to its end.
func (t *pictureTimes) add(s *pictureSteps, f *ffmpeg) error {
	others := slices.Clone(s.others)
	if f != nil {
		made, err := f.conversions()
		if err != nil {
			return err
		}
		var converting, working time.Duration
		for _, c := range made {
			if c.from.After(s.noticed) {
				others = append(others, c.span)
				converting += c.to.Sub(c.from)
				working += c.processor
			}
		}
		t.working = append(t.working, ms(working))
		t.converting = append(t.converting, ms(converting))
	}
	// A server may note the end of its work when the program is already at the next.
	own := func(from, to time.Time) float64 { return ms(max(0, to.Sub(from)-covered(span{from, to}, others))) }
	t.own = append(t.own, own(s.noticed, s.replied))
	t.taking = append(t.taking, own(s.noticed, s.searched.from))
	t.fetched = append(t.fetched, own(s.searched.to, s.uploaded.from))
	t.sending = append(t.sending, own(s.uploaded.to, s.replied))
	t.whole = append(t.whole, ms(s.replied.Sub(s.noticed)))
	return nil
}

// covered is how much of a time others cover, each moment counted once.
func covered(all span, others []span) (sum time.Duration) {
	others = slices.SortedFunc(slices.Values(others), func(a, b span) int { return a.from.Compare(b.from) })
	at := all.from
	for _, o := range others {
		from, to := o.from, o.to
		if from.Before(at) {
			from = at
		}
		if to.After(all.to) {
			to = all.to
		}
		if to.After(from) {
			sum += to.Sub(from)
			at = to
		}
	}
	return sum
}
