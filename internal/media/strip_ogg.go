package media

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// maxStreams is how many streams of an Ogg file are told apart.
const maxStreams = 256

// oggStream is one of the streams of an Ogg file, up to the end of its comments.
type oggStream struct {
	codec   string    // how its first packet begins; "" if its comments are over, or unknown
	packet  int       // counted from 0
	extents []stretch // of the packet, so far
}

// oggPage is where a page begins and ends.
type oggPage struct{ off, end int64 }

// ogg blanks the comments of each stream, which is the second packet (RFC 3533,
// RFC 7845 and https://xiph.org/vorbis/doc/v-comment.html), and the pictures of
// FLAC. A packet keeps its length: what was said in it becomes the name of the
// encoder, of zeros. What lies between and behind the pages is left out.
func (c cleaning) ogg(s *source) (splice, error) {
	sc := scrub{s: s}
	streams := map[uint32]*oggStream{}
	var pages []oggPage // with comments
	for off := int64(0); off < s.size; {
		next, err := nextPage(s, off)
		if err != nil {
			return splice{}, err
		}
		if next > off {
			sc.edits = append(sc.edits, edit{at: off, n: next - off, gone: true})
			if err := s.part(); err != nil {
				return splice{}, err
			}
			if off = next; off == s.size {
				break
			}
		}
		b, err := s.at(off, 27)
		if err != nil {
			return splice{}, err
		}
		first, serial, segments := b[5]&2 != 0, binary.LittleEndian.Uint32(b[14:]), int64(b[26])
		if off+27+segments > s.size {
			break // the last page is cut off
		}
		if b, err = s.at(off+27, int(segments)); err != nil {
			return splice{}, err
		}
		lengths := bytes.Clone(b)
		page := oggPage{off, off + 27 + segments}
		stream := streams[serial]
		if first && (stream != nil || len(streams) < maxStreams) {
			stream = &oggStream{}
			streams[serial] = stream
			if b, err = s.at(page.end, int(min(8, s.size-page.end))); err != nil {
				return splice{}, err
			}
			stream.codec = oggCodec(b)
		}
		at := page.end
		for _, n := range lengths {
			page.end += int64(n)
		}
		off = min(page.end, s.size)
		if stream == nil || stream.codec == "" {
			continue
		}
		if page.end > s.size {
			return splice{}, errCut
		}
		touched, err := sc.packets(stream, at, lengths)
		if err != nil {
			return splice{}, err
		}
		if touched {
			if err := s.part(); err != nil {
				return splice{}, err
			}
			pages = append(pages, page)
		}
	}
	for _, stream := range streams {
		if len(stream.extents) > 0 {
			return splice{}, errCut
		}
	}
	if err := sc.checksums(pages); err != nil {
		return splice{}, err
	}
	return sc.splice(), nil
}

// nextPage is where the next page begins; the file's end if there is none.
func nextPage(s *source, off int64) (int64, error) {
	for off < s.size {
		b, err := s.at(off, int(min(4096, s.size-off)))
		if err != nil {
			return 0, err
		}
		if i := bytes.Index(b, []byte("OggS\x00")); i >= 0 && s.size-off-int64(i) >= 27 {
			return off + int64(i), nil
		}
		if off+int64(len(b)) >= s.size {
			break
		}
		off += int64(len(b)) - 4
	}
	return s.size, nil
}

// oggCodec is how the first packet of a stream begins that has comments.
func oggCodec(head []byte) string {
	for _, sign := range []string{"\x01vorbis", "OpusHead", "\x7fFLAC", "Speex   ", "\x80theora"} {
		if bytes.HasPrefix(head, []byte(sign)) {
			return sign
		}
	}
	return ""
}

// packets goes through what of a stream lies in a page; it tells whether there
// are comments among it.
func (sc *scrub) packets(o *oggStream, at int64, lengths []byte) (touched bool, err error) {
	for i := 0; i < len(lengths) && o.codec != ""; {
		start, whole := at, false
		for ; i < len(lengths) && !whole; i++ {
			at += int64(lengths[i])
			whole = lengths[i] < 255
		}
		if o.packet > 0 {
			touched = true
			if at > start {
				o.extents = append(o.extents, stretch{start, at})
			}
		}
		if !whole {
			break
		}
		if o.packet > 0 {
			if err := sc.comments(o); err != nil {
				return false, err
			}
		}
		o.packet, o.extents = o.packet+1, nil
	}
	return touched, nil
}

