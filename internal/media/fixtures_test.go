package media

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// gifFile is an animation with a square that wanders, a tenth of a second a frame.
func gifFile(t testing.TB, w, h, frames int) []byte {
	t.Helper()
	g := gif.GIF{}
	for n := range frames {
		m := image.NewPaletted(image.Rect(0, 0, w, h), palette.WebSafe)
		for y := range h {
			for x := range w {
				m.SetColorIndex(x, y, uint8((x+y+n*7)%len(palette.WebSafe)))
			}
		}
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 10)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// noiseGIF does not compress.
func noiseGIF(t testing.TB, w, h, frames int) []byte {
	t.Helper()
	r := rand.New(rand.NewPCG(1, 2))
	g := gif.GIF{}
	for range frames {
		m := image.NewPaletted(image.Rect(0, 0, w, h), palette.Plan9)
		for i := range m.Pix {
			m.Pix[i] = uint8(r.Uint32())
		}
		g.Image, g.Delay = append(g.Image, m), append(g.Delay, 4)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &g); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// gifByHand has one frame of a size of its own; its pixels are not whole.
func gifByHand(w, h, frameW, frameH uint16) []byte {
	b := []byte("GIF89a")
	b = binary.LittleEndian.AppendUint16(b, w)
	b = binary.LittleEndian.AppendUint16(b, h)
	b = append(b, 0x80, 0, 0, 0, 0, 0, 255, 255, 255, 0x2c, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint16(b, frameW)
	b = binary.LittleEndian.AppendUint16(b, frameH)
	return append(b, 0, 2, 2, 0x4c, 0x01, 0, 0x3b)
}

func pngFile(t testing.TB, w, h int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, w, h))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func jpegFile(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	m.Set(1, 1, color.White)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// apng has headers only.
func apng(w, h uint32, frames int) []byte {
	b := []byte("\x89PNG\r\n\x1a\n")
	add := func(kind string, data []byte) {
		b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
		at := len(b)
		b = append(append(b, kind...), data...)
		b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[at:]))
	}
	head := binary.BigEndian.AppendUint32(nil, w)
	head = append(binary.BigEndian.AppendUint32(head, h), 8, 6, 0, 0, 0)
	add("IHDR", head)
	if frames > 1 {
		add("acTL", append(binary.BigEndian.AppendUint32(nil, uint32(frames)), 0, 0, 0, 0))
	}
	for range frames {
		if frames > 1 {
			add("fcTL", append(make([]byte, 20), 0, 10, 0, 0, 0, 0))
		}
		add("IDAT", []byte("x"))
	}
	add("IEND", nil)
	return b
}

func chunk(kind, data string) string {
	n := string(binary.LittleEndian.AppendUint32(nil, uint32(len(data))))
	return kind + n + data + strings.Repeat("\x00", len(data)%2)
}

// anmf is a frame of 320x240 for 40 ms.
var anmf = chunk("ANMF", "\x00\x00\x00\x00\x00\x00\x3f\x01\x00\xef\x00\x00\x28\x00\x00\x00")

func webp(chunks ...string) []byte {
	return []byte(chunk("RIFF", "WEBP"+strings.Join(chunks, "")))
}

func boxOf(kind string, parts ...string) string {
	data := strings.Join(parts, "")
	return string(binary.BigEndian.AppendUint32(nil, uint32(len(data)+8))) + kind + data
}

func u32(n ...uint32) string {
	var b []byte
	for _, v := range n {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	return string(b)
}

// still is an AVIF or HEIC of 640x480.
func still(brand string) []byte {
	return []byte(boxOf("ftyp", brand, u32(0), "mif1") +
		boxOf("meta", u32(0), boxOf("iprp", boxOf("ipco", boxOf("ispe", u32(0, 64, 64)), boxOf("ispe", u32(0, 640, 480))))) + boxOf("mdat", "x"))
}

// film4 is two seconds of 320x240 with 50 frames.
func film4(brand, handler string, turned bool) []byte {
	matrix := u32(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30)
	if turned {
		matrix = u32(0, 1<<16, 0, 0xffff0000, 0, 0, 0, 0, 1<<30)
	}
	entry := u32(86) + "avc1" + strings.Repeat("\x00", 24) + "\x01\x40\x00\xf0" + strings.Repeat("\x00", 50)
	return []byte(boxOf("ftyp", brand, u32(0)) + boxOf("mdat", "pixels") + boxOf("moov", boxOf("mvhd", strings.Repeat("\x00", 100)),
		boxOf("trak", boxOf("tkhd", u32(0), strings.Repeat("\x00", 36), matrix, u32(320<<16, 240<<16)),
			boxOf("mdia", boxOf("mdhd", u32(0, 0, 0, 1000, 2000, 0)), boxOf("hdlr", u32(0, 0), handler, u32(0, 0, 0)),
				boxOf("minf", boxOf("stbl", boxOf("stsd", u32(0, 1), entry), boxOf("stsz", u32(0, 0, 50))))))))
}

func elementOf(id string, parts ...string) string {
	data := strings.Join(parts, "")
	return id + string([]byte{0x40 | byte(len(data)>>8), byte(len(data))}) + data
}

// webm has one track, of the kind 1 (pictures) or 2 (sound): 320x240, two
// seconds, 25 frames a second.
func webm(docType string, kind byte) []byte {
	length := string(binary.BigEndian.AppendUint64(nil, math.Float64bits(2000)))
	return []byte(elementOf("\x1a\x45\xdf\xa3", elementOf("\x42\x82", docType)) +
		elementOf("\x18\x53\x80\x67", elementOf("\x15\x49\xa9\x66", elementOf("\x44\x89", length)),
			elementOf("\x16\x54\xae\x6b", elementOf("\xae", elementOf("\x83", string([]byte{kind})), elementOf("\x23\xe3\x83", u32(40_000_000)),
				elementOf("\xe0", elementOf("\xb0", "\x01\x40"), elementOf("\xba", "\xf0")))), elementOf("\x1f\x43\xb6\x75", "frames")))
}

// mp3 is three frames of MPEG 1, 128 kbit/s, 44.1 kHz.
func mp3() []byte {
	return bytes.Repeat(append([]byte("\xff\xfb\x90\x00"), make([]byte, 413)...), 3)
}

func ogg(packet string) []byte {
	return append(append([]byte("OggS\x00\x02"), make([]byte, 20)...), append([]byte{1, 30}, packet+strings.Repeat("\x00", 20)...)...)
}
