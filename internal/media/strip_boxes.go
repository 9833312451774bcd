package media

import "errors"

// Kinds of what boxes lie in when that is no box.
const (
	inFilm  = "film"
	inStill = "still"
)

// stays tells whether a box is needed to play a film or show a picture, by what
// it lies in: ISO/IEC 14496-12, table 1, and Apple's QuickTime File Format
// (https://developer.apple.com/documentation/quicktime-file-format). All others
// say something of the file: udta and meta what users and programs have to say,
// among it the place; uuid is XMP, prft the hour; cameras put places into free
// boxes and into kinds of their own; mpvd is the film behind a photo.
func stays(in, kind string) bool {
	switch in {
	case inFilm:
		switch kind {
		case "ftyp", "styp", "moov", "mdat", "imda", "moof", "mfra", "sidx", "ssix", "pdin":
			return true
		}
	case inStill:
		switch kind {
		case "ftyp", "meta", "mdat", "imda", "idat", "moov":
			return true
		}
	case "meta": // of a still
		switch kind {
		case "hdlr", "pitm", "iloc", "iinf", "iref", "iprp", "idat", "grpl", "dinf", "ipro":
			return true
		}
	case "ipco": // what describes a picture in words, and when it was made or changed: ISO/IEC 23008-12, 6.5
		switch kind {
		case "udes", "altt", "crtt", "mdft", "uuid", "free", "skip":
			return false
		}
		return true
	case "moov":
		return kind == "mvhd" || kind == "trak" || kind == "mvex" || kind == "iods"
	case "mvex":
		return kind == "mehd" || kind == "trex" || kind == "leva"
	case "trak":
		switch kind {
		case "tkhd", "edts", "tref", "trgr", "mdia", "tapt":
			return true
		}
	case "edts":
		return kind == "elst"
	case "mdia":
		return kind == "mdhd" || kind == "hdlr" || kind == "elng" || kind == "minf"
	case "minf":
		switch kind {
		case "vmhd", "smhd", "gmhd", "nmhd", "hdlr", "dinf", "stbl":
			return true
		}
	case "dinf":
		return kind == "dref"
	case "stbl":
		switch kind {
		case "stsd", "stts", "ctts", "cslg", "stss", "stps", "stsc", "stsz", "stz2", "stco", "co64",
			"sdtp", "sbgp", "sgpd", "csgp", "subs", "saiz", "saio", "padb", "stsh", "stdp":
			return true
		}
	case "moof":
		return kind == "mfhd" || kind == "traf"
	case "traf":
		switch kind {
		case "tfhd", "tfdt", "trun", "sdtp", "sbgp", "sgpd", "csgp", "subs", "saiz", "saio", "senc":
			return true
		}
	case "iprp":
		return kind == "ipco" || kind == "ipma"
	}
	return false
}

// film blanks what a film does not need to play.
func (c cleaning) film(s *source) (splice, error) {
	sc := scrub{s: s}
	if err := sc.inside(box{kind: inFilm, end: s.size}); err != nil {
		return splice{}, err
	}
	return sc.splice(), nil
}

// still blanks what a picture does not need to be shown, or a series of them.
func (c cleaning) still(s *source) (splice, error) {
	sc := scrub{s: s}
	var personal []stretch
	err := boxes(s, 0, s.size, func(b box) (err error) {
		switch b.kind {
		case "meta":
			if b.end-b.start < 4 {
				return errCut
			}
			more, err := personalItems(s, b)
			personal = append(personal, more...)
			return err
		case "mdat", "imda":
			sc.data = append(sc.data, stretch{b.start, b.end})
		}
		return nil
	})
	if err != nil {
		return splice{}, err
	}
	if err := sc.inside(box{kind: inStill, end: s.size}); err != nil {
		return splice{}, err
	}
	if sc.anew {
		return splice{}, fault("it has a track that holds neither pictures nor sound")
	}
	for _, h := range personal {
		if err := sc.item(h); err != nil {
			return splice{}, err
		}
	}
	return sc.splice(), nil
}

// item blanks what of a picture is Exif or XMP.
func (sc *scrub) item(h stretch) error {
	if h.end <= h.start {
		return nil
	}
	for _, d := range sc.data {
		if h.start >= d.start && h.end <= d.end {
			return sc.zero(h.start, h.end)
		}
	}
	return fault("a part of it lies outside its data")
}

// inside goes through the boxes in another.
func (sc *scrub) inside(in box) error {
	done := in.start
	err := boxes(sc.s, in.start, in.end, func(b box) error {
		done = b.end
		if !stays(in.kind, b.kind) {
			// Its blocks lie among the pictures and the sound.
			sc.anew = sc.anew || in.kind == "moov" && b.kind == "gps "
			return sc.free(b)
		}
		switch b.kind {
		case "moov", "mvex", "edts", "mdia", "minf", "dinf", "stbl", "moof", "traf", "iprp", "ipco":
			return sc.inside(b)
		case "meta":
			b.start += 4
			return sc.inside(b)
		case "idat":
			sc.data = append(sc.data, stretch{b.start, b.end})
		case "trak":
			return sc.track(b)
		case "mvhd", "tkhd", "mdhd":
			return sc.dates(b)
		case "hdlr": // behind its numbers it names its maker
			return sc.zero(b.start+24, b.end)
		case "dref": // where an editor had the film
			return sc.entries(b, func(e box) error { return sc.zero(e.start+4, e.end) })
		}
		return nil
	})
	if err != nil {
		return err
	}
	return sc.zero(done, in.end) // less than a box
}

// free makes one of the boxes of a box that is ignored, of the same size.
func (sc *scrub) free(b box) error {
	if b.kind != "free" && b.kind != "skip" && b.kind != "wide" {
		if err := sc.write(b.off+4, []byte("free")); err != nil {
			return err
		}
	}
	return sc.zero(b.start, b.end)
}

// track goes through a track. The samples of one that holds other things than
// pictures and sound, such as the places along the way (gpmd, djmd, mebx, camm),
// lie among those of the others.
func (sc *scrub) track(b box) error {
	var t track
	if err := t.read(sc.s, b, 0); err != nil {
		return err
	}
	switch t.handler {
	case "vide", "pict", "auxv":
		if err := sc.encoder(b); err != nil {
			return err
		}
	case "soun":
	default:
		sc.anew = true
		return nil
	}
	return sc.inside(b)
}

// encoder blanks the name of what encoded the pictures: 32 bytes of a sample's
// description, where cameras name themselves.
func (sc *scrub) encoder(in box) error {
	return boxes(sc.s, in.start, in.end, func(b box) error {
		switch b.kind {
		case "mdia", "minf", "stbl":
			return sc.encoder(b)
		case "stsd":
			return sc.entries(b, func(e box) error {
				if e.end-e.start < 78 {
					return nil
				}
				return sc.zero(e.start+42, e.start+74)
			})
		}
		return nil
	})
}

// entries calls each for the boxes of a list that begins with its flags and its
// length; those of one that is broken are left to the player.
func (sc *scrub) entries(b box, each func(box) error) error {
	err := boxes(sc.s, min(b.start+8, b.end), b.end, each)
	if errors.Is(err, errCut) || isFault(err) && sc.s.parts <= maxParts {
		return nil
	}
	return err
}

// dates blanks when something was made and changed, which a header begins with.
func (sc *scrub) dates(b box) error {
	version, err := sc.s.byte(b.start)
	if err != nil {
		return err
	}
	n := int64(8)
	if version == 1 {
		n = 16
	}
	return sc.zero(b.start+4, min(b.start+4+n, b.end))
}
