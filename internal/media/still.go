package media

import (
	"encoding/binary"
	"time"
)

// readPNG walks the chunks to the end, https://www.w3.org/TR/png-3/: acTL says
// how many frames an animation has, each fcTL how long one stays.
func readPNG(s *source, info *Info) error {
	b, err := s.at(8, 16)
	if err != nil {
		return err
	}
	if string(b[4:8]) != "IHDR" || binary.BigEndian.Uint32(b) != 13 {
		return fault("its first chunk is not the header")
	}
	w, h := binary.BigEndian.Uint32(b[8:]), binary.BigEndian.Uint32(b[12:])
	if w > maxSide || h > maxSide {
		return fault("it claims to be larger than any picture")
	}
	info.Width, info.Height, info.Frames = int(w), int(h), 1
	off, data := int64(8), false
	for {
		b, err := s.at(off, 8)
		if err != nil {
			return err
		}
		n, kind := int64(binary.BigEndian.Uint32(b)), string(b[4:8])
		if off+12+n > s.size {
			return errCut
		}
		switch {
		case kind == "acTL" && n >= 8 && !data:
			frames, err := s.be32(off + 8)
			if err != nil {
				return err
			}
			info.Frames = int(min(max(frames, 1), maxSide))
		case kind == "fcTL" && n >= 26:
			b, err := s.at(off+8, 26)
			if err != nil {
				return err
			}
			num, den := int64(binary.BigEndian.Uint16(b[20:])), int64(binary.BigEndian.Uint16(b[22:]))
			if den == 0 {
				den = 100
			}
			info.stay(time.Duration(num * int64(time.Second) / den))
		case kind == "IDAT":
			data = true
		case kind == "IEND":
			if !data {
				return fault("it has no pixels")
			}
			if info.Animated = info.Frames > 1; !info.Animated {
				info.Duration = 0
			}
			return nil
		}
		off += 12 + n
	}
}

// readJPEG walks the segments up to the first scan, ITU-T T.81 annex B.
func readJPEG(s *source, info *Info) error {
	off := int64(2)
	for {
		b, err := s.at(off, 2)
		if err != nil {
			return err
		}
		kind := b[1]
		switch {
		case b[0] != 0xff:
			return fault("it has no marker where one must be")
		case kind == 0xff: // fill byte
			off++
			continue
		case kind == 0x01, kind >= 0xd0 && kind <= 0xd8: // without a length
			off += 2
			continue
		case kind == 0xd9:
			return fault("it has no pixels")
		}
		b, err = s.at(off+2, 2)
		if err != nil {
			return err
		}
		n := int64(binary.BigEndian.Uint16(b))
		switch {
		case n < 2:
			return fault("a segment has no length")
		case kind == 0xda:
			if off+2+n >= s.size {
				return errCut
			}
			return nil
		case kind >= 0xc0 && kind <= 0xcf && kind != 0xc4 && kind != 0xc8 && kind != 0xcc: // frame header
			b, err := s.at(off+4, 5)
			if err != nil {
				return err
			}
			info.Height, info.Width = max(info.Height, int(binary.BigEndian.Uint16(b[1:]))), max(info.Width, int(binary.BigEndian.Uint16(b[3:])))
		}
		off += 2 + n
	}
}

// readWebP walks the chunks, RFC 9649.
func readWebP(s *source, info *Info) error {
	b, err := s.at(4, 4)
	if err != nil {
		return err
	}
	end := 8 + int64(binary.LittleEndian.Uint32(b))
	if end > s.size {
		return errCut
	}
	grow := func(w, h int) { info.Width, info.Height = max(info.Width, w), max(info.Height, h) }
	frames, pixels, moves := 0, false, false
	for off := int64(12); off+8 <= end; {
		b, err := s.at(off, 8)
		if err != nil {
			return err
		}
		kind, n := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
		if off+8+n > end {
			return errCut
		}
		switch kind {
		case "VP8X":
			b, err := s.at(off+8, 10)
			if err != nil {
				return err
			}
			moves = b[0]&0x02 != 0
			grow(int(le24(b[4:]))+1, int(le24(b[7:]))+1)
		case "VP8 ", "VP8L":
			w, h, err := webpFrame(s, off+8, kind)
			if err != nil {
				return err
			}
			grow(w, h)
			pixels = true
		case "ANMF":
			b, err := s.at(off+8, 16)
			if err != nil {
				return err
			}
			grow(2*int(le24(b))+int(le24(b[6:]))+1, 2*int(le24(b[3:]))+int(le24(b[9:]))+1)
			frames++
			info.stay(time.Duration(le24(b[12:])) * time.Millisecond)
		}
		off += 8 + n + n&1
	}
	if !pixels && frames == 0 {
		return fault("it has no pixels")
	}
	info.Frames = max(frames, 1)
	if info.Animated = moves && frames > 1; !info.Animated {
		info.Frames, info.Duration = 1, 0
	}
	return nil
}

func le24(b []byte) uint32 { return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 }

// webpFrame is the size that a picture's own data tell: RFC 6386, section 9.1,
// and RFC 9649, section 3.4.
func webpFrame(s *source, off int64, kind string) (w, h int, err error) {
	if kind == "VP8L" {
		b, err := s.at(off, 5)
		if err != nil {
			return 0, 0, err
		}
		if b[0] != 0x2f {
			return 0, 0, fault("its pixels do not begin as they must")
		}
		bits := binary.LittleEndian.Uint32(b[1:])
		return int(bits&0x3fff) + 1, int(bits>>14&0x3fff) + 1, nil
	}
	b, err := s.at(off, 10)
	if err != nil {
		return 0, 0, err
	}
	if string(b[3:6]) != "\x9d\x01\x2a" {
		return 0, 0, fault("its pixels do not begin as they must")
	}
	return int(binary.LittleEndian.Uint16(b[6:]) & 0x3fff), int(binary.LittleEndian.Uint16(b[8:]) & 0x3fff), nil
}
