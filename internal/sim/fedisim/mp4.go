package fedisim

import (
	"encoding/binary"
	"fmt"
)

// box is a part of an MP4 file: a length, a name, and what is in it.
// (ISO/IEC 14496-12, https://mpeg.chiariglione.org/standards/mpeg-4/iso-base-media-file-format;
// the fields as in https://developer.apple.com/documentation/quicktime-file-format)
type box struct {
	kind string
	at   int64  // where it begins
	end  int64  // where it says that it ends
	body []byte // as much of it as there is
}

// boxes cuts data into boxes. It stops at the first that makes no sense.
func boxes(data []byte) []box {
	var out []box
	at := int64(0)
	for have := int64(len(data)); have-at >= 8; {
		size, head := int64(be32(data[at:])), int64(8)
		switch {
		case size == 1 && have-at >= 16:
			big := binary.BigEndian.Uint64(data[at+8:])
			if big > 1<<62 {
				return out
			}
			size, head = int64(big), 16
		case size == 0: // to the end of the file
			size = have - at
		}
		if size < head || size > 1<<62-at {
			return out
		}
		out = append(out, box{string(data[at+4 : at+8]), at, at + size, data[at+head : min(at+size, have)]})
		if at+size > have {
			return out
		}
		at += size
	}
	return out
}

func find(list []box, kind string) *box {
	for i := range list {
		if list[i].kind == kind {
			return &list[i]
		}
	}
	return nil
}

// inside goes down a path of boxes; nil when one of them is not there.
func inside(data []byte, path ...string) []byte {
	for _, kind := range path {
		b := find(boxes(data), kind)
		if b == nil {
			return nil
		}
		data = b.body
	}
	return data
}

// inspectMP4 reads a file that begins with an ftyp box. What would keep a
// browser from playing it as it comes is told as a fault: Mastodon makes the
// videos it stores H.264 in yuv420p, of even size, with the index in front
// (app/models/media_attachment.rb there, VIDEO_FORMAT).
func inspectMP4(data []byte, size int64) fileInfo {
	f := fileInfo{mime: "video/mp4"}
	switch string(data[8:12]) {
	case "qt  ":
		f.mime = "video/quicktime"
	case "avif", "avis":
		return fileInfo{mime: "image/avif"}
	case "heic", "heix", "mif1":
		return fileInfo{mime: "image/heic"}
	}
	top := boxes(data)
	if len(top) == 0 {
		return fileInfo{}
	}
	moov, mdat := find(top, "moov"), find(top, "mdat")
	last := top[len(top)-1]
	switch {
	case last.end > size:
		f.fault = "the file ends within the box " + printable(last.kind)
	case moov == nil:
		f.fault = "there is no moov box"
	case mdat == nil && int64(len(data)) == size:
		f.fault = "there is no mdat box"
	case mdat != nil && mdat.at < moov.at:
		f.fault = "moov comes after mdat (not faststart)"
	}
	if moov == nil {
		return f
	}
	if b := inside(moov.body, "mvhd"); b != nil {
		scale, length := mediaTime(b)
		if scale > 0 {
			f.duration = float64(length) / float64(scale)
		}
	}
	seen := false
	for _, b := range boxes(moov.body) {
		if b.kind != "trak" {
			continue
		}
		switch handler(b.body) {
		case "soun":
			f.audio = true
		case "vide":
			if !seen {
				seen = true
				f.track(b.body)
			}
		}
	}
	f.judge(seen)
	return f
}

func (f *fileInfo) judge(seen bool) {
	switch {
	case f.fault != "":
	case !seen || f.width <= 0 || f.height <= 0:
		f.fault = "there is no video in it"
	case f.width%2 != 0 || f.height%2 != 0:
		f.fault = fmt.Sprintf("%dx%d is not even", f.width, f.height)
	}
}

func handler(trak []byte) string {
	if b := inside(trak, "mdia", "hdlr"); len(b) >= 12 {
		return string(b[8:12])
	}
	return ""
}

// mediaTime reads what mvhd and mdhd have in common: units a second, and a length in them.
func mediaTime(b []byte) (scale uint32, length uint64) {
	switch {
	case len(b) >= 32 && b[0] == 1:
		return be32(b[20:]), binary.BigEndian.Uint64(b[24:])
	case len(b) >= 20 && b[0] == 0:
		return be32(b[12:]), uint64(be32(b[16:]))
	}
	return 0, 0
}

// track reads the size, the codec and the frame rate of a video's track.
func (f *fileInfo) track(trak []byte) {
	if b := inside(trak, "tkhd"); len(b) >= 84 { // the size is 16.16, at the end
		b = b[len(b)-8:]
		f.width, f.height = be16(b), be16(b[4:])
	}
	if stsd := inside(trak, "mdia", "minf", "stbl", "stsd"); len(stsd) > 8 {
		if entries := boxes(stsd[8:]); len(entries) > 0 {
			f.codec(&entries[0])
		}
	}
	stts := inside(trak, "mdia", "minf", "stbl", "stts")
	if len(stts) < 8 {
		return
	}
	frames := uint64(0)
	for i, n := 8, uint32(0); n < be32(stts[4:]) && i+8 <= len(stts); i, n = i+8, n+1 {
		frames += uint64(be32(stts[i:]))
	}
	if scale, length := mediaTime(inside(trak, "mdia", "mdhd")); length > 0 {
		f.rate = float64(frames) * float64(scale) / float64(length)
	}
}

// codec reads a visual sample entry: 78 bytes, then boxes.
func (f *fileInfo) codec(entry *box) {
	const visual = 78
	fault := ""
	if len(entry.body) >= visual {
		// The size in pixels; that of the track is for showing it.
		if w, h := be16(entry.body[24:]), be16(entry.body[26:]); w > 0 && h > 0 {
			f.width, f.height = w, h
		}
	}
	switch {
	case entry.kind != "avc1":
		fault = "the codec is " + printable(entry.kind) + ", not avc1"
	case len(entry.body) < visual:
		fault = "the avc1 entry is cut off"
	default:
		// ISO/IEC 14496-15: the second byte is the profile. Above High (100)
		// are those of other pixels than yuv420p.
		avcc := inside(entry.body[visual:], "avcC")
		if len(avcc) < 4 {
			fault = "avc1 has no avcC box"
		} else if avcc[1] > 100 {
			fault = fmt.Sprintf("the H.264 profile %d is not of yuv420p", avcc[1])
		}
	}
	if f.fault == "" {
		f.fault = fault
	}
}

func printable(s string) string { return fmt.Sprintf("%+q", s) }
