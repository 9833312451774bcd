package media

import "errors"

// More elements of WebM and Matroska, RFC 9559.
const (
	idVoid          = 0xec
	idChecksum      = 0xbf
	idSeekHead      = 0x114d9b74
	idCues          = 0x1c53bb6b
	idMuxingApp     = 0x4d80
	idWritingApp    = 0x5741
	idTrackName     = 0x536e
	idCodecName     = 0x258688
	idAttachLink    = 0x7446
	idTimestamp     = 0xe7
	idSilentTracks  = 0x5854
	idPosition      = 0xa7
	idPrevSize      = 0xab
	idSimpleBlock   = 0xa3
	idBlockGroup    = 0xa0
	idEncryptedPart = 0xaf
)

// matroska writes Void elements over what is not needed to play: tags, chapters,
// attached files, names and dates. The segment's own elements are gone through
// as if they lay beside it, for one of a stream has no end.
func (c cleaning) matroska(s *source) (splice, error) {
	sc := scrub{s: s}
	loose := false // within a cluster that has no end
	err := sc.elements(0, s.size, func(off int64, e element) (int64, error) {
		switch e.id {
		case idSegment:
			return e.start, nil
		case idEBML, idSeekHead, idCues:
			return e.end, nil
		case idSegmentInfo:
			return e.end, sc.master(e, sc.segmentInfo)
		case idTracks:
			return e.end, sc.master(e, sc.tracks)
		case idCluster:
			if _, _, unknown, err := sc.header(off); unknown || err != nil {
				loose = true
				return e.start, err
			}
			return e.end, nil
		case idTimestamp, idSilentTracks, idPosition, idPrevSize, idSimpleBlock, idBlockGroup, idEncryptedPart:
			if loose {
				return e.end, nil
			}
		}
		return e.end, sc.void(off, e)
	})
	if err != nil {
		return splice{}, err
	}
	return sc.splice(), nil
}

// header is an element's id, where its content is, and whether it has no end.
func (sc *scrub) header(off int64) (e element, size uint64, unknown bool, err error) {
	id, n, err := varint(sc.s, off, true)
	if err != nil {
		return element{}, 0, false, err
	}
	size, m, err := varint(sc.s, off+n, false)
	return element{id: id, start: off + n + m}, size, size == 1<<(7*m)-1, err
}

// elements calls each for the elements between two places; it returns where to
// go on. One that is cut off ends where what it lies in ends; what is none is
// blanked.
func (sc *scrub) elements(start, end int64, each func(off int64, e element) (int64, error)) error {
	for off := start; off < end; {
		e, size, unknown, err := sc.header(off)
		switch {
		case errors.Is(err, errCut) || isFault(err) || err == nil && e.start > end:
			return sc.blank(off, end)
		case err != nil:
			return err
		}
		if e.end = end; !unknown && size < uint64(end-e.start) {
			e.end = e.start + int64(size)
		}
		// Blocks are many, and cost no more than their bytes.
		if e.id != idSimpleBlock && e.id != idBlockGroup {
			if err := sc.s.part(); err != nil {
				return err
			}
		}
		if off, err = each(off, e); err != nil {
			return err
		}
	}
	return nil
}

// master goes through the elements in another. If anything in it changes, its
// checksum goes, too.
func (sc *scrub) master(in element, each func(off int64, e element) error) error {
	before, sum := len(sc.edits), element{}
	at := int64(0)
	err := sc.elements(in.start, in.end, func(off int64, e element) (int64, error) {
		switch e.id {
		case idChecksum:
			at, sum = off, e
			return e.end, nil
		case idVoid:
			return e.end, sc.void(off, e)
		}
		return e.end, each(off, e)
	})
	if err == nil && sum.id != 0 && len(sc.edits) > before {
		err = sc.void(at, sum)
	}
	return err
}

func (sc *scrub) segmentInfo(off int64, e element) error {
	switch e.id {
	case idTimestampScale, idDuration:
		return nil
	case idMuxingApp, idWritingApp: // must be there
		return sc.zero(e.start, e.end)
	}
	return sc.void(off, e)
}

func (sc *scrub) tracks(_ int64, e element) error {
	if e.id != idTrackEntry {
		return nil
	}
	return sc.master(e, func(off int64, e element) error {
		switch e.id {
		case idTrackType:
			n, err := e.uint(sc.s)
			sc.anew = sc.anew || n != 1 && n != 2 // pictures, sound
			return err
		case idTrackName, idCodecName, idAttachLink:
			return sc.void(off, e)
		}
		return nil
	})
}

// void makes of an element one that is ignored, of the same size.
func (sc *scrub) void(off int64, e element) error {
	if e.id == idVoid {
		if _, size, unknown, err := sc.header(off); err != nil || !unknown && size == uint64(e.end-e.start) {
			return errors.Join(err, sc.zero(e.start, e.end))
		}
	}
	return sc.blank(off, e.end)
}

// blank puts such an element between two places. A single byte is too short for
// one.
func (sc *scrub) blank(from, to int64) error {
	n := to - from
	switch {
	case n < 2:
		return sc.zero(from, to)
	case n <= 2+126:
		if err := sc.write(from, []byte{idVoid, 0x80 | byte(n-2)}); err != nil {
			return err
		}
		return sc.zero(from+2, to)
	}
	head := []byte{idVoid, 1, 0, 0, 0, 0, 0, 0, 0}
	for i, rest := len(head)-1, n-int64(len(head)); rest > 0; i, rest = i-1, rest>>8 {
		head[i] = byte(rest)
	}
	if err := sc.write(from, head); err != nil {
		return err
	}
	return sc.zero(from+int64(len(head)), to)
}
