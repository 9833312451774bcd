package boorusim

import (
	"bufio"
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"image"
	"image/color"
	"io"
	"math/bits"
)

// Animation is a GIF to be drawn. The same one always gives the same bytes.
type Animation struct {
	Width, Height int
	Frames        int
	Scene         Scene // empty: a moving square
}

// GIF is an animated GIF of a moving square; of one frame it is a still one.
func GIF(width, height, frames int) []byte {
	return Animation{Width: width, Height: height, Frames: frames}.bytes()
}

func (a Animation) bytes() []byte {
	var b bytes.Buffer
	_ = a.Write(&b) // a buffer takes everything
	return b.Bytes()
}

// Write draws frame after frame into w; only two are in memory at a time. A
// frame after the first holds just what has changed, as good encoders do it.
// The error is that of w.
func (a Animation) Write(w io.Writer) error {
	paint, colors := a.Scene.painter()
	out := bufio.NewWriter(w)
	size := max(2, bits.Len(uint(len(colors)-1)))
	gifHeader(out, a.Width, a.Height, size, func(i int) color.RGBA {
		if i < len(colors) {
			return colors[i]
		}
		return color.RGBA{}
	}, a.Frames != 1)
	all := image.Rect(0, 0, a.Width, a.Height)
	now, last := image.NewPaletted(all, nil), image.NewPaletted(all, nil)
	for f := range max(1, a.Frames) {
		paint(now, float64(f)/float64(max(1, a.Frames)))
		part := all
		if f > 0 {
			part = difference(now, last)
		}
		gifFrame(out, part)
		_ = out.WriteByte(byte(size))
		blocks := &blockWriter{w: out}
		z := lzw.NewWriter(blocks, lzw.LSB, size)
		for y := part.Min.Y; y < part.Max.Y; y++ {
			i := now.PixOffset(part.Min.X, y)
			if _, err := z.Write(now.Pix[i : i+part.Dx()]); err != nil {
				return err
			}
		}
		if err := z.Close(); err != nil {
			return err
		}
		blocks.end()
		now, last = last, now
	}
	_ = out.WriteByte(';')
	return out.Flush()
}

// difference is the smallest rectangle outside of which two pictures are the
// same; a single point if they are the same everywhere.
func difference(a, b *image.Paletted) image.Rectangle {
	r := image.Rectangle{}
	for y := range a.Rect.Dy() {
		x, line := a.PixOffset(0, y), a.Rect.Dx()
		p, q := a.Pix[x:x+line], b.Pix[x:x+line]
		if bytes.Equal(p, q) {
			continue
		}
		from, to := 0, line
		for p[from] == q[from] {
			from++
		}
		for p[to-1] == q[to-1] {
			to--
		}
		r = r.Union(image.Rect(from, y, to, y+1))
	}
	if r.Empty() {
		return image.Rect(0, 0, 1, 1)
	}
	return r
}

// gifHeader writes all that comes before the first frame
// (https://www.w3.org/Graphics/GIF/spec-gif89a.txt). The colours are 1 << size.
func gifHeader(w *bufio.Writer, width, height, size int, at func(int) color.RGBA, loop bool) {
	_, _ = w.WriteString("GIF89a") // a bufio.Writer keeps its error until Flush
	le16(w, width)
	le16(w, height)
	_, _ = w.Write([]byte{0x80 | byte(size-1), 0, 0})
	for i := range 1 << size {
		c := at(i)
		_, _ = w.Write([]byte{c.R, c.G, c.B})
	}
	if loop {
		_, _ = w.WriteString("\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00")
	}
}

// gifFrame writes what comes before a frame's data: it lasts a tenth of a second and stays.
func gifFrame(w *bufio.Writer, r image.Rectangle) {
	_, _ = w.WriteString("\x21\xf9\x04\x04\x0a\x00\x00\x00\x2c")
	le16(w, r.Min.X)
	le16(w, r.Min.Y)
	le16(w, r.Dx())
	le16(w, r.Dy())
	_ = w.WriteByte(0)
}

