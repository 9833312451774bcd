package media

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rookery/internal/failpoint"
)

// untoldGIFPixels is where a GIF that a server refused without telling a limit
// is scaled to: Mastodon's limit, which no document of an instance has.
const untoldGIFPixels = 921_600

// tries is how often a form is fetched that fails for now.
const tries = 2

// Rendition is one form of a picture, as its source tells of it. Zero and ""
// mean that it does not tell.
type Rendition struct {
	URL           string
	Type          Type
	Width, Height int
	Size          int64 // bytes
}

// rung is how a form is come by.
type rung int

const (
	fetched rung = iota // as the source has it
	scaled              // made: a smaller GIF
	filmed              // made: an MP4
)

// ErrNoMore says that a Ladder has no further form. The error that wraps it
// says what became of each; Error values among them are found by errors.As, and
// KindOf tells FFmpegMissing if a form could have been made with ffmpeg.
var ErrNoMore = errors.New("no form of the picture is left that fits")

// Ladder yields the forms of one picture that keep to the limits of an
// instance, from the best to the last resort: what the source has, largest
// first; a smaller GIF; its films; an MP4. It is for one goroutine, and must be
// closed.
type Ladder struct {
	kit    *Kit
	limits Limits
	from   []Rendition
	steps  []step

	at      int // in steps
	failed  int // how often the step at hand failed for now
	why     []error
	lacking error // ffmpeg would have been needed

	source  int  // which of from is to be converted; len(from) if none can be
	kept    File // source itself, once it has been fetched
	current File // what Next returned last
	refused bool // source itself was returned
	moves   bool // the picture moves: a still one in its place is not the same
	still   bool // it is known not to

	seen []Info // of what was returned
}

type step struct {
	rung rung
	i    int // in from, for fetched
}

// Ladder prepares the forms of a picture; nothing is fetched before Next. The
// renditions come largest first; the first is the original.
func (k *Kit) Ladder(limits Limits, from []Rendition) *Ladder {
	l := &Ladder{kit: k, limits: limits, source: -1}
	for _, r := range from {
		if !slices.ContainsFunc(l.from, func(o Rendition) bool { return o.URL == r.URL }) {
			l.from = append(l.from, r)
		}
	}
	var films []step
	for i, r := range l.from {
		if s := (step{fetched, i}); r.Type.Video() {
			films = append(films, s)
		} else {
			l.steps = append(l.steps, s)
		}
	}
	l.moves = len(l.from) > 0 && (l.from[0].Type == GIF || l.from[0].Type.Video())
	l.steps = append(append(append(l.steps, step{rung: scaled}), films...), step{rung: filmed})
	l.nextSource()
	return l
}

// Next returns the best form that has not been returned yet. The file is the
// Ladder's: it goes with the next call of Next, or Close.
//
// What is wrong with one form leads on to the next; at the end the error wraps
// ErrNoMore. Trouble that passes is returned at once instead, so that nothing
// poorer is taken because of it: kinds Transient and NoSpace, and the end of
// ctx. Next may then be called again and goes on where it was; a form that is
// Transient twice is left out.
func (l *Ladder) Next(ctx context.Context) (File, error) {
	l.drop()
	for ; l.at < len(l.steps); l.at, l.failed = l.at+1, 0 {
		f, err := l.climb(ctx, l.steps[l.at])
		if err == nil {
			l.at, l.failed = l.at+1, 0
			l.current, l.seen = f, append(l.seen, f.Info)
			return f, nil
		}
		switch {
		case ctx.Err() != nil:
			return File{}, ctx.Err()
		case KindOf(err) == NoSpace:
			return File{}, err
		case KindOf(err) == Transient:
			if l.failed++; l.failed < tries {
				return File{}, err
			}
		}
		if !errors.Is(err, errSkip) {
			l.why = append(l.why, err)
		}
	}
	why := l.why
	if l.lacking != nil {
		why = append([]error{l.lacking}, why...)
	}
	if len(why) == 0 {
		return File{}, ErrNoMore
	}
	return File{}, fmt.Errorf("%w: %w", ErrNoMore, reasons(why))
}

// reasons are errors in one line.
type reasons []error

func (r reasons) Error() string {
	said := make([]string, len(r))
	for i, err := range r {
		said[i] = err.Error()
	}
	return strings.Join(said, "; ")
}

func (r reasons) Unwrap() []error { return r }

// Close removes every file. It may be called more than once.
func (l *Ladder) Close() error {
	l.at = len(l.steps)
	err := errors.Join(l.current.Remove(), l.kept.Remove())
	l.current, l.kept = File{}, File{}
	return err
}

// errSkip: a step has nothing to say for itself.
var errSkip = errors.New("nothing to do")

func (l *Ladder) climb(ctx context.Context, s step) (File, error) {
	switch s.rung {
	case fetched:
		return l.fetch(ctx, s.i)
	case scaled:
		return l.scale(ctx)
	}
	return l.film(ctx)
}

// drop removes what was returned last, unless it is still to be converted.
func (l *Ladder) drop() {
	if l.current.Path != "" && l.current.Path != l.kept.Path {
		l.kit.discard(l.current.Path)
	}
	l.current = File{}
}

