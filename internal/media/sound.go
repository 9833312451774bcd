package media

import "bytes"

// readOgg looks at the first packet of the first stream, RFC 3533.
func readOgg(s *source, info *Info) error {
	b, err := s.at(0, 28)
	if err != nil {
		return err
	}
	off := 27 + int64(b[26]) // one byte for each segment
	head, err := s.at(off, int(max(min(8, s.size-off), 0)))
	if err != nil {
		return err
	}
	for sign, t := range map[string]Type{"\x80theora": OggVideo, "fishead\x00": OggVideo, "\x01vorbis": Ogg, "OpusHead": Ogg, "\x7fFLAC": Ogg, "Speex   ": Ogg} {
		if bytes.HasPrefix(head, []byte(sign)) {
			info.Type, info.Animated = t, t == OggVideo
			return nil
		}
	}
	return fault("it holds no sound that is known")
}

// readMP3 wants two frames in a row, or a tag and a frame behind it.
func readMP3(s *source, _ *Info) error {
	off, tag, err := mp3Start(s)
	if err != nil {
		return err
	}
	b, err := s.at(off, 4)
	if err != nil {
		return err
	}
	n := mp3Frame(b)
	if n == 0 {
		return fault("it holds no sound")
	}
	if next, err := s.at(off+n, 4); err == nil && mp3Frame(next) == 0 && !tag {
		return fault("it holds no sound")
	}
	return nil
}

// mp3Start is where the first frame is to be expected, and whether there is a
// tag before it.
func mp3Start(s *source) (off int64, tag bool, err error) {
	b, err := s.at(0, 10)
	if err != nil {
		return 0, false, err
	}
	if string(b[:3]) != "ID3" {
		return 0, false, nil
	}
	// Padding may follow a tag.
	off = id3Length(b)
	for end := off + 4096; off < end; off++ {
		if c, err := s.byte(off); err != nil {
			return 0, false, err
		} else if c != 0 {
			break
		}
	}
	return off, true, nil
}

// id3Length is how long a tag is, from its header or its footer. Its length has
// seven bits in each byte, https://id3.org/id3v2.4.0-structure.
func id3Length(b []byte) int64 {
	n := 10 + int64(b[6]&0x7f)<<21 + int64(b[7]&0x7f)<<14 + int64(b[8]&0x7f)<<7 + int64(b[9]&0x7f)
	if b[5]&0x10 != 0 {
		n += 10
	}
	return n
}

// mp3Frame is the length of a frame of MPEG audio, layer III, from its header;
// 0 if it is none. ISO/IEC 11172-3, 2.4.1.3.
func mp3Frame(b []byte) int64 {
	if len(b) < 4 || b[0] != 0xff || b[1]&0xe0 != 0xe0 {
		return 0
	}
	version, layer, rate, freq := b[1]>>3&3, b[1]>>1&3, b[2]>>4, b[2]>>2&3
	if version == 1 || layer != 1 || rate == 0 || rate == 15 || freq == 3 {
		return 0
	}
	kbits := [...]int64{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}[rate]
	hertz := [...]int64{44100, 48000, 32000}[freq]
	samples := int64(72)
	switch version {
	case 3: // MPEG 1
		kbits = [...]int64{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}[rate]
		samples = 144
	case 2:
		hertz /= 2
	case 0:
		hertz /= 4
	}
	return samples*kbits*1000/hertz + int64(b[2]>>1&1)
}
