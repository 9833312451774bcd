package boorusim

import (
	"bytes"
	"crypto/md5" // the boards name their files by it
	"encoding/hex"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"
)

// FileKind is what is served as a file.
type FileKind string

// The files. All but Drawn and Whole are there to be refused.
const (
	Drawn       FileKind = ""             // the picture as it should be
	Whole       FileKind = "whole"        // File.Bytes, which the test brings
	HeavyGIF    FileKind = "heavy"        // a right GIF of noise of at least File.Size bytes, 25 MB if not given
	HugeCanvas  FileKind = "huge-canvas"  // 30,000 x 30,000 points in less than 2 kB
	HalfFile    FileKind = "half"         // the first half of the right file, of that length
	PNGFile     FileKind = "png"          // a PNG under the name and type of a GIF
	HTMLFile    FileKind = "html"         // a page under the name and type of a GIF
	EmptyFile   FileKind = "empty"        // no bytes at all
	EndlessFile FileKind = "endless"      // a GIF of File.Size bytes, 2 GiB if not given, of an unknown length
	MovedFile   FileKind = "moved"        // 302 to File.To; an address in a private net if not given
	MissingFile FileKind = "missing"      // 404 and a page
	BrokenFile  FileKind = "broken"       // 500
	SlowFile    FileKind = "slow"         // the right file in ten pieces with File.Delay before each
	ResetFile   FileKind = "reset"        // half of the right file, then the connection is reset
	WrongType   FileKind = "wrong-type"   // the right file as File.Type; text/plain if not given
	WrongLength FileKind = "wrong-length" // the right file, declared twice as long
	NoLength    FileKind = "no-length"    // the right file, of an unknown length
)

// PrivateAddress is where MovedFile leads if nothing else is said.
const PrivateAddress = "http://10.0.0.1/secret.gif"

// File is served in place of what would be drawn.
type File struct {
	Kind  FileKind
	Bytes []byte
	Type  string // Content-Type; empty: that of the picture
	Size  int64
	Delay time.Duration
	To    string
}

// boxes are the sizes of the representations; one that is larger than the
// picture is the whole picture.
func box(name string) (w, h int) {
	switch name {
	case Tall:
		return 1024, 4096
	case Large:
		return 1280, 1024
	case Medium:
		return 800, 600
	case Small:
		return 320, 240
	case Thumb:
		return 250, 250
	case ThumbSmall:
		return 150, 150
	case ThumbTiny:
		return 50, 50
	}
	return 0, 0
}

// Dimensions are the width and height of a representation of a picture.
func Dimensions(im Image, representation string) (width, height int) {
	im.complete()
	w, h := box(representation)
	if w == 0 || im.Width <= w && im.Height <= h {
		return im.Width, im.Height
	}
	if im.Width*h > im.Height*w {
		return w, max(1, im.Height*w/im.Width)
	}
	return max(1, im.Width*h/im.Height), h
}

// drawn keeps files that were drawn, up to a number of bytes.
type drawn struct {
	mu    sync.Mutex
	files map[drawing][]byte
	bytes int
}

type drawing struct {
	Animation
	format string
}

const maxDrawn = 64 << 20

// draw is the right file of a representation.
func (s *Server) draw(e *entry, name string) []byte {
	w, h := Dimensions(e.Image, name)
	key := drawing{Animation{Width: w, Height: h, Frames: e.Frames, Scene: e.Scene}, e.Format}
	if s.cfg.Board != Philomena && name != Full {
		key.format = "jpg"
	}
	s.drawn.mu.Lock()
	defer s.drawn.mu.Unlock() // two that want one file draw it once
	if data, ok := s.drawn.files[key]; ok {
		return data
	}
	var data []byte
	switch key.format {
	case "png", "jpg":
		data = key.still(key.format)
	default:
		data = key.bytes()
	}
	if s.drawn.files == nil {
		s.drawn.files = map[drawing][]byte{}
	}
	if s.drawn.bytes += len(data); s.drawn.bytes > maxDrawn {
		clear(s.drawn.files)
		s.drawn.bytes = len(data)
	}
	s.drawn.files[key] = data
	return data
}

