package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
)

const (
	exifSign = "Exif\x00\x00"
	iccSign  = "ICC_PROFILE\x00"
)

// jpeg keeps the picture and of the application segments JFIF, Adobe's, which
// says how colours are coded, and the profile (https://www.color.org/ICC1v42_2006-05.pdf,
// annex B). The list of further pictures (MPF) goes, as they lie behind the end
// and have metadata of their own.
func (c cleaning) jpeg(s *source) (cut splice, err error) {
	profiled := len(c.icc) == 0
	err = jpegParts(s, func(p part) error {
		if !profiled && p.kind != markSOI && p.kind != markAPP0 {
			for _, segment := range jpegProfile(c.icc) {
				cut.put(segment)
			}
			profiled = true
		}
		head, err := s.at(p.start, int(min(p.end-p.start, 16)))
		if err != nil {
			return err
		}
		has := func(sign string) bool { return bytes.HasPrefix(head, []byte(sign)) }
		switch {
		case p.kind == markAPP0 && has("JFIF\x00"), p.kind == markAPP14 && has("Adobe"):
		case p.kind == markAPP2 && has(iccSign) && c.profile && len(c.icc) == 0:
		case p.kind == markAPP1 && has(exifSign):
			o, err := readOrientation(s, p.start+int64(len(exifSign)), p.end)
			if err != nil {
				return err
			}
			exif := exifOf(o)
			switch {
			case o == upright || !c.orientation:
				cut.drop()
			case p.end-p.start == int64(len(exifSign)+len(exif)): // ours
				b, err := s.at(p.start, len(exifSign)+len(exif))
				if err != nil {
					return err
				}
				if bytes.Equal(b[len(exifSign):], exif) {
					cut.keep(p.off, p.next)
					return nil
				}
				fallthrough
			default:
				cut.put(jpegSegment(markAPP1, exifSign, exif))
			}
			return nil
		case p.kind >= markAPP0 && p.kind <= markAPP15, p.kind == markCOM:
			cut.drop()
			return nil
		case p.kind == markEOI && p.next < s.size:
			cut.drop()
		}
		cut.keep(p.off, p.next)
		return nil
	})
	return cut, err
}

func jpegSegment(mark, sign string, data []byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte("\xff"+mark), uint16(2+len(sign)+len(data)))
	return append(append(b, sign...), data...)
}

// jpegProfile are the segments that hold a profile.
func jpegProfile(icc []byte) (segments [][]byte) {
	const most = 65533 - len(iccSign) - 2
	all := slices.Collect(slices.Chunk(icc, most))
	if len(all) > 255 {
		return nil
	}
	for i, data := range all {
		segments = append(segments, jpegSegment(markAPP2, iccSign, append([]byte{byte(i + 1), byte(len(all))}, data...)))
	}
	return segments
}

// png keeps the chunks that a decoder needs, or that say how colours, sizes and
// frames are meant: https://www.w3.org/TR/png-3/#11Chunks.
func (c cleaning) png(s *source) (cut splice, err error) {
	cut.keep(0, 8)
	err = pngParts(s, func(p part) error {
		switch p.kind {
		case "iCCP", "sRGB", "cHRM", "gAMA", "cICP":
			if !c.profile || len(c.icc) > 0 {
				cut.drop()
				return nil
			}
		case "tRNS", "sBIT", "mDCV", "cLLI", "bKGD", "hIST", "pHYs", "sPLT", "acTL", "fcTL", "fdAT":
		case "eXIf":
			o, err := readOrientation(s, p.start, p.end)
			if err != nil {
				return err
			}
			exif := exifOf(o)
			switch {
			case o == upright || !c.orientation:
				cut.drop()
				return nil
			case p.end-p.start == int64(len(exif)):
				b, err := s.at(p.start, len(exif))
				if err != nil {
					return err
				}
				if bytes.Equal(b, exif) {
					break
				}
				fallthrough
			default:
				cut.put(pngChunk("eXIf", exif))
				return nil
			}
		default:
			if p.kind[0]&0x20 != 0 { // a small letter: a decoder may do without
				cut.drop()
				return nil
			}
		}
		cut.keep(p.off, p.next)
		switch {
		case p.kind == "IHDR" && len(c.icc) > 0:
			var b bytes.Buffer
			b.WriteString("ICC profile\x00\x00")
			w := zlib.NewWriter(&b)
			_, _ = w.Write(c.icc) // a buffer takes everything
			_ = w.Close()
			cut.put(pngChunk("iCCP", b.Bytes()))
		case p.kind == "IEND" && p.next < s.size:
			cut.drop()
		}
		return nil
	})
	return cut, err
}

