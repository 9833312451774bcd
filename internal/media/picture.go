package media

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
)

// Bounds of what is made of a still picture.
const (
	maxStillPixels = 40_000_000 // of a picture that is made anew
	maxPictureSide = 65_500     // of a JPEG, which can have 65,535
	smaller        = 6          // attempts at smaller sides, each smaller than the one before
)

// fitStill scales and encodes a still picture until it keeps to the limits.
func (k *Kit) fitStill(ctx context.Context, f File, l Limits) (File, error) {
	t, p, done, err := k.painter(ctx, f)
	if err != nil {
		return File{}, err
	}
	defer done()
	over := l.ImageBytes > 0 && f.Size > l.ImageBytes
	kinds := stillKinds(t, over, func(kind Type) bool { return l.takes(kind) && p.makes(kind) })
	if len(kinds) == 0 {
		return File{}, &Unfit{Limit: "type", Type: f.Type}
	}
	d := drawing{kinds: kinds, width: f.Width, height: f.Height, scale: 1, pixels: l.ImagePixels, bytes: least(l.ImageBytes, k.opt.MaxDownload), best: 92}
	if f.Size > d.bytes && kinds[0] == PNG && f.Type == PNG { // bytes go with the pixels, roughly
		d.scale = math.Sqrt(0.9 * float64(d.bytes) / float64(f.Size))
	}
	out, err := k.draw(ctx, p, t, d)
	if err != nil {
		return File{}, err
	}
	return k.finished(ctx, out, f.Type, t)
}

// Still is a JPEG of a picture's or film's first frame, of at most side pixels a
// side and most bytes (0 means no limit), upright, without metadata, and white
// where the picture is transparent: for who only has to see what is in it. The
// caller removes both files.
//
// Failures are those of Fit; sound is an *Unfit. Films, AVIF and HEIC need
// ffmpeg, as do pictures of more than about 12 megapixels.
func (k *Kit) Still(ctx context.Context, f File, side int, most int64) (File, error) {
	out, err := k.still(ctx, f, side, most)
	if err != nil {
		return File{}, fmt.Errorf("make a still picture: %w", err)
	}
	return out, nil
}

func (k *Kit) still(ctx context.Context, f File, side int, most int64) (File, error) {
	if !f.Type.Image() && !f.Type.Video() {
		return File{}, &Unfit{Limit: "type", Type: f.Type}
	}
	if f.Type == WebP && f.Animated {
		first, err := k.firstOf(ctx, f)
		if err != nil {
			return File{}, err
		}
		defer k.discard(first.Path)
		f = first
	}
	t, p, done, err := k.painter(ctx, f)
	if err != nil {
		return File{}, err
	}
	defer done()
	side = max(side, 1)
	scale := math.Min(1, float64(side)/float64(max(f.Width, f.Height, 1)))
	if f.Width == 0 { // it is found out by ffmpeg
		f.Width, f.Height = side, side
	}
	t.icc = nil
	out, err := k.draw(ctx, p, t, drawing{kinds: []Type{JPEG}, width: f.Width, height: f.Height, scale: scale, bytes: least(most, k.opt.MaxDownload), best: 85})
	if err != nil {
		return File{}, err
	}
	return k.finished(ctx, out, f.Type, t)
}

// firstOf is the first frame of a moving WebP.
func (k *Kit) firstOf(ctx context.Context, f File) (File, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	cut, err := firstFrame(newSource(r, f.Size))
	switch {
	case errors.Is(err, errCut), isFault(err):
		return File{}, failure(Broken, "the %s file is broken: %v", f.Type, err)
	case err != nil:
		return File{}, err
	}
	return k.written(ctx, f.Type.Ext(), r, cut)
}

// finished takes out of what was made what the program that made it has put in,
// and gives it the profile of its source.
func (k *Kit) finished(ctx context.Context, f File, from Type, t traits) (File, error) {
	c := cleaning{icc: t.icc, profile: from == AVIF || from == HEIC}
	if f.Type == WebP {
		c = cleaning{profile: true} // no profile is put into one: it came along or not
	}
	out, err := k.cleaned(ctx, f, c)
	if err != nil || out.Path != f.Path {
		k.discard(f.Path)
	}
	return out, err
}

