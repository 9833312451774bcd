package fedisim

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"

	"golang.org/x/image/webp"
)

// fileInfo is what a file is by its content, whatever its name says.
type fileInfo struct {
	mime          string // "" for what no server here knows
	width, height int
	animated      bool
	duration      float64 // seconds; 0 when it is not told
	rate          float64 // frames a second
	audio         bool
	fault         string // of a video: what a player that streams it stumbles over
}

func (f *fileInfo) pixels() int64 { return int64(f.width) * int64(f.height) }

func (f *fileInfo) video() bool {
	switch f.mime {
	case "video/mp4", "video/webm", "video/quicktime":
		return true
	}
	return false
}

// inspect reads headers, never pixels. The data may be the beginning of a
// longer file: size is that of the whole.
func inspect(data []byte, size int64) fileInfo {
	switch {
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		f := header("image/gif", data, gif.DecodeConfig)
		if f.mime == "" {
			return f
		}
		frames := gifFrames(data)
		f.animated = frames > 1
		if frames == 0 {
			return fileInfo{}
		}
		return f
	case bytes.HasPrefix(data, []byte("\x89PNG\r\n\x1a\n")):
		return header("image/png", data, png.DecodeConfig)
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		return header("image/jpeg", data, jpeg.DecodeConfig)
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		return inspectWebP(data)
	case len(data) >= 12 && string(data[4:8]) == "ftyp":
		return inspectMP4(data, size)
	case bytes.HasPrefix(data, []byte("\x1a\x45\xdf\xa3")):
		return inspectWebM(data)
	}
	return fileInfo{}
}

func header(mime string, data []byte, decode func(io.Reader) (image.Config, error)) fileInfo {
	c, err := decode(bytes.NewReader(data))
	if err != nil || c.Width <= 0 || c.Height <= 0 {
		return fileInfo{}
	}
	return fileInfo{mime: mime, width: c.Width, height: c.Height}
}

// inspectWebP reads the canvas of an extended file by hand, since only that
// says whether it is animated
// (https://developers.google.com/speed/webp/docs/riff_container).
func inspectWebP(data []byte) fileInfo {
	if len(data) >= 30 && string(data[12:16]) == "VP8X" {
		u24 := func(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
		return fileInfo{mime: "image/webp", width: u24(data[24:]) + 1, height: u24(data[27:]) + 1, animated: data[20]&2 != 0}
	}
	return header("image/webp", data, webp.DecodeConfig)
}

// gifFrames counts the images of a GIF, two at most: more makes no difference.
// One that the data ends in does not count.
// (https://www.w3.org/Graphics/GIF/spec-gif89a.txt)
func gifFrames(data []byte) int {
	const screen, descriptor = 13, 10
	if len(data) < screen {
		return 0
	}
	at := screen + colours(data[10])
	frames := 0
	for frames < 2 && at < len(data) {
		switch data[at] {
		case 0x21: // an extension: a label, then blocks
			at = skipBlocks(data, at+2)
		case 0x2c: // an image: its descriptor, perhaps colours, a code size, then blocks
			if at+descriptor > len(data) {
				return frames
			}
			at = skipBlocks(data, at+descriptor+colours(data[at+9])+1)
			if at <= len(data) {
				frames++
			}
		default: // the trailer, or nothing a GIF has
			return frames
		}
	}
	return frames
}

// colours is the length of the colour table that the flags announce.
func colours(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// skipBlocks goes past blocks that each begin with their length, to after the
// empty one that ends them; past the data when that is missing.
func skipBlocks(data []byte, at int) int {
	for at < len(data) {
		n := int(data[at])
		at += 1 + n
		if n == 0 {
			return at
		}
	}
	return len(data) + 1
}

func be16(b []byte) int    { return int(binary.BigEndian.Uint16(b)) }
func be32(b []byte) uint32 { return binary.BigEndian.Uint32(b) }
