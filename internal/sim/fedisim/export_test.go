package fedisim

import "testing"

// The files of sniff_test.go, for the tests outside the package.

// GIFFile is a GIF of some frames.
func GIFFile(t testing.TB, width, height, frames int) []byte {
	return testGIF(t, width, height, frames)
}

// ImageFile is a picture, "png" or "jpeg".
func ImageFile(t testing.TB, kind string, width, height int) []byte {
	return testImage(t, kind, width, height)
}

// Film describes an MP4.
type Film struct {
	Width, Height   int
	Frames, Seconds uint32
	Audio, Late     bool
}

// MP4File is an MP4 without pictures in it.
func MP4File(f Film) []byte {
	return testMP4(film{width: f.Width, height: f.Height, frames: f.Frames, seconds: f.Seconds, audio: f.Audio, late: f.Late})
}
