package media

import (
	"bytes"
	"encoding/binary"
	"strconv"
)

// mp3 leaves out the tags before and behind the sound.
func (c cleaning) mp3(s *source) (cut splice, err error) {
	start, tag, err := mp3Start(s)
	if err != nil {
		return splice{}, err
	}
	end, err := tagsBehind(s, start)
	if err != nil {
		return splice{}, err
	}
	b, err := s.at(start, 4)
	if err != nil {
		return splice{}, err
	}
	n := mp3Frame(b)
	if n == 0 {
		return splice{}, fault("it holds no sound")
	}
	// Without its tag a file is known by two frames in a row.
	if next, err := s.at(start+n, 4); tag && err == nil && start+n+4 <= end && mp3Frame(next) == 0 {
		return splice{}, fault("it holds no sound")
	}
	cut.keep(start, end)
	cut.changed = start > 0 || end < s.size
	return cut, nil
}

// tagsBehind is where the tags begin that lie behind sound; start is where the
// sound begins.
func tagsBehind(s *source, start int64) (int64, error) {
	for end := s.size; ; {
		n, err := tagBefore(s, start, end)
		switch {
		case err != nil:
			return 0, err
		case n == 0:
			return end, nil
		case n > end-start:
			return 0, fault("a tag is longer than the file")
		}
		if end -= n; end == start {
			return 0, fault("it holds no sound")
		}
		if err := s.part(); err != nil {
			return 0, err
		}
	}
}

// tagBefore is how long the tag is that ends at a place; 0 if there is none.
// They are ID3v1 (https://id3.org/ID3v1) and what was put before it, APE
// (https://wiki.hydrogenaud.io/index.php?title=APEv2_specification), Lyrics3
// (https://id3.org/Lyrics3v2) and ID3v2.4, which may lie at the end.
func tagBefore(s *source, start, end int64) (int64, error) {
	const furthest = 5100 + 20 // of Lyrics3, which tells no length
	tail, err := s.at(max(start, end-furthest), int(min(furthest, end-start)))
	if err != nil {
		return 0, err
	}
	back := func(n int) []byte { return tail[len(tail)-min(n, len(tail)):] }
	if b := back(128); len(b) == 128 && bytes.HasPrefix(b, []byte("TAG")) {
		return 128, nil
	}
	if b := back(227); len(b) == 227 && bytes.HasPrefix(b, []byte("TAG+")) {
		return 227, nil
	}
	if b := back(32); len(b) == 32 && bytes.HasPrefix(b, []byte("APETAGEX")) {
		n := int64(binary.LittleEndian.Uint32(b[12:]))
		if binary.LittleEndian.Uint32(b[20:])&(1<<31) != 0 { // its header is not counted
			n += 32
		}
		return max(n, 32), nil
	}
	if b := back(15); len(b) == 15 && bytes.HasSuffix(b, []byte("LYRICS200")) {
		n, err := strconv.ParseUint(string(b[:6]), 10, 32)
		if err != nil {
			return 0, fault("a tag has no length")
		}
		return int64(n) + 15, nil
	}
	if b := back(9); string(b) == "LYRICSEND" {
		if i := bytes.LastIndex(tail, []byte("LYRICSBEGIN")); i >= 0 {
			return int64(len(tail) - i), nil
		}
	}
	if b := back(10); len(b) == 10 && bytes.HasPrefix(b, []byte("3DI")) {
		b = bytes.Clone(b)
		b[5] |= 0x10 // it has a footer: this one
		return id3Length(b), nil
	}
	return 0, nil
}

// flac keeps the blocks that a decoder needs, and those that are empty: RFC
// 9639, section 8.
func (c cleaning) flac(s *source) (cut splice, err error) {
	const (
		streamInfo = 0
		padding    = 1
		seekTable  = 3
		last       = 0x80
	)
	var kept []stretch
	off := int64(4)
	for final := false; !final; {
		if err := s.part(); err != nil {
			return splice{}, err
		}
		b, err := s.at(off, 4)
		if err != nil {
			return splice{}, err
		}
		kind := b[0] &^ last
		final = b[0]&last != 0
		block := stretch{off, off + 4 + int64(b[1])<<16 + int64(b[2])<<8 + int64(b[3])}
		switch {
		case block.end > s.size:
			return splice{}, errCut
		case kind == streamInfo != (off == 4):
			return splice{}, fault("its first block is not what tells of the stream")
		}
		stays := kind == streamInfo || kind == seekTable
		if kind == padding {
			if stays, err = isBlank(s, stretch{off + 4, block.end}); err != nil {
				return splice{}, err
			}
		}
		if stays {
			kept = append(kept, block)
		} else {
			cut.drop()
		}
		off = block.end
	}
	end := s.size
	if off < end {
		if end, err = tagsBehind(s, off); err != nil {
			return splice{}, err
		}
	}
	cut.keep(0, 4)
	for i, block := range kept {
		b, err := s.byte(block.start)
		if err != nil {
			return splice{}, err
		}
		want := b &^ last
		if i == len(kept)-1 {
			want |= last
		}
		if b != want {
			cut.put([]byte{want})
			block.start++
		}
		cut.keep(block.start, block.end)
	}
	cut.keep(off, end)
	cut.changed = cut.changed || end < s.size
	return cut, nil
}

// wav keeps the chunks that say how the sound is coded, and the sound:
// https://www.mmsp.ece.mcgill.ca/Documents/AudioFormats/WAVE/WAVE.html. Others are
// tags (LIST, id3), and what recorders and editors note: the hour (bext), the
// project, the place (iXML, _PMX).
func (c cleaning) wav(s *source) (cut splice, err error) {
	b, err := s.at(0, 12)
	if err != nil {
		return splice{}, err
	}
	// A recorder may not have known how long it would be: the length of all is
	// not believed, and one of the sound that cannot be means the rest of the file.
	head, off, end := bytes.Clone(b), int64(12), s.size
	for off+8 <= end {
		if err := s.part(); err != nil {
			return splice{}, err
		}
		if b, err = s.at(off, 8); err != nil {
			return splice{}, err
		}
		kind, n := string(b[:4]), int64(binary.LittleEndian.Uint32(b[4:]))
		next := min(off+8+n+n&1, end)
		if kind == "data" && (n == 0 || off+8+n > end) {
			next = end
		}
		switch kind {
		case "fmt ", "fact", "data":
			cut.keep(off, next)
		default:
			cut.drop()
		}
		off = next
	}
	if off < end {
		cut.drop()
	}
	if !cut.changed {
		return cut, nil
	}
	n := cut.size()
	binary.LittleEndian.PutUint32(head[4:], uint32(4+n))
	cut.pieces = append([]piece{{n: 12, lit: head}}, cut.pieces...)
	return cut, nil
}
