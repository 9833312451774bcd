package media

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// WithoutMetadata takes out of a file what is not needed to show or play it:
// where, when and with what it was made, names, titles and comments, previews,
// and what lies behind its end. Pixels, frames and sound stay byte for byte; so
// do the colour profile and which side is up. The result is f itself if there is
// nothing to take out; otherwise the caller removes both files.
//
// Of JPEG, PNG, WebP, GIF, MP3, FLAC and WAV the parts that are not needed are
// left out. In what is made of boxes (AVIF, HEIC, MP4, QuickTime and MP4 sound),
// in WebM and Matroska, and in Ogg they are blanked in place, so that nothing
// else moves. The titles and the artists of music go with the places, the dates
// and the covers: the fields that hold them are free for anything, and a post has
// words of its own.
//
// A film with tracks that hold neither pictures nor sound, such as the places
// along the way, time codes or subtitles, is put together anew without them by
// ffmpeg, which copies pictures and sound as they are.
//
// What stays: what an encoder writes into the pictures and the sound themselves,
// of a HEIC or AVIF its previews and maps of depth, and bytes among the samples
// of a film that belong to no track.
//
// A file that cannot be read as its type is an error of the kind Broken. Where
// ffmpeg is needed and missing the kind is FFmpegMissing, where it cannot do it
// another of the kinds FFmpeg…. Others are NoSpace, trouble with the files, and
// ctx's.
func (k *Kit) WithoutMetadata(ctx context.Context, f File) (File, error) {
	out, err := k.cleaned(ctx, f, cleaning{orientation: true, profile: true})
	if err != nil {
		return File{}, fmt.Errorf("take out the metadata: %w", err)
	}
	return out, nil
}

// cleaning says what stays beside the picture itself.
type cleaning struct {
	orientation bool   // which side is up
	profile     bool   // the colour profile
	icc         []byte // the profile to put in, of a JPEG or PNG without one
}

// splice is a file as pieces of another, in order.
type splice struct {
	pieces  []piece
	changed bool
	anew    bool // it has no pieces: the file has to be put together anew
}

// piece is a stretch of the file, or literal bytes, or as many zeros.
type piece struct {
	off, n int64
	lit    []byte
	blank  bool
}

// keep takes over a stretch of the file.
func (c *splice) keep(from, to int64) {
	if to <= from {
		return
	}
	if n := len(c.pieces); n > 0 {
		if last := &c.pieces[n-1]; last.lit == nil && !last.blank && last.off+last.n == from {
			last.n += to - from
			return
		}
	}
	c.pieces = append(c.pieces, piece{off: from, n: to - from})
}

// put writes bytes that are not in the file.
func (c *splice) put(lit []byte) {
	c.pieces, c.changed = append(c.pieces, piece{n: int64(len(lit)), lit: lit}), true
}

// blank writes zeros.
func (c *splice) blank(n int64) {
	if n > 0 {
		c.pieces, c.changed = append(c.pieces, piece{n: n, blank: true}), true
	}
}

// drop leaves something out.
func (c *splice) drop() { c.changed = true }

func (c *splice) size() (n int64) {
	for _, p := range c.pieces {
		n += p.n
	}
	return n
}

// cleaned is f itself, or a new file.
func (k *Kit) cleaned(ctx context.Context, f File, c cleaning) (File, error) {
	if err := ctx.Err(); err != nil {
		return File{}, err
	}
	cut, err := c.read(f)
	switch {
	case err != nil:
		return File{}, err
	case cut.anew:
		return k.anew(ctx, f, c)
	case !cut.changed:
		return f, nil
	}
	r, err := os.Open(f.Path)
	if err != nil {
		return File{}, err
	}
	defer r.Close()
	out, err := k.written(ctx, f.Type.Ext(), r, cut)
	if err != nil {
		return File{}, err
	}
	if out.Type != f.Type || out.Width != f.Width || out.Height != f.Height || out.Frames != f.Frames {
		k.discard(out.Path)
		return File{}, failure(Broken, "the %s file is broken: without its metadata it is %s", f.Type, out.Info)
	}
	return out, nil
}

// read says what of a file stays.
func (c cleaning) read(f File) (splice, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return splice{}, err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return splice{}, err
	}
	cut, err := c.splice(newSource(r, st.Size()), f.Type)
	if errors.Is(err, errCut) || isFault(err) {
		err = failure(Broken, "the %s file is broken: %v", f.Type, err)
	}
	return cut, err
}

// splice says what of a file stays.
func (c cleaning) splice(s *source, t Type) (cut splice, err error) {
	head, err := s.head(sniffed)
	if err != nil {
		return splice{}, err
	}
	if _, is, err := sniff(head); err != nil || is != family(t) {
		return splice{}, fault("it does not begin as one")
	}
	switch t {
	case JPEG:
		return c.jpeg(s)
	case PNG:
		return c.png(s)
	case WebP:
		return c.webp(s)
	case GIF:
		return c.gif(s)
	case AVIF, HEIC:
		return c.still(s)
	case MP4, QuickTime, MP4Audio:
		return c.film(s)
	case WebM, Matroska, WebMAudio, MatroskaAudio:
		return c.matroska(s)
	case Ogg, OggVideo:
		return c.ogg(s)
	case MP3:
		return c.mp3(s)
	case FLAC:
		return c.flac(s)
	case WAV:
		return c.wav(s)
	}
	return splice{}, nil
}

// family is what the first bytes of a file of a type tell.
func family(t Type) Type {
	switch t {
	case AVIF, HEIC, QuickTime, MP4Audio:
		return MP4
	case Matroska, WebMAudio, MatroskaAudio:
		return WebM
	case OggVideo:
		return Ogg
	}
	return t
}

// written makes the file that a splice describes.
func (k *Kit) written(ctx context.Context, ext string, from io.ReaderAt, cut splice) (File, error) {
	out, err := k.temp(ext)
	if err != nil {
		return File{}, err
	}
	w := bufio.NewWriter(out)
	for _, p := range cut.pieces {
		if err = ctx.Err(); err != nil {
			break
		}
		switch {
		case p.lit != nil:
			_, err = w.Write(p.lit)
		case p.blank:
			_, err = io.CopyN(w, zeros{}, p.n)
		default:
			_, err = io.CopyN(w, io.NewSectionReader(from, p.off, p.n), p.n)
		}
		if err != nil {
			err = writing(err)
			break
		}
	}
	if err == nil {
		if err = w.Flush(); err != nil {
			err = writing(err)
		}
	}
	if end := out.Close(); end != nil && err == nil {
		err = writing(end)
	}
	var info Info
	if err == nil {
		info, err = Inspect(out.Name())
	}
	if err != nil {
		k.discard(out.Name())
		return File{}, err
	}
	return File{Path: out.Name(), Info: info, kit: k}, nil
}

// zeros reads as zeros without an end.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
