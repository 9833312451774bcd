package media

import (
	"encoding/binary"
	"slices"
	"strings"
	"time"
)

// box is one of ISO/IEC 14496-12, which MP4, QuickTime, AVIF and HEIC are made
// of; it begins at off, start and end are those of its content.
type box struct {
	kind            string
	off, start, end int64
}

// boxes calls each for the boxes between two places.
func boxes(s *source, start, end int64, each func(box) error) error {
	for off := start; off+8 <= end; {
		if err := s.part(); err != nil {
			return err
		}
		b, err := s.at(off, 8)
		if err != nil {
			return err
		}
		n, in := int64(binary.BigEndian.Uint32(b)), box{kind: string(b[4:8]), off: off, start: off + 8}
		switch n {
		case 0: // to the end
			n = end - off
		case 1: // a longer number follows
			if b, err = s.at(off+8, 8); err != nil {
				return err
			}
			long := binary.BigEndian.Uint64(b)
			if long > uint64(end-off) {
				return errCut
			}
			n, in.start = int64(long), off+16
		}
		if in.end = off + n; n < in.start-off {
			return fault("a part of it is shorter than its own header")
		}
		if in.end > end {
			return errCut
		}
		if err := each(in); err != nil {
			return err
		}
		off = in.end
	}
	return nil
}

// film collects what the tracks of a film say.
type film struct {
	video, audio bool
	info         *Info
}

