package media

import (
	"bytes"
	"encoding/binary"
)

// A part is a segment of a JPEG or a chunk of a PNG or WebP: it lies between
// off and next in the file, its content between start and end.
type part struct {
	kind                  string // the chunk's name; of a JPEG the byte of the marker
	off, start, end, next int64
}

// Markers of a JPEG, ITU-T T.81 table B.1.
const (
	markSOI   = "\xd8"
	markEOI   = "\xd9"
	markSOS   = "\xda"
	markAPP0  = "\xe0"
	markAPP1  = "\xe1"
	markAPP2  = "\xe2"
	markAPP14 = "\xee"
	markAPP15 = "\xef"
	markCOM   = "\xfe"
)

// jpegParts calls each for the segments of a JPEG from its first to the end of
// the picture, EOI, after which nothing belongs to it. A scan's data go with its
// header. A file without an end is read as decoders do, to where it stops.
func jpegParts(s *source, each func(part) error) error {
	if err := each(part{markSOI, 0, 2, 2, 2}); err != nil {
		return err
	}
	for off := int64(2); off < s.size; {
		if err := s.part(); err != nil {
			return err
		}
		b, err := s.at(off, 2)
		if err != nil {
			return err
		}
		p := part{kind: string(b[1:2]), off: off, start: off + 2, end: off + 2, next: off + 2}
		switch kind := b[1]; {
		case b[0] != 0xff:
			return fault("it has no marker where one must be")
		case kind == 0xff: // fill byte
			p.kind, p.next = "", off+1
		case kind == 0x00, kind == 0x01, kind >= 0xd0 && kind <= 0xd8:
		case p.kind == markEOI:
			return each(p)
		default:
			if b, err = s.at(off+2, 2); err != nil {
				return err
			}
			n := int64(binary.BigEndian.Uint16(b))
			if n < 2 {
				return fault("a segment has no length")
			}
			if p.start, p.end = off+4, off+2+n; p.end > s.size {
				return errCut
			}
			if p.next = p.end; p.kind == markSOS {
				if p.next, err = s.marker(p.end); err != nil {
					return err
				}
			}
		}
		if err := each(p); err != nil {
			return err
		}
		off = p.next
	}
	return nil
}

// marker is where the next marker of a JPEG is that ends the data of a scan;
// the file's end if there is none.
func (s *source) marker(off int64) (int64, error) {
	for off < s.size {
		b, err := s.at(off, int(min(4096, s.size-off)))
		if err != nil {
			return 0, err
		}
		i := bytes.IndexByte(b, 0xff)
		if i < 0 {
			off += int64(len(b))
			continue
		}
		off += int64(i)
		if off+1 >= s.size {
			break
		}
		c, err := s.byte(off + 1)
		switch {
		case err != nil:
			return 0, err
		case c == 0xff:
			off++
		case c == 0, c >= 0xd0 && c <= 0xd7:
			off += 2
		default:
			return off, nil
		}
	}
	return s.size, nil
}

// pngParts calls each for the chunks of a PNG from the header to the end, IEND.
func pngParts(s *source, each func(part) error) error {
	for off := int64(8); ; {
		if err := s.part(); err != nil {
			return err
		}
		b, err := s.at(off, 8)
		if err != nil {
			return err
		}
		p := part{kind: string(b[4:8]), off: off, start: off + 8}
		p.end = p.start + int64(binary.BigEndian.Uint32(b))
		if p.next = p.end + 4; p.next > s.size {
			return errCut
		}
		if off == 8 && (p.kind != "IHDR" || p.end-p.start != 13) {
			return fault("its first chunk is not the header")
		}
		if err := each(p); err != nil {
			return err
		}
		if p.kind == "IEND" {
			return nil
		}
		off = p.next
	}
}

// webpParts calls each for the chunks of a WebP.
func webpParts(s *source, each func(part) error) error {
	n, err := s.at(4, 4)
	if err != nil {
		return err
	}
	end := 8 + int64(binary.LittleEndian.Uint32(n))
	if end > s.size {
		return errCut
	}
	return riffParts(s, 12, end, each)
}

// riffParts calls each for the chunks between two places; the last may lack the
// byte that makes its length even.
func riffParts(s *source, start, end int64, each func(part) error) error {
	for off := start; off+8 <= end; {
		if err := s.part(); err != nil {
			return err
		}
		b, err := s.at(off, 8)
		if err != nil {
			return err
		}
		p := part{kind: string(b[:4]), off: off, start: off + 8}
		n := int64(binary.LittleEndian.Uint32(b[4:]))
		if p.end = p.start + n; p.end > end {
			return errCut
		}
		p.next = min(p.end+n&1, end)
		if err := each(p); err != nil {
			return err
		}
		off = p.next
	}
	return nil
}
