package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// traits are what of a still picture matters when it is made anew.
type traits struct {
	orientation int    // 1 to 8, see readOrientation
	alpha       bool   // it may be transparent somewhere
	lossless    bool   // it is stored as drawn: flat colours and sharp edges are to be expected
	icc         []byte // the profile of its colours, if they are red, green and blue
	// perPixel is how many bytes a pixel takes while it is decoded in this
	// process, by what Go's decoders hold at their worst.
	perPixel float64
}

// mostProfile is how large a profile may be to be taken over; the usual ones
// have 0.5 to 10 KB.
const mostProfile = 256 << 10

// look reads the headers of a picture. What is broken is of the kind Broken.
func look(f File) (traits, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return traits{}, err
	}
	defer r.Close()
	st, err := r.Stat()
	if err != nil {
		return traits{}, err
	}
	s := newSource(r, st.Size())
	t := traits{orientation: upright}
	switch f.Type {
	case JPEG:
		err = t.jpeg(s)
	case PNG:
		err = t.png(s)
	case WebP:
		err = t.webp(s)
	case GIF:
		t.alpha, t.lossless, t.perPixel = true, true, 1
	}
	if errors.Is(err, errCut) || isFault(err) {
		return traits{}, failure(Broken, "the %s file is broken: %v", f.Type, err)
	}
	return t, err
}

// profile sets the profile if it is whole and of the colours that are made here.
func (t *traits) profile(icc []byte) {
	if len(icc) >= 128 && string(icc[16:20]) == "RGB " && string(icc[36:40]) == "acsp" {
		t.icc = icc
	}
}