func readBoxes(s *source, info *Info) error {
	f := film{info: info}
	brands, moov := "", false
	err := boxes(s, 0, s.size, func(b box) error {
		switch b.kind {
		case "ftyp":
			data, err := s.at(b.start, int(min(b.end-b.start, 256)))
			if err != nil {
				return err
			}
			brands = string(data)
			if t := pictureBrand(brands); t != "" {
				info.Type = t
			}
			if strings.HasPrefix(brands, "qt  ") {
				info.Type = QuickTime
			}
		case "meta":
			if info.Type.Image() {
				return stillSize(s, b, info)
			}
		case "moov":
			moov = true
			return f.moov(s, b)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if brands == "" {
		info.Type = QuickTime // before there were brands
	}
	switch {
	case info.Type.Image():
		info.Animated = f.video && info.Frames > 1
		if !info.Animated {
			info.Frames, info.Duration = 1, 0
		}
	case !moov:
		return errCut
	case f.video:
		info.Animated = info.Frames != 1
	case f.audio:
		info.Type, info.Width, info.Height, info.Frames = MP4Audio, 0, 0, 0
	default:
		return fault("it has neither pictures nor sound")
	}
	return nil
}

// pictureBrand is the type of a still picture or a series of them; "" for films.
func pictureBrand(brands string) Type {
	names := []string{brands[:min(4, len(brands))]}
	for i := 8; i+4 <= len(brands); i += 4 {
		names = append(names, brands[i:i+4])
	}
	// A film may name such a brand too, but not as its first.
	first := names[0]
	switch {
	case first == "avif" || first == "avis":
		return AVIF
	case slices.Contains([]string{"heic", "heix", "heim", "heis", "hevc", "hevx"}, first):
		return HEIC
	case first == "mif1" || first == "msf1" || first == "miaf":
		if slices.Contains(names, "avif") || slices.Contains(names, "avis") {
			return AVIF
		}
		return HEIC
	}
	return ""
}

// stillSize takes the largest size of any item.
func stillSize(s *source, meta box, info *Info) error {
	if meta.end-meta.start < 4 {
		return nil
	}
	return boxes(s, meta.start+4, meta.end, func(b box) error {
		if b.kind != "iprp" {
			return nil
		}
		return boxes(s, b.start, b.end, func(b box) error {
			if b.kind != "ipco" {
				return nil
			}
			return boxes(s, b.start, b.end, func(b box) error {
				if b.kind != "ispe" {
					return nil
				}
				d, err := s.at(b.start, 12)
				if err != nil {
					return err
				}
				info.Width = max(info.Width, side(binary.BigEndian.Uint32(d[4:])))
				info.Height = max(info.Height, side(binary.BigEndian.Uint32(d[8:])))
				return nil
			})
		})
	})
}

// side is a length in pixels that cannot overflow an int of 32 bits.
func side(n uint32) int { return int(min(n, maxSide+1)) }

func (f *film) moov(s *source, b box) error {
	return boxes(s, b.start, b.end, func(b box) error {
		if b.kind == "trak" {
			return f.trak(s, b)
		}
		return nil
	})
}

// track is what one track says.
type track struct {
	handler       string
	shown, coded  [2]int // width and height
	turned        bool
	length, scale uint64
	samples       int
}

func (f *film) trak(s *source, b box) error {
	var t track
	if err := t.read(s, b, 0); err != nil {
		return err
	}
	switch t.handler {
	case "soun":
		f.audio = true
	case "vide", "pict", "auxv":
		size := t.coded
		if size[0] == 0 || size[1] == 0 {
			size = t.shown
		}
		if t.turned {
			size[0], size[1] = size[1], size[0]
		}
		f.info.Width, f.info.Height = max(f.info.Width, size[0]), max(f.info.Height, size[1])
		if !f.video || t.samples > f.info.Frames {
			f.info.Frames, f.info.Duration = t.samples, span(t.length, t.scale)
		}
		f.video = true
	}
	return nil
}

// read goes through a track and the boxes in it that hold others.
func (t *track) read(s *source, in box, depth int) error {
	return boxes(s, in.start, in.end, func(b box) error {
		switch b.kind {
		case "mdia", "minf", "stbl":
			if depth > 3 {
				return fault("its parts are nested too deeply")
			}
			return t.read(s, b, depth+1)
		case "hdlr":
			d, err := s.at(b.start, 12)
			if err != nil {
				return err
			}
			if t.handler == "" || t.handler == "alis" || t.handler == "url " { // QuickTime's second says how data are referred to
				t.handler = string(d[8:12])
			}
		case "tkhd":
			return t.header(s, b)
		case "mdhd":
			return t.media(s, b)
		case "stsd":
			// Version, count, then the first entry: size, kind, 24 bytes, width, height.
			if b.end-b.start >= 44 {
				d, err := s.at(b.start+40, 4)
				if err != nil {
					return err
				}
				t.coded = [2]int{int(binary.BigEndian.Uint16(d)), int(binary.BigEndian.Uint16(d[2:]))}
			}
		case "stsz", "stz2":
			n, err := s.be32(b.start + 8)
			if err != nil {
				return err
			}
			t.samples = int(min(n, maxSide))
		}
		return nil
	})
}

func (t *track) header(s *source, b box) error {
	version, err := s.byte(b.start)
	if err != nil {
		return err
	}
	off := b.start + 40
	if version == 1 {
		off += 12
	}
	d, err := s.at(off, 44)
	if err != nil || off+44 > b.end {
		return errCut
	}
	// The matrix a b u c d v x y w: a quarter turn has nothing in a and d.
	word := func(i int) uint32 { return binary.BigEndian.Uint32(d[4*i:]) }
	t.turned = word(0) == 0 && word(4) == 0 && word(1) != 0 && word(3) != 0
	t.shown = [2]int{int(word(9) >> 16), int(word(10) >> 16)}
	return nil
}

func (t *track) media(s *source, b box) error {
	d, err := s.at(b.start, int(min(b.end-b.start, 32)))
	if err != nil || len(d) < 24 {
		return errCut
	}
	if d[0] == 1 {
		if len(d) < 32 {
			return errCut
		}
		t.scale, t.length = uint64(binary.BigEndian.Uint32(d[20:])), binary.BigEndian.Uint64(d[24:])
		return nil
	}
	t.scale, t.length = uint64(binary.BigEndian.Uint32(d[12:])), uint64(binary.BigEndian.Uint32(d[16:]))
	return nil
}

// span is a length in units of 1/scale seconds; 0 for one that cannot be.
func span(length, scale uint64) time.Duration {
	if scale == 0 || length/scale > 1<<30 {
		return 0
	}
	return time.Duration(float64(length) / float64(scale) * float64(time.Second))
}
