package fedisim

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// testGIF is a GIF of some frames, whose screen is of a size and whose images
// are single dots.
func testGIF(t testing.TB, width, height, frames int) []byte {
	t.Helper()
	g := &gif.GIF{Config: image.Config{Width: width, Height: height}}
	for i := range frames {
		p := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.Black, color.White})
		p.SetColorIndex(0, 0, uint8(i%2))
		g.Image, g.Delay = append(g.Image, p), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func testImage(t testing.TB, kind string, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, width, height))
	err := jpeg.Encode(&b, img, nil)
	if kind == "png" {
		b.Reset()
		err = png.Encode(&b, img)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// boxOf writes an MP4 box.
func boxOf(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+8))
	return append(append(b, kind...), body...)
}

// words are numbers of 32 bits.
func words(vs ...uint32) []byte {
	var b []byte
	for _, v := range vs {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return b
}

// film describes an MP4 file; the zero value but for the size is as Mastodon stores it.
type film struct {
	width, height int
	codec         string
	profile       byte
	frames        uint32 // in a second; 25 if zero
	seconds       uint32 // 2 if zero
	audio, late   bool   // late: the index is behind the pictures
	bare          bool   // no avcC
}

func (f film) moov() []byte {
	mdhd := boxOf("mdhd", words(0, 0, 0, 1000, f.seconds*1000, 0))
	hdlr := func(kind string) []byte { return boxOf("hdlr", words(0, 0), []byte(kind), make([]byte, 13)) }
	entry := make([]byte, 78)
	binary.BigEndian.PutUint16(entry[24:], uint16(f.width))
	binary.BigEndian.PutUint16(entry[26:], uint16(f.height))
	avcc := boxOf("avcC", []byte{1, f.profile, 0, 31, 0xff})
	if f.bare {
		avcc = nil
	}
	stbl := boxOf("stbl", boxOf("stsd", words(0, 1), boxOf(f.codec, entry, avcc)), boxOf("stts", words(0, 1, f.frames*f.seconds, 1000/f.frames)))
	tkhd := make([]byte, 84)
	binary.BigEndian.PutUint16(tkhd[76:], uint16(f.width))
	binary.BigEndian.PutUint16(tkhd[80:], uint16(f.height))
	parts := [][]byte{boxOf("mvhd", words(0, 0, 0, 1000, f.seconds*1000), make([]byte, 80)),
		boxOf("trak", boxOf("tkhd", tkhd), boxOf("mdia", mdhd, hdlr("vide"), boxOf("minf", stbl)))}
	if f.audio {
		parts = append(parts, boxOf("trak", boxOf("mdia", mdhd, hdlr("soun"))))
	}
	return boxOf("moov", parts...)
}

func testMP4(f film) []byte {
	if f.codec == "" {
		f.codec = "avc1"
	}
	if f.profile == 0 {
		f.profile = 100
	}
	if f.frames == 0 {
		f.frames = 25
	}
	if f.seconds == 0 {
		f.seconds = 2
	}
	ftyp := boxOf("ftyp", []byte("isom"), words(512), []byte("isomavc1"))
	mdat := boxOf("mdat", make([]byte, 100))
	if f.late {
		return bytes.Join([][]byte{ftyp, mdat, f.moov()}, nil)
	}
	return bytes.Join([][]byte{ftyp, f.moov(), mdat}, nil)
}

// ebml writes an element with a size of one byte.
func ebml(id []byte, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	return append(append(bytes.Clone(id), 0x80|byte(len(body))), body...)
}

func testWebM(width, height byte) []byte {
	video := ebml([]byte{0xe0}, ebml([]byte{0xb0}, []byte{1, width}), ebml([]byte{0xba}, []byte{height}))
	tracks := ebml([]byte{0x16, 0x54, 0xae, 0x6b}, ebml([]byte{0xae}, ebml([]byte{0x83}, []byte{2})), ebml([]byte{0xae}, ebml([]byte{0x83}, []byte{1}), video))
	head := ebml([]byte{0x1a, 0x45, 0xdf, 0xa3}, ebml([]byte{0x42, 0x82}, []byte("webm")))
	// The segment's length is not known, as when it was recorded.
	return append(append(head, 0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), tracks...)
}

func testWebP(animated bool) []byte {
	flags := byte(0)
	if animated {
		flags = 2
	}
	b := append([]byte("RIFF\x16\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00"), flags, 0, 0, 0)
	return append(b, 0x2b, 1, 0, 0xc7, 0, 0) // 300x200
}

func TestContentDecides(t *testing.T) {
	t.Parallel()
	lossless := []byte("RIFF\x1a\x00\x00\x00WEBPVP8L\x0d\x00\x00\x00\x2f\x00\x00\x00\x10\x07\x10\x11\x11\x88\x88\xfe\x07\x00")
	good := testMP4(film{width: 640, height: 360})
	for name, c := range map[string]struct {
		data  []byte
		want  fileInfo
		fault string
	}{
		"gif that moves":     {testGIF(t, 300, 200, 3), fileInfo{mime: "image/gif", width: 300, height: 200, animated: true}, ""},
		"gif that does not":  {testGIF(t, 300, 200, 1), fileInfo{mime: "image/gif", width: 300, height: 200}, ""},
		"gif cut off":        {testGIF(t, 300, 200, 1)[:20], fileInfo{}, ""},
		"gif of no image":    {[]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x3b"), fileInfo{}, ""},
		"png":                {testImage(t, "png", 7, 5), fileInfo{mime: "image/png", width: 7, height: 5}, ""},
		"png cut off":        {testImage(t, "png", 7, 5)[:14], fileInfo{}, ""},
		"jpeg":               {testImage(t, "jpeg", 7, 5), fileInfo{mime: "image/jpeg", width: 7, height: 5}, ""},
		"webp":               {lossless, fileInfo{mime: "image/webp", width: 1, height: 1}, ""},
		"webp, extended":     {testWebP(false), fileInfo{mime: "image/webp", width: 300, height: 200}, ""},
		"webp that moves":    {testWebP(true), fileInfo{mime: "image/webp", width: 300, height: 200, animated: true}, ""},
		"webm":               {testWebM(0x40, 0xf0), fileInfo{mime: "video/webm", width: 320, height: 240, audio: true}, ""},
		"matroska":           {ebml([]byte{0x1a, 0x45, 0xdf, 0xa3}, ebml([]byte{0x42, 0x82}, []byte("matroska"))), fileInfo{}, ""},
		"mp4":                {good, fileInfo{mime: "video/mp4", width: 640, height: 360, duration: 2, rate: 25}, ""},
		"mp4 with sound":     {testMP4(film{width: 64, height: 36, audio: true, frames: 50, seconds: 40}), fileInfo{mime: "video/mp4", width: 64, height: 36, duration: 40, rate: 50, audio: true}, ""},
		"mp4, index behind":  {testMP4(film{width: 64, height: 36, late: true}), fileInfo{mime: "video/mp4", width: 64, height: 36, duration: 2, rate: 25}, "faststart"},
		"mp4, odd":           {testMP4(film{width: 65, height: 36}), fileInfo{mime: "video/mp4", width: 65, height: 36, duration: 2, rate: 25}, "65x36"},
		"mp4, hevc":          {testMP4(film{width: 64, height: 36, codec: "hvc1"}), fileInfo{mime: "video/mp4", width: 64, height: 36, duration: 2, rate: 25}, "hvc1"},
		"mp4, ten bits":      {testMP4(film{width: 64, height: 36, profile: 110}), fileInfo{mime: "video/mp4", width: 64, height: 36, duration: 2, rate: 25}, "110"},
		"mp4, no avcC":       {testMP4(film{width: 64, height: 36, bare: true}), fileInfo{mime: "video/mp4", width: 64, height: 36, duration: 2, rate: 25}, "avcC"},
		"mp4 cut off":        {good[:len(good)-10], fileInfo{mime: "video/mp4", width: 640, height: 360, duration: 2, rate: 25}, "ends within"},
		"mp4 without index":  {good[:24], fileInfo{mime: "video/mp4"}, "no moov"},
		"mp4 without frames": {boxOf("ftyp", []byte("isom"), words(0), boxOf("x")), fileInfo{mime: "video/mp4"}, "no moov"},
		"quicktime":          {bytes.Replace(good, []byte("isom"), []byte("qt  "), 1), fileInfo{mime: "video/quicktime", width: 640, height: 360, duration: 2, rate: 25}, ""},
		"avif":               {boxOf("ftyp", []byte("avif")), fileInfo{mime: "image/avif"}, ""},
		"text":               {[]byte("hello there, I am a picture"), fileInfo{}, ""},
		"web page":           {[]byte("<!DOCTYPE html><title>GIF89a</title>"), fileInfo{}, ""},
		"nothing":            {nil, fileInfo{}, ""},
	} {
		got := inspect(c.data, int64(len(c.data)))
		if (got.fault == "") != (c.fault == "") || !strings.Contains(got.fault, c.fault) {
			t.Errorf("%s: fault %q, want %q", name, got.fault, c.fault)
		}
		got.fault = ""
		if got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func FuzzInspect(f *testing.F) {
	f.Add(testGIF(f, 3, 2, 2))
	f.Add(testImage(f, "png", 1, 1))
	f.Add(testImage(f, "jpeg", 1, 1))
	f.Add(testMP4(film{width: 64, height: 36, audio: true}))
	f.Add(testWebM(1, 1))
	f.Add(testWebP(true))
	f.Add([]byte("\x00\x00\x00\x01ftypisom\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x1a\x45\xdf\xa3\x01\xff\xff\xff\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got := inspect(data, int64(len(data)))
		if got.width < 0 || got.height < 0 || got.pixels() < 0 || got.duration < 0 || got.rate < 0 {
			t.Errorf("%+v", got)
		}
		if got.mime == "" && got != (fileInfo{}) {
			t.Errorf("something is known of an unknown file: %+v", got)
		}
	})
}
