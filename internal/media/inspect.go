package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// sniffed is how much of a file's beginning tells what it is.
const sniffed = 512

// Inspect tells what a file is. Failures of the kinds NotMedia and Broken are
// the file's fault; anything else is trouble with reading it.
func Inspect(path string) (Info, error) {
	f, err := os.Open(path)
	if err != nil {
		return Info{}, fmt.Errorf("inspect: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Info{}, fmt.Errorf("inspect: %w", err)
	}
	if !st.Mode().IsRegular() {
		return Info{}, failure(NotMedia, "it is not a file")
	}
	return InspectReader(f, st.Size())
}

// InspectReader is Inspect for what is already open; size is the length in bytes.
func InspectReader(r io.ReaderAt, size int64) (Info, error) {
	s := newSource(r, size)
	head, err := s.head(sniffed)
	if err != nil {
		return Info{}, fmt.Errorf("inspect: %w", err)
	}
	read, t, err := sniff(head)
	if err != nil {
		return Info{}, err
	}
	info := Info{Type: t, Size: size}
	switch err := read(s, &info); {
	case err == nil:
	case errors.Is(err, errCut), isFault(err):
		return Info{}, failure(Broken, "the %s file is broken: %v", info.Type, err)
	default:
		return Info{}, fmt.Errorf("inspect: %w", err)
	}
	if !info.Type.Audio() && info.Type != OggVideo {
		if info.Width < 1 || info.Height < 1 {
			return Info{}, failure(Broken, "the %s file is broken: it has no pixels", info.Type)
		}
		if info.Width > maxSide || info.Height > maxSide {
			return Info{}, failure(Broken, "the %s file is broken: it claims to be %dx%d", info.Type, info.Width, info.Height)
		}
	}
	if info.Type.Image() && info.Frames == 0 {
		info.Frames = 1
	}
	if info.Rate == 0 && info.Frames > 1 && info.Duration > 0 {
		info.Rate = float64(info.Frames) / info.Duration.Seconds()
	}
	return info, nil
}

// fault is what a file does wrong, beside ending too early.
type fault string

func (f fault) Error() string { return string(f) }

func isFault(err error) bool {
	_, ok := errors.AsType[fault](err)
	return ok
}

// sniff finds who reads a file, and its type as far as its first bytes tell.
func sniff(head []byte) (read func(*source, *Info) error, t Type, err error) {
	has := func(at int, sign string) bool {
		return len(head) >= at+len(sign) && string(head[at:at+len(sign)]) == sign
	}
	switch {
	case has(0, "GIF87a"), has(0, "GIF89a"):
		return readGIF, GIF, nil
	case has(0, "\x89PNG\r\n\x1a\n"):
		return readPNG, PNG, nil
	case has(0, "\xff\xd8\xff"):
		return readJPEG, JPEG, nil
	case has(0, "RIFF") && has(8, "WEBP"):
		return readWebP, WebP, nil
	case has(0, "RIFF") && has(8, "WAVE"):
		return readNothing, WAV, nil
	case has(4, "ftyp"), has(4, "moov"), has(4, "mdat"), has(4, "wide"):
		return readBoxes, MP4, nil
	case has(0, "\x1a\x45\xdf\xa3"):
		return readEBML, WebM, nil
	case has(0, "OggS"):
		return readOgg, Ogg, nil
	case has(0, "fLaC"):
		return readNothing, FLAC, nil
	case has(0, "ID3"), mp3Frame(head) > 0:
		return readMP3, MP3, nil
	}
	return nil, "", failure(NotMedia, "it is %s, not a picture, a film or sound", describe(head))
}

func readNothing(*source, *Info) error { return nil }

// describe names what is often found in a picture's place.
func describe(head []byte) string {
	if len(head) == 0 {
		return "empty"
	}
	text := bytes.TrimPrefix(head, []byte("\xef\xbb\xbf"))
	text = bytes.ToLower(bytes.TrimLeft(text, " \t\r\n\f"))
	starts := func(words ...string) bool {
		for _, w := range words {
			if bytes.HasPrefix(text, []byte(w)) {
				return true
			}
		}
		return false
	}
	switch {
	case starts("<svg"), starts("<?xml", "<!--", "<!doctype") && bytes.Contains(text, []byte("<svg")), starts("<!doctype svg"):
		return "an SVG drawing"
	case starts("<!doctype html", "<html", "<head", "<body", "<title", "<script", "<!--", "<meta"):
		return "a web page"
	case starts("%pdf-"):
		return "a PDF"
	case starts("pk\x03\x04"), starts("\x1f\x8b"), starts("rar!"):
		return "an archive"
	case isText(head):
		return "text"
	}
	return "of an unknown kind"
}

func isText(b []byte) bool {
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 && utf8.FullRune(b) || r < ' ' && r != '\n' && r != '\r' && r != '\t' && r != '\f' && r != 0x1b {
			return false
		}
		b = b[n:]
	}
	return true
}