// fetch is the step for one rendition.
func (l *Ladder) fetch(ctx context.Context, i int) (File, error) {
	r := l.from[i]
	told := Info{Type: r.Type, Width: r.Width, Height: r.Height, Size: r.Size}
	if err := l.limits.Fits(told); err != nil {
		return File{}, l.about(i, err)
	}
	if l.moves && !l.still && r.Type.Image() && r.Type != GIF && r.Type != PNG && r.Type != WebP && r.Type != AVIF {
		return File{}, l.about(i, errStill)
	}
	if r.Size > 0 && slices.ContainsFunc(l.seen, func(o Info) bool {
		return o.Type == r.Type && o.Width == r.Width && o.Height == r.Height && o.Size == r.Size
	}) {
		return File{}, errSkip
	}
	f, err := l.get(ctx, i)
	if err != nil {
		return File{}, l.about(i, err)
	}
	if err := l.judge(f); err != nil {
		if f.Path != l.kept.Path {
			l.kit.discard(f.Path)
		}
		return File{}, l.about(i, err)
	}
	l.refused = l.refused || f.Path == l.kept.Path
	return f, nil
}

var errStill = errors.New("it does not move, and the picture does")

// judge decides whether a fetched form may be returned.
func (l *Ladder) judge(f File) error {
	if l.moves && !l.still && !f.Animated {
		return errStill
	}
	if slices.ContainsFunc(l.seen, func(o Info) bool { return o == f.Info }) {
		return errSkip // the source has it under two addresses
	}
	return l.limits.Fits(f.Info)
}

// about says which of the forms an error is about. The address stays out of it.
func (l *Ladder) about(i int, err error) error {
	if errors.Is(err, errSkip) {
		return err
	}
	return fmt.Errorf("form %d of %d: %w", i+1, len(l.from), err)
}

// get fetches a rendition, whole only if it can be of use. What is to be
// converted later is kept, and fetched once.
func (l *Ladder) get(ctx context.Context, i int) (File, error) {
	if i == l.source && l.kept.Path != "" {
		return l.kept, nil
	}
	keep := false
	if i == l.source {
		tool, _ := l.kit.ffmpeg(ctx)
		keep = l.canScale(tool) || l.canFilm(tool)
	}
	most := l.limits.bytes(l.from[i].Type)
	if keep {
		most = 0
	}
	f, err := l.kit.Download(ctx, l.from[i].URL, most)
	if err != nil {
		if i == l.source && keep && (KindOf(err) != Transient || l.failed+1 >= tries) && KindOf(err) != NoSpace && ctx.Err() == nil {
			l.nextSource()
		}
		return File{}, err
	}
	failpoint.At("g4-fetched")
	if i == 0 {
		l.moves, l.still = f.Animated, !f.Animated
	}
	l.moves = l.moves || f.Animated
	switch {
	case !keep:
	case convertible(f.Info) != nil:
		l.nextSource()
	default:
		l.kept = f
	}
	return f, nil
}

// nextSource chooses the largest rendition that may be converted, after the one
// that turned out not to.
func (l *Ladder) nextSource() {
	for l.source++; l.source < len(l.from); l.source++ {
		r := l.from[l.source]
		i := Info{Type: r.Type, Width: r.Width, Height: r.Height, Animated: true}
		if r.Size <= l.kit.opt.MaxDownload && (r.Type == "" || inputFormat(i) != "") && i.Pixels() <= maxSourcePixels {
			return
		}
	}
}

func (l *Ladder) canScale(t Tool) bool { return t.Palette && l.limits.takes(GIF) }
func (l *Ladder) canFilm(t Tool) bool  { return t.H264 && l.limits.takes(MP4) }

// convertee is the file to be converted, fetched if it was not yet.
func (l *Ladder) convertee(ctx context.Context) (File, error) {
	last := errSkip
	for l.source < len(l.from) {
		i := l.source
		f, err := l.get(ctx, i)
		if err == nil && l.kept.Path == f.Path {
			return f, nil
		}
		if err == nil { // it cannot be converted, and the next is the source now
			l.kit.discard(f.Path)
			continue
		}
		if last = l.about(i, err); l.source == i {
			return File{}, last
		}
	}
	return File{}, last
}

func (l *Ladder) scale(ctx context.Context) (File, error) {
	if !l.limits.takes(GIF) || l.source >= len(l.from) || l.still || l.from[l.source].Type.Video() {
		return File{}, errSkip
	}
	if tool, err := l.kit.ffmpeg(ctx); !tool.Palette {
		l.lacking = err
		return File{}, errSkip
	}
	f, err := l.convertee(ctx)
	if err != nil {
		return File{}, err
	}
	if f.Type.Video() {
		return File{}, errSkip // it would swell
	}
	pixels := l.limits.pixels(GIF)
	if l.limits.GIFPixels == 0 && l.refused {
		pixels = least(pixels, untoldGIFPixels)
	}
	if l.refused && f.Pixels() <= max(pixels, untoldGIFPixels) {
		pixels = least(pixels, max(f.Pixels()/2, 1)) // it kept to the limit, and was refused
	}
	return l.checked(l.kit.ScaleGIF(ctx, f, pixels, l.limits.ImageBytes))
}

func (l *Ladder) film(ctx context.Context) (File, error) {
	if !l.limits.takes(MP4) || l.source >= len(l.from) || l.still {
		return File{}, errSkip
	}
	if tool, err := l.kit.ffmpeg(ctx); !tool.H264 {
		l.lacking = err
		return File{}, errSkip
	}
	f, err := l.convertee(ctx)
	if err != nil {
		return File{}, err
	}
	made, err := l.checked(l.kit.MP4(ctx, f, l.limits))
	if err == nil { // the last form: nothing is made of the source any more
		l.kit.discard(l.kept.Path)
		l.kept = File{}
	}
	return made, err
}

// checked holds what was made against the limits, as what was fetched.
func (l *Ladder) checked(f File, err error) (File, error) {
	if err != nil {
		return File{}, err
	}
	failpoint.At("g5-converted")
	if err := l.judge(f); err != nil {
		l.kit.discard(f.Path)
		return File{}, err
	}
	return f, nil
}
