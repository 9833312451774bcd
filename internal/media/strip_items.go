package media

import "encoding/binary"

// stretch is a part of a file.
type stretch struct{ start, end int64 }

// personalItems are the places of the items of a picture that are Exif or XMP
// (ISO/IEC 23008-12, annex A), by its meta box. Which side is up is told
// elsewhere, by irot and imir.
func personalItems(s *source, meta box) ([]stretch, error) {
	personal := map[uint32]bool{}
	var where, data box
	err := boxes(s, meta.start+4, meta.end, func(b box) error {
		switch b.kind {
		case "iinf":
			return itemInfo(s, b, personal)
		case "iloc":
			where = b
		case "idat":
			data = b
		}
		return nil
	})
	if err != nil || len(personal) == 0 || where.kind == "" {
		return nil, err
	}
	return itemPlaces(s, where, data, personal)
}

// itemInfo notes which items are Exif or XMP, ISO/IEC 14496-12, 8.11.6.
func itemInfo(s *source, b box, personal map[uint32]bool) error {
	d, err := s.at(b.start, 4)
	if err != nil {
		return err
	}
	head := int64(6)
	if d[0] > 0 {
		head = 8
	}
	if b.start+head > b.end {
		return errCut
	}
	return boxes(s, b.start+head, b.end, func(b box) error {
		if b.kind != "infe" {
			return nil
		}
		d, err := s.at(b.start, int(min(b.end-b.start, 64)))
		if err != nil {
			return err
		}
		if len(d) < 12 || d[0] < 2 {
			return nil
		}
		id, rest := uint32(binary.BigEndian.Uint16(d[4:])), d[8:]
		if d[0] > 2 {
			if len(d) < 14 {
				return errCut
			}
			id, rest = binary.BigEndian.Uint32(d[4:]), d[10:]
		}
		// "mime" is what XMP is; a picture has a kind of its own.
		if kind := string(rest[:4]); kind == "Exif" || kind == "mime" || kind == "uri " {
			personal[id] = true
		}
		return nil
	})
}

// itemPlaces are the stretches of some items, ISO/IEC 14496-12, 8.11.3.
func itemPlaces(s *source, b, data box, of map[uint32]bool) (holes []stretch, err error) {
	off := b.start
	number := func(n int64) (v uint64) {
		var d []byte
		if err == nil && off+n > b.end {
			err = errCut
		}
		if err != nil || n == 0 {
			return 0
		}
		if d, err = s.at(off, int(n)); err != nil {
			return 0
		}
		off += n
		for _, c := range d {
			v = v<<8 | uint64(c)
		}
		return v
	}
	version := number(4) >> 24
	sizes := number(2)
	offset, length, base, index := int64(sizes>>12), int64(sizes>>8&15), int64(sizes>>4&15), int64(sizes&15)
	id := int64(2)
	if version == 0 {
		index = 0
	} else if version > 1 {
		id = 4
	}
	if max(offset, length, base, index) > 8 {
		return nil, fault("it has a number longer than any")
	}
	count := number(id)
	for range count {
		if err == nil {
			err = s.part()
		}
		if err != nil {
			return nil, err
		}
		item, method := uint32(number(id)), uint64(0)
		if version > 0 {
			method = number(2) & 15
		}
		number(2) // which file it is in: this one
		from := number(base)
		for range number(2) {
			if err == nil {
				err = s.part()
			}
			if err != nil {
				return nil, err
			}
			number(index)
			at, n := from+number(offset), number(length)
			if !of[item] || err != nil {
				continue
			}
			within := stretch{0, s.size}
			if method == 1 {
				within = stretch{data.start, data.end}
			} else if method > 1 {
				return nil, fault("a part of it is made of others")
			}
			room := uint64(within.end - within.start)
			if n == 0 && at <= room { // all of it
				n = room - at
			}
			if at > room || n > room-at {
				return nil, errCut
			}
			holes = append(holes, stretch{within.start + int64(at), within.start + int64(at) + int64(n)})
		}
	}
	return holes, err
}