func pngChunk(kind string, data []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// webp keeps the chunks of RFC 9649, section 2.7, but for EXIF and XMP, whose
// flags in VP8X go with them.
func (c cleaning) webp(s *source) (cut splice, err error) {
	const hasICC, hasEXIF, hasXMP = 0x20, 0x08, 0x04
	cut.pieces = []piece{{n: 12, lit: make([]byte, 12)}} // the header, whose length is not known yet
	turned, flags := upright, -1
	err = webpParts(s, func(p part) error {
		switch p.kind {
		case "VP8X":
			b, err := s.at(p.start, 10)
			if err != nil || p.end-p.start != 10 || flags >= 0 {
				return errCut
			}
			flags = len(cut.pieces)
			cut.pieces = append(cut.pieces, piece{n: 18, lit: append([]byte("VP8X\x0a\x00\x00\x00"), b...)})
			return nil
		case "ICCP":
			if !c.profile {
				cut.drop()
				return nil
			}
		case "VP8 ", "VP8L", "ALPH", "ANIM", "ANMF":
		case "EXIF":
			start := p.start // some programs put JPEG's sign before it
			if b, err := s.at(start, int(min(6, p.end-start))); err != nil {
				return err
			} else if string(b) == exifSign {
				start += 6
			}
			if turned, err = readOrientation(s, start, p.end); err != nil {
				return err
			}
			if turned != upright && c.orientation && p.end-p.start == int64(len(exifOf(turned))) {
				b, err := s.at(p.start, len(exifOf(turned)))
				if err != nil {
					return err
				}
				if bytes.Equal(b, exifOf(turned)) {
					break
				}
			}
			cut.drop()
			if turned != upright && c.orientation {
				cut.put(webpChunk("EXIF", exifOf(turned)))
			}
			return nil
		default:
			cut.drop()
			return nil
		}
		cut.keep(p.off, p.end)
		if (p.end-p.start)&1 == 1 {
			if p.next == p.end {
				cut.put([]byte{0})
			} else {
				cut.keep(p.end, p.next)
			}
		}
		return nil
	})
	if err != nil {
		return splice{}, err
	}
	if flags >= 0 {
		f := &cut.pieces[flags].lit[8]
		was := *f
		*f &^= hasXMP
		if turned == upright || !c.orientation {
			*f &^= hasEXIF
		}
		if !c.profile {
			*f &^= hasICC
		}
		cut.changed = cut.changed || *f != was
	}
	n := cut.size()
	cut.changed = cut.changed || n != s.size
	cut.pieces[0].lit = append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(n-8)), "WEBP"...)
	return cut, nil
}

func webpChunk(kind string, data []byte) []byte {
	b := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data))), data...)
	return append(b, make([]byte, len(data)&1)...)
}

// gif keeps everything but comments, and of the applications' extensions those
// that say how it is shown.
func (c cleaning) gif(s *source) (cut splice, err error) {
	b, err := s.at(6, 7)
	if err != nil {
		return splice{}, err
	}
	off := 13 + colours(b[4])
	if off > s.size {
		return splice{}, errCut
	}
	cut.keep(0, off)
	for frames := 0; ; {
		kind, err := s.byte(off)
		switch {
		case errors.Is(err, errCut) && frames > 0:
			return cut, nil // without its trailer
		case err != nil:
			return splice{}, err
		}
		next := off + 1
		switch kind {
		case 0x21:
			label, err := s.byte(off + 1)
			if err != nil {
				return splice{}, err
			}
			if next, err = subBlocks(s, off+2); err != nil {
				return splice{}, err
			}
			stays := label != 0xfe
			if label == 0xff {
				if b, err = s.at(off+2, int(min(12, s.size-off-2))); err != nil {
					return splice{}, err
				}
				stays = slices.Contains([]string{"\x0bNETSCAPE2.0", "\x0bANIMEXTS1.0", "\x0bICCRGBG1012"}, string(b))
			}
			if !stays {
				cut.drop()
				if err := s.part(); err != nil {
					return splice{}, err
				}
				off = next
				continue
			}
		case 0x2c:
			b, err := s.at(off+1, 9)
			if err != nil {
				return splice{}, err
			}
			if next, err = subBlocks(s, off+10+colours(b[8])+1); err != nil {
				return splice{}, err
			}
			frames++
		case 0x00:
		default: // the trailer, or rubbish in its place
			if kind != 0x3b && frames == 0 {
				return splice{}, fault("it has an unknown block")
			}
			if kind == 0x3b {
				cut.keep(off, next)
			}
			if next < s.size || kind != 0x3b {
				cut.drop()
			}
			if kind != 0x3b {
				cut.put([]byte{0x3b})
			}
			return cut, nil
		}
		cut.keep(off, next)
		off = next
	}
}