// still is the first frame as a PNG or a JPEG.
func (a Animation) still(format string) []byte {
	paint, colors := a.Scene.painter()
	p := make(color.Palette, len(colors))
	for i, c := range colors {
		p[i] = c
	}
	im := image.NewPaletted(image.Rect(0, 0, a.Width, a.Height), p)
	paint(im, 0)
	var b bytes.Buffer
	if format == "png" {
		_ = png.Encode(&b, im) // a buffer takes everything
	} else {
		_ = jpeg.Encode(&b, im, nil)
	}
	return b.Bytes()
}

// size is the length that a picture's document tells.
func (s *Server) size(e *entry) int64 {
	if e.Size != 0 {
		return e.Size
	}
	f := e.file(Full)
	switch f.Kind {
	case Whole:
		return int64(len(f.Bytes))
	case HeavyGIF:
		return HeavySize(e.Width, e.Height, HeavyFrames(e.Width, e.Height, f.heavy()))
	}
	if e.Format == "webm" || e.Format == "mp4" || e.Format == "svg" {
		return 0
	}
	return int64(len(s.draw(e, Full)))
}

func (f File) heavy() int64 {
	if f.Size > 0 {
		return f.Size
	}
	return 25_000_000
}

func (e *entry) file(name string) File {
	if f, ok := e.Files[name]; ok {
		return f
	}
	return e.Files[All]
}

func md5Of(im *Image) string {
	sum := md5.Sum([]byte(strconv.FormatInt(im.ID, 10) + im.Name))
	return hex.EncodeToString(sum[:])
}

// locate finds whose file and which one an address is; nil if it is none.
func (s *Server) locate(address string) (*entry, string) {
	base := path.Base(address)
	name, ext, _ := strings.Cut(base, ".")
	if s.cfg.Board != Philomena {
		for _, e := range s.all() {
			if md5Of(&e.Image) == name {
				if strings.HasPrefix(address, "/original/") || strings.HasPrefix(address, "/data/") && !strings.HasPrefix(address, "/data/preview/") {
					return e, Full
				}
				return e, Thumb
			}
		}
		return nil, ""
	}
	representation := name
	if rest, ok := strings.CutPrefix(address, "/img/view/"); ok && strings.Count(rest, "/") == 3 {
		name, _, _ = strings.Cut(name, "__")
		representation = Full
		if ext == MP4 || ext == WebM {
			representation = ext
		}
	} else {
		name = path.Base(path.Dir(address))
	}
	id, err := strconv.ParseInt(name, 10, 64)
	if w, _ := box(representation); err != nil || w == 0 && representation != Full && representation != MP4 && representation != WebM {
		return nil, ""
	}
	return s.find(id), representation
}

// file serves what the addresses in the documents lead to.
func (s *Server) file(x *exchange) {
	e, name := s.locate(x.r.URL.Path)
	if e != nil {
		x.note(func(r *Request) { r.Image, r.Representation = e.ID, name })
	}
	var f File
	fault := s.pick(x, true)
	switch {
	case fault != nil && fault.early():
		fault.do(x)
		return
	case e == nil || e.hidden() || e.NoThumbnails:
		x.html(http.StatusNotFound, "404 Not Found")
		return
	case fault != nil && fault.Kind == Slow:
		f = File{Kind: SlowFile, Delay: fault.Delay / 10}
	case fault != nil && fault.Kind == CutOff:
		f = File{Kind: WrongLength}
	default:
		f = e.file(name)
	}
	s.serve(x, e, name, f)
}