// comments blanks a packet of headers, and ends the stream's if there are no more.
func (sc *scrub) comments(o *oggStream) error {
	codec := o.codec
	if codec != "\x7fFLAC" {
		o.codec = ""
	}
	p := packet{sc: sc, extents: o.extents}
	head, err := p.head(8)
	if err != nil {
		return err
	}
	has := func(sign string) bool { return bytes.HasPrefix(head, []byte(sign)) }
	switch {
	case codec == "\x01vorbis" && has("\x03vorbis"):
		return p.empty(7, "\x01") // one bit, which must be set
	case codec == "OpusHead" && has("OpusTags"):
		return p.empty(8, "")
	case codec == "Speex   ":
		return p.empty(0, "")
	case codec == "\x80theora" && has("\x81theora"):
		return p.empty(7, "")
	case codec == "\x7fFLAC":
		// Each packet is a block as in a FLAC file, until the sound begins.
		switch {
		case len(head) < 4 || head[0] == 0xff:
			o.codec = ""
			return nil
		case head[0]&0x7f == 4:
			return p.empty(4, "")
		case head[0]&0x7f == 3 || head[0]&0x7f == 0:
			return nil
		}
		if err := p.write(0, []byte{head[0]&0x80 | 1}); err != nil { // padding
			return err
		}
		return p.zero(4, p.size())
	}
	return nil
}

// packet is one as its places in the file.
type packet struct {
	sc      *scrub
	extents []stretch
}

func (p packet) size() (n int64) {
	for _, e := range p.extents {
		n += e.end - e.start
	}
	return n
}

// parts calls each for where in the file the bytes between two places are.
func (p packet) parts(from, to int64, each func(start, end int64) error) error {
	off := int64(0)
	for _, e := range p.extents {
		n := e.end - e.start
		if a, b := max(from, off), min(to, off+n); a < b {
			if err := each(e.start+a-off, e.start+b-off); err != nil {
				return err
			}
		}
		off += n
	}
	return nil
}

func (p packet) head(n int64) (all []byte, err error) {
	err = p.parts(0, n, func(start, end int64) error {
		b, err := p.sc.s.at(start, int(end-start))
		all = append(all, b...)
		return err
	})
	return all, err
}

func (p packet) write(at int64, lit []byte) error {
	return p.parts(at, at+int64(len(lit)), func(start, end int64) error {
		n := end - start
		part := lit[:n]
		lit = lit[n:]
		return p.sc.write(start, part)
	})
}

func (p packet) zero(from, to int64) error { return p.parts(from, to, p.sc.zero) }

// empty makes comments of what follows a sign: the length of the encoder's name,
// the name, how many comments there are, and what the packet ends with. The name
// takes the room of what there was.
func (p packet) empty(sign int64, end string) error {
	name := p.size() - sign - 8 - int64(len(end))
	if name < 0 {
		return fault("its comments are cut off")
	}
	return errors.Join(
		p.write(sign, binary.LittleEndian.AppendUint32(nil, uint32(name))),
		p.zero(sign+4, sign+8+name),
		p.write(sign+8+name, []byte(end)))
}

// checksums puts the right ones into pages whose content was changed.
func (sc *scrub) checksums(pages []oggPage) error {
	sc.sort()
	table := oggTable()
	edits, changed := sc.edits, []edit{}
	for _, page := range pages {
		for len(edits) > 0 && edits[0].at+edits[0].n <= page.off {
			edits = edits[1:]
		}
		if len(edits) == 0 || edits[0].at >= page.end {
			continue
		}
		b, err := sc.s.copied(page.off, page.end)
		if err != nil {
			return err
		}
		for _, e := range edits {
			if e.at >= page.end {
				break
			}
			// None reaches from one page into another: there is a header between.
			part := b[e.at-page.off : e.at+e.n-page.off]
			if clear(part); e.lit != nil {
				copy(part, e.lit)
			}
		}
		clear(b[22:26])
		sum := uint32(0)
		for _, c := range b {
			sum = sum<<8 ^ table[byte(sum>>24)^c]
		}
		changed = append(changed, edit{at: page.off + 22, n: 4, lit: binary.LittleEndian.AppendUint32(nil, sum)})
	}
	sc.edits = append(sc.edits, changed...)
	return nil
}

// oggTable is that of the checksum of RFC 3533, section 6: the polynomial
// 0x04c11db7, high bits first, which hash/crc32 does not have.
func oggTable() (table [256]uint32) {
	for i := range table {
		r := uint32(i) << 24
		for range 8 {
			carry := r>>31 == 1
			if r <<= 1; carry {
				r ^= 0x04c11db7
			}
		}
		table[i] = r
	}
	return table
}
