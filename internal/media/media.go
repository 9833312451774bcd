// Package media looks at picture, video and sound files, fetches them, makes
// them fit what an instance takes, and takes out of them what says more of
// their maker than the picture.
//
// What a file is comes from its bytes, never from its name or from what a
// server said of it. Looking reads headers and the frames of an animation as
// a stream: pixels are not decoded for it and no file is held in memory, so
// that a hostile one costs time in proportion to its size and nothing else.
// What needs pixels (scaling, MP4) is done by ffmpeg, a program of its own that
// runs fenced in and one at a time. Without it everything else works, and still
// pictures of moderate size are decoded here, one at a time (see pixelMemory).
//
// It leaves to others what to fetch, what the limits of an instance are, the
// upload, and every word to members. Bounds for addresses that strangers chose
// are those of the Getter it is given (see publicnet).
package media

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// Type is a MIME type that Inspect tells. The list is closed: whatever is none
// of these is not media.
type Type string

// The types.
const (
	GIF  Type = "image/gif"
	PNG  Type = "image/png" // also animated ones
	JPEG Type = "image/jpeg"
	WebP Type = "image/webp"
	AVIF Type = "image/avif"
	HEIC Type = "image/heic"

	MP4       Type = "video/mp4"
	QuickTime Type = "video/quicktime"
	WebM      Type = "video/webm"
	Matroska  Type = "video/x-matroska"
	OggVideo  Type = "video/ogg"

	MP3      Type = "audio/mpeg"
	Ogg      Type = "audio/ogg"
	MP4Audio Type = "audio/mp4"
	FLAC     Type = "audio/flac"
	WAV      Type = "audio/wav"

	WebMAudio     Type = "audio/webm"
	MatroskaAudio Type = "audio/x-matroska"
)

// Image tells whether it is shown as a picture, moving or not.
func (t Type) Image() bool { return strings.HasPrefix(string(t), "image/") }

// Video tells whether it is a film.
func (t Type) Video() bool { return strings.HasPrefix(string(t), "video/") }

// Audio tells whether it is sound alone.
func (t Type) Audio() bool { return strings.HasPrefix(string(t), "audio/") }

// Ext is the usual end of such a file's name, with its dot; "" for a type that
// is not in the list.
func (t Type) Ext() string {
	switch t {
	case GIF:
		return ".gif"
	case PNG:
		return ".png"
	case JPEG:
		return ".jpg"
	case WebP:
		return ".webp"
	case AVIF:
		return ".avif"
	case HEIC:
		return ".heic"
	case MP4:
		return ".mp4"
	case QuickTime:
		return ".mov"
	case WebM:
		return ".webm"
	case Matroska:
		return ".mkv"
	case OggVideo:
		return ".ogv"
	case MP3:
		return ".mp3"
	case Ogg:
		return ".ogg"
	case MP4Audio:
		return ".m4a"
	case FLAC:
		return ".flac"
	case WAV:
		return ".wav"
	case WebMAudio:
		return ".weba"
	case MatroskaAudio:
		return ".mka"
	}
	return ""
}

// Info is what a file's headers say of it.
type Info struct {
	Type Type
	// Width and Height are pixels as shown (a film's rotation counts); of
	// what contradicts itself, the largest. 0 for sound, and for OggVideo.
	Width, Height int
	Size          int64 // bytes
	Animated      bool  // it moves: a film, or a picture of more than one frame

	// Frames, Duration (of one round) and Rate (frames a second) are 0 where
	// the headers do not tell. A still picture has one frame.
	Frames   int
	Duration time.Duration
	Rate     float64
}

// Pixels is width times height.
func (i Info) Pixels() int64 { return int64(i.Width) * int64(i.Height) }

// stay adds the time of one frame, up to a century: a file may ask for more
// than a Duration can hold.
func (i *Info) stay(d time.Duration) {
	const century = 100 * 365 * 24 * time.Hour
	i.Duration = min(i.Duration+d, century)
}

// String describes it for a log: "image/gif, 640x480, 12 frames, 93211 bytes".
func (i Info) String() string {
	var b strings.Builder
	b.WriteString(string(i.Type))
	if i.Width > 0 {
		fmt.Fprintf(&b, ", %dx%d", i.Width, i.Height)
	}
	if i.Animated && i.Frames > 0 {
		fmt.Fprintf(&b, ", %d frames", i.Frames)
	}
	fmt.Fprintf(&b, ", %d bytes", i.Size)
	return b.String()
}

// File is a temporary file of a Kit.
type File struct {
	Path string
	Info

	kit *Kit
}

// Open reads the file from its start, each time it is called.
func (f File) Open() (io.ReadCloser, error) { return os.Open(f.Path) }

// SHA256 is the file's hash in hexadecimal. The file is read as a stream.
func (f File) SHA256() (string, error) {
	r, err := os.Open(f.Path)
	if err != nil {
		return "", fmt.Errorf("hash: %w", err)
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return "", fmt.Errorf("hash: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// Remove deletes the file. It may be called more than once, and on a zero File.
func (f File) Remove() error {
	if f.Path == "" || f.kit == nil {
		return nil
	}
	return f.kit.remove(f.Path)
}