func (s *Server) serve(x *exchange, e *entry, name string, f File) {
	kind := f.Type
	if kind == "" {
		kind = e.mime()
		if s.cfg.Board != Philomena && name != Full {
			kind = "image/jpeg"
		} else if name == MP4 || name == WebM {
			kind = "video/" + name
		}
	}
	switch f.Kind { // those that need no right file
	case Whole:
		x.send(http.StatusOK, kind, f.Bytes)
		return
	case HeavyGIF:
		frames := HeavyFrames(e.Width, e.Height, f.heavy())
		x.stream(kind, HeavySize(e.Width, e.Height, frames), func(w io.Writer) error { return Heavy(w, e.Width, e.Height, frames) })
		return
	case HugeCanvas:
		x.send(http.StatusOK, kind, hugeCanvas())
		return
	case PNGFile:
		x.send(http.StatusOK, kind, Animation{Width: e.Width, Height: e.Height, Scene: e.Scene}.still("png"))
		return
	case HTMLFile:
		x.send(http.StatusOK, kind, []byte("<!DOCTYPE html><html><head><title>Hotlinking is not allowed</title></head></html>"))
		return
	case EmptyFile:
		x.send(http.StatusOK, kind, nil)
		return
	case EndlessFile:
		size := f.Size
		if size <= 0 {
			size = 2 << 30
		}
		x.stream(kind, -1, func(w io.Writer) error { return Heavy(w, e.Width, e.Height, HeavyFrames(e.Width, e.Height, size)) })
		return
	case MovedFile:
		to := f.To
		if to == "" {
			to = PrivateAddress
		}
		x.w.Header().Set("Location", to)
		x.html(http.StatusFound, "302 Found")
		return
	case MissingFile:
		x.html(http.StatusNotFound, "404 Not Found")
		return
	case BrokenFile:
		x.html(http.StatusInternalServerError, "500 Internal Server Error")
		return
	}
	if e.Format == "webm" || e.Format == "mp4" || e.Format == "svg" || name == MP4 || name == WebM {
		x.html(http.StatusNotFound, "404 Not Found") // nothing draws these: a test brings them with Whole
		return
	}
	s.spoilt(x, kind, s.draw(e, name), f)
}

// spoilt sends a right file, as far as the kind of it lets it come.
func (s *Server) spoilt(x *exchange, kind string, data []byte, f File) {
	switch f.Kind {
	case HalfFile:
		data = data[:len(data)/2]
	case SlowFile:
		x.slowly(kind, data, f.Delay)
		return
	case ResetFile:
		x.note(func(r *Request) { r.Status = http.StatusOK })
		x.w.Header().Set("Content-Type", kind)
		x.w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = x.w.Write(data[:len(data)/2])
		_ = http.NewResponseController(x.w).Flush()
		reset(x.w)
		return
	case WrongType:
		if f.Type == "" {
			kind = "text/plain"
		}
	case WrongLength:
		x.cutOff(kind, int64(2*len(data)), data)
		return
	case NoLength:
		x.stream(kind, -1, func(w io.Writer) error { _, err := w.Write(data); return err })
		return
	}
	x.send(http.StatusOK, kind, data)
}

func (x *exchange) slowly(kind string, data []byte, delay time.Duration) {
	x.note(func(r *Request) { r.Status = http.StatusOK })
	x.w.Header().Set("Content-Type", kind)
	x.w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	flush := http.NewResponseController(x.w)
	for i := range 10 {
		if flush.Flush() != nil || !x.wait(delay) {
			return
		}
		if _, err := x.w.Write(data[len(data)*i/10 : len(data)*(i+1)/10]); err != nil {
			return
		}
	}
}

// stream sends a body while it is made; of a negative length it is not told.
func (x *exchange) stream(kind string, length int64, write func(io.Writer) error) {
	x.note(func(r *Request) { r.Status = http.StatusOK })
	x.w.Header().Set("Content-Type", kind)
	if length >= 0 {
		x.w.Header().Set("Content-Length", strconv.FormatInt(length, 10))
	}
	_ = http.NewResponseController(x.w).Flush() // the length is not to be made up from a small body
	_ = write(x.w)                              // a client that is gone misses it, no more
}
