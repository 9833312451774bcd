package media

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"runtime/debug"

	xwebp "golang.org/x/image/webp"
)

// Bounds of memory while a picture is made anew in this process: for its pixels
// as they were decoded, and with them for those that are made. The first has
// room for 12 megapixels of four bytes, or 33 of an ordinary JPEG.
const (
	decodedMemory = 50 << 20
	pixelMemory   = 64 << 20
	maxOwnPixels  = 12_582_912
)

// pixels is the painter of this process.
type pixels struct {
	kit    *Kit
	f      File
	t      traits
	canvas image.Rectangle
	image  image.Image
}

// decode reads the pixels of a still picture, one at a time of all. What needs
// more memory than there may be is of the kind FFmpegMissing.
func (k *Kit) decode(ctx context.Context, f File, t traits) (painter, func(), error) {
	if f.Pixels() > maxOwnPixels || float64(f.Pixels())*t.perPixel > decodedMemory {
		return nil, nil, failure(FFmpegMissing, "the %s is too large to be changed without ffmpeg: install ffmpeg", f.Info)
	}
	select {
	case k.own <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	done := func() {
		// What the pixels took is given back before the next picture is decoded:
		// left to itself the heap would grow to twice of it.
		debug.FreeOSMemory()
		<-k.own
	}
	p := &pixels{kit: k, f: f, t: t}
	if err := p.read(ctx); err != nil {
		done()
		return nil, nil, err
	}
	return p, func() { p.image = nil; done() }, nil
}

func (p *pixels) read(ctx context.Context) error {
	r, err := p.f.Open()
	if err != nil {
		return err
	}
	defer r.Close()
	in := &until{ctx: ctx, r: r}
	// What the decoder believes of the size, before it makes room for it.
	var decode func(io.Reader) (image.Image, error)
	var config func(io.Reader) (image.Config, error)
	switch p.f.Type {
	case JPEG:
		decode, config = jpeg.Decode, jpeg.DecodeConfig
	case PNG:
		decode, config = png.Decode, png.DecodeConfig
	case GIF:
		decode, config = gif.Decode, gif.DecodeConfig
	case WebP:
		decode, config = xwebp.Decode, xwebp.DecodeConfig
	default:
		return &Unfit{Limit: "type", Type: p.f.Type}
	}
	c, err := config(in)
	if err == nil && int64(c.Width)*int64(c.Height) > p.f.Pixels() {
		err = errors.New("its parts differ in size")
	}
	if err == nil {
		_, err = r.(io.Seeker).Seek(0, io.SeekStart)
	}
	if err == nil {
		p.canvas = image.Rect(0, 0, c.Width, c.Height)
		p.image, err = decode(in)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case in.err != nil:
		return fmt.Errorf("read: %w", in.err)
	case err != nil:
		return failure(Broken, "the %s file is broken: %s", p.f.Type, quote(err.Error(), 200))
	}
	return nil
}

// until reads until a context ends, and keeps what went wrong with reading.
type until struct {
	ctx context.Context
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (u *until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := u.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
	}
	return n, err
}

func (p *pixels) makes(kind Type) bool { return kind == JPEG || kind == PNG }

func (p *pixels) most() int64 {
	return int64(pixelMemory-float64(p.canvas.Dx())*float64(p.canvas.Dy())*p.t.perPixel) / 4
}

func (p *pixels) paint(ctx context.Context, kind Type, quality, w, h int) (File, error) {
	made, err := p.resample(ctx, w, h, kind == JPEG)
	if err != nil {
		return File{}, err
	}
	out, err := p.kit.temp(kind.Ext())
	if err != nil {
		return File{}, err
	}
	to := &capturing{ctx: ctx, w: out}
	if kind == PNG {
		err = png.Encode(to, straight(made))
	} else {
		err = jpeg.Encode(to, made, &jpeg.Options{Quality: quality})
	}
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case to.err != nil:
		err = writing(to.err)
	case err != nil:
		err = fmt.Errorf("encode: %w", err)
	}
	if end := out.Close(); end != nil && err == nil {
		err = writing(end)
	}
	var info Info
	if err == nil {
		info, err = Inspect(out.Name())
	}
	if err != nil {
		p.kit.discard(out.Name())
		return File{}, err
	}
	return File{Path: out.Name(), Info: info, kit: p.kit}, nil
}

// capturing writes until a context ends, and keeps what went wrong with writing.
type capturing struct {
	ctx context.Context
	w   *os.File
	err error
}