func (t *traits) jpeg(s *source) error {
	var profile [][]byte // by its number
	size := 0
	err := jpegParts(s, func(p part) error {
		switch kind := p.kind; {
		case kind == markSOS:
			return errEnough
		case kind == markAPP1:
			b, err := s.at(p.start, int(min(6, p.end-p.start)))
			if err != nil {
				return err
			}
			if string(b) == exifSign && t.orientation == upright {
				t.orientation, err = readOrientation(s, p.start+6, p.end)
			}
			return err
		case kind == markAPP2:
			n := int(p.end - p.start)
			if b, err := s.at(p.start, min(n, len(iccSign)+2)); err != nil || len(b) < len(iccSign)+2 || !bytes.HasPrefix(b, []byte(iccSign)) {
				return err
			}
			if size += n; size > mostProfile {
				return nil
			}
			data, err := s.copied(p.start+int64(len(iccSign)), p.end)
			if err != nil {
				return err
			}
			profile = append(profile, data)
		case len(kind) == 1 && kind[0] >= 0xc0 && kind[0] <= 0xcf && kind[0] != 0xc4 && kind[0] != 0xc8 && kind[0] != 0xcc:
			b, err := s.at(p.start, int(min(p.end-p.start, 6+3*4)))
			if err != nil || len(b) < 6 {
				return errCut
			}
			t.perPixel = jpegPixel(b)
			if kind != "\xc0" && kind != "\xc1" {
				t.perPixel *= 5 // progressive: four bytes for each coefficient
			}
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	slices.SortStableFunc(profile, func(a, b []byte) int { return int(a[0]) - int(b[0]) })
	var icc []byte
	for i, data := range profile {
		if int(data[0]) != i+1 || int(data[1]) != len(profile) {
			return nil
		}
		icc = append(icc, data[2:]...)
	}
	if size <= mostProfile {
		t.profile(icc)
	}
	return nil
}

// jpegPixel is how many samples a pixel has, from the frame's header.
func jpegPixel(b []byte) float64 {
	total, most := 0.0, 1.0
	for c := b[6:]; len(c) >= 3; c = c[3:] {
		n := float64(c[1]>>4) * float64(c[1]&15)
		total, most = total+n, max(most, n)
	}
	per := total / most
	if b[5] == 4 {
		per += 4 // it becomes CMYK by itself
	}
	return max(per, 1)
}

func (t *traits) png(s *source) error {
	t.lossless = true
	return pngParts(s, func(p part) error {
		switch p.kind {
		case "IHDR":
			b, err := s.at(p.start, 13)
			if err != nil {
				return err
			}
			// Its depth, kind of colours, and whether it comes in seven passes.
			t.alpha, t.perPixel = b[9] >= 4, 4
			if b[8] == 16 {
				t.perPixel = 8
			}
			if b[12] != 0 {
				t.perPixel *= 2
			}
		case "tRNS":
			t.alpha = true
		case "eXIf":
			var err error
			t.orientation, err = readOrientation(s, p.start, p.end)
			return err
		case "iCCP":
			return t.pngProfile(s, p)
		case "IEND":
			return nil
		}
		return nil
	})
}

// pngProfile reads a name, a zero, the method 0, and zlib's data. One that is
// broken is none.
func (t *traits) pngProfile(s *source, p part) error {
	if p.end-p.start > mostProfile {
		return nil
	}
	b, err := s.copied(p.start, p.end)
	if err != nil {
		return err
	}
	_, rest, ok := bytes.Cut(b, []byte{0})
	if !ok || len(rest) < 1 || rest[0] != 0 {
		return nil
	}
	if r, err := zlib.NewReader(bytes.NewReader(rest[1:])); err == nil {
		if icc, err := io.ReadAll(io.LimitReader(r, mostProfile+1)); err == nil && len(icc) <= mostProfile {
			t.profile(icc)
		}
	}
	return nil
}

func (t *traits) webp(s *source) error {
	t.perPixel = 1.5
	return webpParts(s, func(p part) error {
		switch p.kind {
		case "VP8X":
			b, err := s.at(p.start, 1)
			if err != nil {
				return err
			}
			if b[0]&0x10 != 0 {
				t.alpha, t.perPixel = true, max(t.perPixel, 10)
			}
		case "VP8L":
			b, err := s.at(p.start, 5)
			if err != nil {
				return err
			}
			t.lossless, t.perPixel = true, 8
			t.alpha = t.alpha || b[4]&0x10 != 0
		case "ICCP":
			if p.end-p.start > mostProfile {
				return nil
			}
			icc, err := s.copied(p.start, p.end)
			if err != nil {
				return err
			}
			t.profile(icc)
		case "EXIF":
			start := p.start
			b, err := s.at(start, int(min(6, p.end-start)))
			if err != nil {
				return err
			}
			if string(b) == exifSign {
				start += 6
			}
			t.orientation, err = readOrientation(s, start, p.end)
			return err
		}
		return nil
	})
}

// copied are the bytes between two places, which may be more than the window.
func (s *source) copied(from, to int64) ([]byte, error) {
	if from > to || to > s.size {
		return nil, errCut
	}
	b := make([]byte, to-from)
	if _, err := s.r.ReadAt(b, from); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read: %w", err)
	}
	return b, nil
}

// firstFrame is the first picture of a moving WebP as a still one, which no
// decoder here or in ffmpeg makes of the whole; RFC 9649, section 2.7.
func firstFrame(s *source) (splice, error) {
	var cut splice
	err := webpParts(s, func(p part) error {
		if p.kind != "ANMF" {
			return nil
		}
		head, err := s.copied(p.start, min(p.start+16, p.end))
		if err != nil || len(head) < 16 {
			return errCut
		}
		alpha := false
		if err := riffParts(s, p.start+16, p.end, func(in part) error {
			alpha = alpha || in.kind == "ALPH"
			return nil
		}); err != nil {
			return err
		}
		cut.put(make([]byte, 12))
		if alpha {
			// The flag for transparency, and the frame's own size.
			cut.put(webpChunk("VP8X", append([]byte{0x10, 0, 0, 0}, head[6:12]...)))
		}
		if err := riffParts(s, p.start+16, p.end, func(in part) error {
			if in.kind == "ALPH" || in.kind == "VP8 " || in.kind == "VP8L" {
				cut.keep(in.off, in.next)
			}
			return nil
		}); err != nil {
			return err
		}
		return errEnough
	})
	switch {
	case err == nil:
		return splice{}, fault("it has no frame")
	case !errors.Is(err, errEnough):
		return splice{}, err
	}
	cut.pieces[0].lit = append(binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(cut.size()-8)), "WEBP"...)
	return cut, nil
}
