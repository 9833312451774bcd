package media

import (
	"errors"
	"math"
	"math/bits"
	"strings"
	"time"
)

// Elements of WebM and Matroska that are read, RFC 9559 and RFC 8794.
const (
	idEBML            = 0x1a45dfa3
	idDocType         = 0x4282
	idSegment         = 0x18538067
	idSegmentInfo     = 0x1549a966
	idTimestampScale  = 0x2ad7b1
	idDuration        = 0x4489
	idTracks          = 0x1654ae6b
	idTrackEntry      = 0xae
	idTrackType       = 0x83
	idDefaultDuration = 0x23e383
	idVideo           = 0xe0
	idPixelWidth      = 0xb0
	idPixelHeight     = 0xba
	idCluster         = 0x1f43b675
)

// element is one of them; start and end are those of its content.
type element struct {
	id         uint64
	start, end int64
}

// errEnough ends a walk early.
const errEnough = fault("enough is known")

// elements calls each for the elements between two places. One without a size
// goes to the end of what it is in.
func elements(s *source, start, end int64, each func(element) error) error {
	for off := start; off < end; {
		if err := s.part(); err != nil {
			return err
		}
		id, n, err := varint(s, off, true)
		if err != nil {
			return err
		}
		size, m, err := varint(s, off+n, false)
		if err != nil {
			return err
		}
		e := element{id: id, start: off + n + m}
		switch {
		case size == 1<<(7*m)-1: // unknown
			e.end = end
		case size > uint64(max(end-e.start, 0)):
			return errCut
		default:
			e.end = e.start + int64(size)
		}
		if err := each(e); err != nil {
			return err
		}
		off = e.end
	}
	return nil
}

// varint reads a number of one to eight bytes; an id keeps its marker.
func varint(s *source, off int64, marker bool) (v uint64, n int64, err error) {
	first, err := s.byte(off)
	if err != nil {
		return 0, 0, err
	}
	if first == 0 {
		return 0, 0, fault("it has a number longer than any")
	}
	n = int64(bits.LeadingZeros8(first)) + 1
	b, err := s.at(off, int(n))
	if err != nil {
		return 0, 0, err
	}
	for i, c := range b {
		if i == 0 && !marker {
			c &^= 1 << (8 - n)
		}
		v = v<<8 | uint64(c)
	}
	return v, n, nil
}

func (e element) uint(s *source) (uint64, error) {
	n := e.end - e.start
	if n > 8 {
		return 0, fault("it has a number longer than any")
	}
	b, err := s.at(e.start, int(n))
	if err != nil {
		return 0, err
	}
	var v uint64
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, nil
}

func (e element) float(s *source) (float64, error) {
	v, err := e.uint(s)
	switch {
	case err != nil:
		return 0, err
	case e.end-e.start == 4:
		return float64(math.Float32frombits(uint32(v))), nil
	case e.end-e.start == 8:
		return math.Float64frombits(v), nil
	}
	return 0, nil
}

func readEBML(s *source, info *Info) error {
	video, audio, tracks := false, false, false
	length, scale := 0.0, uint64(1_000_000) // nanoseconds
	err := elements(s, 0, s.size, func(e element) error {
		switch e.id {
		case idEBML:
			return docType(s, e, info)
		case idSegment:
			return elements(s, e.start, e.end, func(e element) error {
				switch e.id {
				case idSegmentInfo:
					return elements(s, e.start, e.end, func(e element) (err error) {
						switch e.id {
						case idTimestampScale:
							scale, err = e.uint(s)
						case idDuration:
							length, err = e.float(s)
						}
						return err
					})
				case idTracks:
					tracks = true
					return elements(s, e.start, e.end, func(e element) error {
						if e.id != idTrackEntry {
							return nil
						}
						v, a, err := trackEntry(s, e, info)
						video, audio = video || v, audio || a
						return err
					})
				case idCluster:
					if tracks {
						return errEnough // the frames themselves
					}
				}
				return nil
			})
		}
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return err
	}
	switch d := length * float64(scale); {
	case !video && !audio:
		return fault("it has neither pictures nor sound")
	case !video:
		if info.Width, info.Height = 0, 0; info.Type == WebM {
			info.Type = WebMAudio
		} else {
			info.Type = MatroskaAudio
		}
	case d > 0 && d < float64(1<<60):
		info.Duration = time.Duration(d)
	}
	info.Animated = video
	return nil
}

func docType(s *source, head element, info *Info) error {
	return elements(s, head.start, head.end, func(e element) error {
		if e.id != idDocType {
			return nil
		}
		b, err := s.at(e.start, int(min(e.end-e.start, 32)))
		if err != nil {
			return err
		}
		switch strings.TrimRight(string(b), "\x00") {
		case "webm":
			info.Type = WebM
		case "matroska":
			info.Type = Matroska
		default:
			return fault("it is neither WebM nor Matroska")
		}
		return nil
	})
}

func trackEntry(s *source, entry element, info *Info) (video, audio bool, err error) {
	err = elements(s, entry.start, entry.end, func(e element) error {
		switch e.id {
		case idTrackType:
			n, err := e.uint(s)
			video, audio = n == 1, n == 2
			return err
		case idDefaultDuration:
			if n, err := e.uint(s); err != nil {
				return err
			} else if n > 0 && video {
				info.Rate = float64(time.Second) / float64(n)
			}
		case idVideo:
			return elements(s, e.start, e.end, func(e element) error {
				if e.id != idPixelWidth && e.id != idPixelHeight {
					return nil
				}
				n, err := e.uint(s)
				if err != nil {
					return err
				}
				px := side(uint32(min(n, math.MaxUint32)))
				if e.id == idPixelWidth {
					info.Width = max(info.Width, px)
				} else {
					info.Height = max(info.Height, px)
				}
				return nil
			})
		}
		return nil
	})
	return video, audio, err
}