// Write implements io.Writer.
func (c *capturing) Write(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.w.Write(p)
	if err != nil {
		c.err = err
	}
	return n, err
}

// reach is which pixels of a row make one of a smaller row, and how much of the
// first and the last counts.
type reach struct {
	from, to    int // to is included
	first, last float32
}

// reaches divide n pixels evenly among m, m being at most n.
func reaches(n, m int) []reach {
	all := make([]reach, m)
	for i := range all {
		a, b := float64(i)*float64(n)/float64(m), float64(i+1)*float64(n)/float64(m)
		r := reach{from: int(a), to: min(int(b), n-1)}
		r.first, r.last = float32(float64(r.from+1)-a), float32(b-float64(r.to))
		if r.from == r.to {
			r.first = float32(b - a)
		}
		all[i] = r
	}
	return all
}

// weight is how much of a pixel counts.
func (r reach) weight(at int) float32 {
	switch at {
	case r.from:
		return r.first
	case r.to:
		return r.last
	}
	return 1
}

// resample scales the picture down, each pixel being the mean of those in its
// place, and turns it upright. It needs memory for the result and a few rows.
func (p *pixels) resample(ctx context.Context, w, h int, white bool) (*image.RGBA, error) {
	sw, sh := p.canvas.Dx(), p.canvas.Dy()
	w, h = min(w, sw), min(h, sh)
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	if swaps(p.t.orientation) {
		out = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	at, right, down := turned(p.t.orientation, w, h, out.Stride)
	row := image.NewRGBA(image.Rect(0, 0, sw, 1))
	sums := make([]float32, 4*w)
	columns, rows := reaches(sw, w), reaches(sh, h)
	op := draw.Src
	if white {
		op = draw.Over
	}
	scale := float32(w) / float32(sw) * float32(h) / float32(sh)
	drawn := -1
	for y, r := range rows {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		clear(sums)
		for sy := r.from; sy <= r.to; sy++ {
			if sy != drawn {
				if white {
					draw.Draw(row, row.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
				} else {
					clear(row.Pix)
				}
				draw.Draw(row, row.Bounds(), p.image, image.Pt(p.canvas.Min.X, p.canvas.Min.Y+sy), op)
				drawn = sy
			}
			gather(sums, row.Pix, columns, r.weight(sy))
		}
		for x := range w {
			pix := out.Pix[at+x*right+y*down:][:4]
			for c := range pix {
				pix[c] = uint8(min(sums[4*x+c]*scale+0.5, 255))
			}
		}
	}
	return out, nil
}

// gather adds a row to the sums of a smaller one.
func gather(sums []float32, row []uint8, columns []reach, weight float32) {
	for x, c := range columns {
		sum := sums[4*x:][:4]
		for sx := c.from; sx <= c.to; sx++ {
			pix, n := row[4*sx:][:4], weight*c.weight(sx)
			sum[0] += n * float32(pix[0])
			sum[1] += n * float32(pix[1])
			sum[2] += n * float32(pix[2])
			sum[3] += n * float32(pix[3])
		}
	}
}

// turned says where in the upright picture the first pixel goes, and how far on
// the next to the right of it and the next below.
func turned(orientation, w, h, stride int) (at, right, down int) {
	x, y := 4*(w-1), stride*(h-1) // the last column and row if the sides stay
	if swaps(orientation) {
		x, y = 4*(h-1), stride*(w-1)
	}
	switch orientation {
	case 2:
		return x, -4, stride
	case 3:
		return x + y, -4, -stride
	case 4:
		return y, 4, -stride
	case 5:
		return 0, stride, 4
	case 6:
		return x, stride, -4
	case 7:
		return x + y, -stride, -4
	case 8:
		return y, -stride, 4
	}
	return 0, 4, stride
}

// straight is the same picture, in the same memory, with colours that are not
// multiplied by how opaque they are: as PNG has them.
func straight(m *image.RGBA) *image.NRGBA {
	for i := 0; i+4 <= len(m.Pix); i += 4 {
		pix := m.Pix[i:][:4]
		if a := uint32(pix[3]); a > 0 && a < 255 {
			for c := range 3 {
				pix[c] = uint8(min((uint32(pix[c])*255+a/2)/a, 255))
			}
		}
	}
	return &image.NRGBA{Pix: m.Pix, Stride: m.Stride, Rect: m.Rect}
}