// stillKinds are the types to try, from the best to the last; over says that
// the picture has too many bytes as it is.
func stillKinds(t traits, over bool, can func(Type) bool) (kinds []Type) {
	add := func(all ...Type) {
		for _, kind := range all {
			if can(kind) {
				kinds = append(kinds, kind)
			}
		}
	}
	switch {
	case t.alpha && over:
		if add(WebP); len(kinds) == 0 {
			add(PNG)
		}
	case t.alpha:
		add(PNG, WebP)
	case t.lossless && !over:
		add(PNG, JPEG)
	default:
		add(JPEG)
	}
	for _, kind := range []Type{JPEG, PNG, WebP} {
		if len(kinds) == 0 {
			add(kind)
		}
	}
	return kinds
}

// drawing says what is to be made of a picture.
type drawing struct {
	kinds         []Type // the last is made smaller until it has few enough bytes
	width, height int    // of the source, as it is stored
	scale         float64
	pixels, bytes int64 // pixels of 0: no limit
	best          int   // the quality to begin with, of 100
}

// painter makes a picture of a file, of w by h pixels as it is stored: turning
// it upright may swap them.
type painter interface {
	paint(ctx context.Context, kind Type, quality, w, h int) (File, error)
	makes(kind Type) bool
	// most is how many pixels what it makes may have; 0 means no limit.
	most() int64
}

// draw tries one kind after the other, each with less quality, and then the
// last with smaller sides.
func (k *Kit) draw(ctx context.Context, p painter, t traits, d drawing) (File, error) {
	d.pixels = least(d.pixels, p.most())
	d.scale = math.Min(d.scale, maxPictureSide/float64(max(d.width, d.height, 1)))
	var last Info
	quality := d.best
	try := func(kind Type) (File, error) {
		w, h := sides(d.width, d.height, d.scale, d.pixels, 1)
		out, err := p.paint(ctx, kind, quality, w, h)
		if err != nil || out.Size <= d.bytes {
			return out, err
		}
		last = out.Info
		k.discard(out.Path)
		return File{}, nil
	}
	for _, kind := range d.kinds {
		qualities := []int{d.best, d.best - 8, d.best - 18}
		if kind == PNG {
			qualities = qualities[:1]
		}
		for _, quality = range qualities {
			if out, err := try(kind); err != nil || out.Path != "" {
				return out, err
			}
		}
	}
	for range smaller {
		if max(float64(d.width), float64(d.height))*d.scale < minSide {
			break
		}
		d.scale *= min(max(math.Sqrt(float64(d.bytes)/float64(last.Size))*0.95, 0.2), 0.85)
		if out, err := try(d.kinds[len(d.kinds)-1]); err != nil || out.Path != "" {
			return out, err
		}
	}
	return File{}, &Unfit{Limit: "bytes", Type: last.Type, Have: last.Size, Most: d.bytes}
}

// painter chooses who makes a picture of a file: ffmpeg, whose memory is its
// own, or without it this process. done lets go of it.
func (k *Kit) painter(ctx context.Context, f File) (t traits, p painter, done func(), err error) {
	if f.Type.Image() && f.Pixels() > maxStillPixels {
		return t, nil, nil, &Unfit{Limit: "pixels", Type: f.Type, Have: f.Pixels(), Most: maxStillPixels}
	}
	tool, lacks := k.ffmpeg(ctx)
	if ctx.Err() != nil {
		return t, nil, nil, ctx.Err()
	}
	if t, err = look(f); err != nil {
		return t, nil, nil, err
	}
	if tool.Path != "" {
		if pictureFormat(f.Info) == "" {
			return t, nil, nil, &Unfit{Limit: "type", Type: f.Type}
		}
		return t, program{kit: k, tool: tool, f: f, t: t}, func() {}, nil
	}
	if t.perPixel == 0 {
		return t, nil, nil, lacks
	}
	own, done, err := k.decode(ctx, f, t)
	return t, own, done, err
}
