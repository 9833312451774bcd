package media

import (
	"bytes"
	"cmp"
	"slices"
)

// scrub overwrites parts of a file in place, so that nothing else in it moves:
// places in such files are told by their distance from the start.
type scrub struct {
	s     *source
	edits []edit
	// anew: there is something that cannot be told from pictures and sound
	// without taking these apart.
	anew bool
	data []stretch // where the pictures of a still may lie
}

// edit is bytes that are written over others, or as many zeros; what is gone is
// left out instead.
type edit struct {
	at, n int64
	lit   []byte
	gone  bool
}

// zero writes zeros between two places, where there is anything else.
func (sc *scrub) zero(from, to int64) error {
	if to <= from {
		return nil
	}
	blank, err := isBlank(sc.s, stretch{from, to})
	if err == nil && !blank {
		sc.edits = append(sc.edits, edit{at: from, n: to - from})
	}
	return err
}

// write puts a few bytes in the place of others.
func (sc *scrub) write(at int64, lit []byte) error {
	had, err := sc.s.at(at, len(lit))
	if err == nil && !bytes.Equal(had, lit) {
		sc.edits = append(sc.edits, edit{at: at, n: int64(len(lit)), lit: lit})
	}
	return err
}

// sort puts the edits in order; zeros may have been asked for twice.
func (sc *scrub) sort() {
	slices.SortStableFunc(sc.edits, func(a, b edit) int { return cmp.Compare(a.at, b.at) })
}

// splice is the file with what was overwritten.
func (sc *scrub) splice() (cut splice) {
	if sc.anew {
		return splice{anew: true}
	}
	sc.sort()
	done := int64(0)
	for _, e := range sc.edits {
		end := e.at + e.n
		if end <= done {
			continue
		}
		cut.keep(done, e.at)
		switch {
		case e.gone:
			cut.drop()
		case e.lit != nil:
			cut.put(e.lit)
		default:
			cut.blank(end - max(e.at, done))
		}
		done = end
	}
	cut.keep(done, sc.s.size)
	return cut
}

// isBlank tells whether there is nothing but zeros.
func isBlank(s *source, h stretch) (bool, error) {
	for off := h.start; off < h.end; off += 4096 {
		b, err := s.at(off, int(min(4096, h.end-off)))
		if err != nil {
			return false, err
		}
		if len(bytes.Trim(b, "\x00")) > 0 {
			return false, nil
		}
	}
	return true, nil
}
