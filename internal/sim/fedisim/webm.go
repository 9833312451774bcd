package fedisim

import "strings"

// The elements of WebM that are read here
// (https://www.matroska.org/technical/elements.html).
const (
	ebmlHeader  = 0x1a45dfa3
	ebmlDocType = 0x4282
	mkvSegment  = 0x18538067
	mkvTracks   = 0x1654ae6b
	mkvTrack    = 0xae
	mkvType     = 0x83
	mkvVideo    = 0xe0
	mkvWidth    = 0xb0
	mkvHeight   = 0xba
)

// element reads the element at the beginning of data: its id, what is in it as
// far as there is, and what follows; false when there is none. One of unknown
// length has the rest of the data.
func element(data []byte) (id uint64, body, rest []byte, ok bool) {
	id, n := vint(data, false)
	if n == 0 {
		return 0, nil, nil, false
	}
	data = data[n:]
	size, n := vint(data, true)
	if n == 0 {
		return 0, nil, nil, false
	}
	data = data[n:]
	if size > uint64(len(data)) {
		size = uint64(len(data))
	}
	return id, data[:size], data[size:], true
}

// vint reads a number whose first byte's leading zeros tell its length; an id
// keeps the marker bit, a size (masked) does not.
func vint(data []byte, masked bool) (v uint64, n int) {
	if len(data) == 0 || data[0] == 0 {
		return 0, 0
	}
	n = 1
	for bit := byte(0x80); data[0]&bit == 0; bit >>= 1 {
		n++
	}
	if n > len(data) {
		return 0, 0
	}
	v = uint64(data[0])
	if masked {
		v &= 1<<(8-n) - 1
	}
	for _, b := range data[1:n] {
		v = v<<8 | uint64(b)
	}
	if masked && v == 1<<(7*n)-1 { // unknown
		return 1<<63 - 1, n
	}
	return v, n
}

// child finds an element among others.
func child(data []byte, want uint64) []byte {
	for {
		id, body, rest, ok := element(data)
		switch {
		case !ok:
			return nil
		case id == want:
			return body
		}
		data = rest
	}
}

func number(b []byte) int {
	v := 0
	for _, c := range b {
		if v > 1<<20 {
			return 0 // no size of a picture
		}
		v = v<<8 | int(c)
	}
	return v
}

// inspectWebM reads a file that begins with an EBML header.
func inspectWebM(data []byte) fileInfo {
	head := child(data, ebmlHeader)
	if strings.TrimRight(string(child(head, ebmlDocType)), "\x00") != "webm" {
		return fileInfo{}
	}
	f := fileInfo{mime: "video/webm"}
	tracks := child(child(data, mkvSegment), mkvTracks)
	for {
		id, body, rest, ok := element(tracks)
		if !ok {
			return f
		}
		if id == mkvTrack {
			f.audio = f.audio || number(child(body, mkvType)) == 2
			if video := child(body, mkvVideo); video != nil && f.width == 0 {
				f.width, f.height = number(child(video, mkvWidth)), number(child(video, mkvHeight))
			}
		}
		tracks = rest
	}
}
