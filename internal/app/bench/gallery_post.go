package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

const (
	galleryAim = 100 // MB
	// photos is how many photographs a post has: as many as a Mastodon takes.
	photos = 4
	// smallPixels is what a server takes that has every photograph made smaller:
	// three quarters of what one has.
	smallPixels = 0.75
)

// gallery measures the way of a post with four photographs through a program
// that is otherwise at rest, some times: from the press of “Post publicly” to
// when the post arrives at the instance, less what the instance, Discord and
// the model took to answer, and the most memory that the program has had by
// then. The simulated Discord hands out files at once, but what that takes
// stays in.
//
// Once the photographs are sent as they are, without the camera's notes. Once
// each is made smaller, for a server that takes fewer pixels, and shown to a
// model; that is done by ffmpeg, whose memory is its own, or, where there is
// none, by the program itself. Each is measured with a program of its own.
func gallery(ctx context.Context, l *lab) (rows []row, err error) {
	for _, t := range []struct {
		what   string
		small  bool // every photograph is made smaller, and described by the model
		ffmpeg bool
	}{
		{"as they are", false, true},
		{"made smaller and described, by ffmpeg", true, true},
		{"made smaller and described, without ffmpeg", true, false},
	} {
		l.say("the way of %d photographs of %s MB, %s, %d times", photos, number(l.photo), t.what, l.runs)
		var f *ffmpeg
		if t.ffmpeg {
			if f, err = newFFmpeg(l); err != nil {
				return nil, err
			}
			if f == nil && t.small {
				continue
			}
		}
		more, err := shared(ctx, l, f, t.what, t.small)
		if f != nil {
			err = errors.Join(err, f.remove())
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// sharing are what the ways of posts took, in ms.
type sharing struct {
	own, whole, acknowledged, told, converting []float64
}

func shared(ctx context.Context, l *lab, f *ffmpeg, what string, small bool) (rows []row, err error) {
	files, err := photographs(photos, int64(l.photo*1e6))
	if err != nil {
		return nil, err
	}
	s := artSetup{artists: 1, described: small, gifs: "ffmpeg = \"off\"\n"}
	if f != nil {
		s.gifs = f.line()
	}
	w, err := newArtWorld(ctx, l, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	most := int64(0)
	if small {
		most = int64(smallPixels * photoPixels * l.photo * 1e6)
		w.fedi.Limit(func(m *fedisim.Limits) { m.ImagePixels = most })
	} else {
		for i := range files {
			files[i].Description = fmt.Sprintf("Photograph %d of what grows in our garden.", i+1)
		}
	}
	p, err := w.running(ctx, shows("run")...)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	before, _, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	stop := func() int64 { return 0 }
	if f != nil {
		stop = f.peak()
	}
	var t sharing
	for i := range l.runs {
		if err = t.measure(ctx, w, p, f, i, small, files); err != nil {
			break
		}
	}
	its := stop()
	if err != nil {
		return nil, err
	}
	_, peak, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	p.kill()
	if err := w.postedOnce(l.runs, most); err != nil {
		return nil, err
	}
	rows = append(rows, spread(fmt.Sprintf("“Post publicly” to the post, %d photographs of %s MB %s, less the servers", photos, number(l.photo), what), "ms", t.own),
		spread("  all of it with the servers", "ms", t.whole),
		spread("  to the answer to the press", "ms", t.acknowledged),
		spread("  to the link on Discord", "ms", t.told))
	if f != nil && small {
		rows = append(rows, spread("  of that, ffmpeg", "ms", t.converting))
	}
	if peak > 0 {
		rows = append(rows, single("  peak memory of the program", "MB", float64(peak)/1e6).judge(aim{Under: galleryAim}),
			single("  at rest before", "MB", float64(before)/1e6))
	}
	if its > 0 {
		rows = append(rows, single("  peak memory of ffmpeg", "MB", float64(its)/1e6))
	}
	return rows, nil
}

// measure has the member begin a thread and press, and follows what comes of it.
func (t *sharing) measure(ctx context.Context, w *artWorld, p *process, f *ffmpeg, number int, describe bool, files []discordsim.File) error {
	who := w.artists[0]
	thread, err := w.begin(ctx, p, who, "From our garden, "+mark(number), files...)
	if err != nil {
		return err
	}
	if describe {
		if _, err := w.press(ctx, p, who, thread, words.GalleryAIOff); err != nil {
			return err
		}
		if w.button(thread, words.GalleryAIOn) == "" {
			return errors.New("the descriptions by a model were not turned on")
		}
	}
	var steps shareSteps
	w.gate.listen(steps.pass)
	defer w.gate.listen(nil)
	w.worked()
	pressed := time.Now()
	if _, err := w.press(ctx, p, who, thread, words.GalleryPost); err != nil {
		return err
	}
	acknowledged := time.Now()
	if err := w.until(ctx, p, "the link to the post", func(*discordsim.Server) bool { return w.link(thread) != "" }); err != nil {
		return err
	}
	told := time.Now()
	w.gate.listen(nil)
	if steps.posted.IsZero() {
		return fmt.Errorf("the member is told of a post that never came; there passed:\n%s", strings.Join(steps.seen, "\n"))
	}
	whole := span{pressed, steps.posted}
	others := append(w.worked(), steps.others...)
	t.own = append(t.own, ms(max(0, whole.to.Sub(whole.from)-covered(whole, others))))
	t.whole = append(t.whole, ms(whole.to.Sub(whole.from)))
	t.acknowledged = append(t.acknowledged, ms(acknowledged.Sub(pressed)))
	t.told = append(t.told, ms(told.Sub(pressed)))
	if f == nil {
		return nil
	}
	made, err := f.conversions()
	if err != nil {
		return err
	}
	var converting time.Duration
	for _, c := range made {
		if c.from.After(pressed) {
			converting += c.to.Sub(c.from)
		}
	}
	t.converting = append(t.converting, ms(converting))
	return nil
}

// shareSteps are the moments of a post's way at the instance.
type shareSteps struct {
	posted time.Time
	others []span
	seen   []string
}

func (s *shareSteps) pass(p passage) {
	if p.told() || p.notifications() {
		return
	}
	if len(s.seen) < 40 {
		s.seen = append(s.seen, p.arrived.Format(time.StampMilli)+" "+p.method+" "+p.path)
	}
	if p.method == http.MethodPost && p.reply() && s.posted.IsZero() {
		s.posted = p.arrived
		return
	}
	s.others = append(s.others, span{p.arrived, p.ready})
}

// postedOnce makes sure that there are so many posts and no others, each with
// all photographs, described and no larger than they may be.
func (w *artWorld) postedOnce(n int, most int64) error {
	posts := w.fedi.PostsBy(w.bot.ID)
	if len(posts) != n {
		return fmt.Errorf("%d posts stand, not %d", len(posts), n)
	}
	for _, post := range posts {
		if len(post.Media) != photos {
			return fmt.Errorf("a post has %d files, not %d", len(post.Media), photos)
		}
		for _, m := range post.Media {
			if m.Description == "" || m.Type != "image/jpeg" || most > 0 && int64(m.Width*m.Height) > most {
				return fmt.Errorf("the file %s of %dx%d pixels is posted with the description %q", m.Type, m.Width, m.Height, m.Description)
			}
		}
	}
	if n := len(w.fedi.Uploads()); n != photos*len(posts) {
		return fmt.Errorf("%d files were uploaded for %d posts", n, len(posts))
	}
	return nil
}