func le16(w *bufio.Writer, v int) {
	_, _ = w.Write(binary.LittleEndian.AppendUint16(nil, uint16(v)))
}

// blockWriter cuts a stream into GIF's blocks of at most 255 bytes.
type blockWriter struct {
	w   *bufio.Writer
	buf [255]byte
	n   int
}

func (b *blockWriter) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		c := copy(b.buf[b.n:], p)
		b.n, p = b.n+c, p[c:]
		if b.n == len(b.buf) {
			b.flush()
		}
	}
	return n, nil
}

func (b *blockWriter) flush() {
	if b.n > 0 {
		_ = b.w.WriteByte(byte(b.n))
		_, _ = b.w.Write(b.buf[:b.n])
		b.n = 0
	}
}

func (b *blockWriter) end() {
	b.flush()
	_ = b.w.WriteByte(0)
}

// heavyRun is how many points are between two clear codes of a heavy GIF: so
// few that a code never needs a ninth bit, and a point is a byte.
const heavyRun = 120

// Heavy writes an animated GIF of noise, which is exactly HeavySize bytes long
// and cannot be made smaller. It keeps next to nothing in memory and ends early
// with the error of w.
func Heavy(w io.Writer, width, height, frames int) error {
	out := bufio.NewWriterSize(w, 64<<10)
	gifHeader(out, width, height, 7, func(i int) color.RGBA {
		return color.RGBA{R: byte(i * 2), G: byte(255 - i), B: byte(i * 37), A: 255}
	}, true)
	seed := uint32(1)
	line := make([]byte, 1+heavyRun)
	line[0] = 0x80 // clear
	for range frames {
		gifFrame(out, image.Rect(0, 0, width, height))
		_ = out.WriteByte(7)
		blocks := &blockWriter{w: out}
		for left := width * height; left > 0; left -= heavyRun {
			n := min(left, heavyRun)
			for i := range n {
				seed = seed*1664525 + 1013904223
				line[1+i] = byte(seed >> 25)
			}
			_, _ = blocks.Write(line[:1+n])
		}
		_, _ = blocks.Write([]byte{0x81}) // end
		blocks.end()
		if _, err := out.Write(nil); err != nil { // what bufio keeps
			return err
		}
	}
	_ = out.WriteByte(';')
	return out.Flush()
}

// HeavySize is the length of what Heavy writes, in bytes.
func HeavySize(width, height, frames int) int64 {
	points := int64(width) * int64(height)
	data := points + (points+heavyRun-1)/heavyRun + 1
	frame := 8 + 10 + 1 + data + (data+254)/255 + 1
	return 13 + 3*128 + 19 + int64(frames)*frame + 1
}

// HeavyFrames is how many frames make a heavy GIF of at least so many bytes.
func HeavyFrames(width, height int, size int64) int {
	one := HeavySize(width, height, 1) - HeavySize(width, height, 0)
	return int(max(1, (size-HeavySize(width, height, 0)+one-1)/one))
}

// hugeCanvas is a right GIF of two frames and a few hundred bytes that says it
// is 30,000 points wide and as high; its frames are a point each.
func hugeCanvas() []byte {
	var b bytes.Buffer
	w := bufio.NewWriter(&b)
	gifHeader(w, 30_000, 30_000, 2, func(i int) color.RGBA { return color.RGBA{R: byte(i * 80), A: 255} }, true)
	for i := range 2 {
		gifFrame(w, image.Rect(i, 0, i+1, 1))
		_ = w.WriteByte(2)
		blocks := &blockWriter{w: w}
		z := lzw.NewWriter(blocks, lzw.LSB, 2)
		_, _ = z.Write([]byte{byte(i)})
		_ = z.Close()
		blocks.end()
	}
	_ = w.WriteByte(';')
	_ = w.Flush()
	return b.Bytes()
}
