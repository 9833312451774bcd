package media

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"image"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"strings"
	"testing"

	xwebp "golang.org/x/image/webp"
)

// secret stands in every piece of metadata of these tests.
const secret = "51.5007N 0.1246W"

// exifWith is what a camera writes: an orientation among other things.
func exifWith(order binary.AppendByteOrder, orientation uint16) string {
	b := []byte("MM\x00*")
	if order == binary.LittleEndian {
		b = []byte("II*\x00")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 2)
	for _, e := range [][4]uint32{{0x010e, 2, uint32(len(secret)), 38}, {0x0112, 3, 1, 0}} {
		b = order.AppendUint32(order.AppendUint16(order.AppendUint16(b, uint16(e[0])), uint16(e[1])), e[2])
		if e[0] == 0x0112 {
			b = append(order.AppendUint16(b, orientation), 0, 0)
		} else {
			b = order.AppendUint32(b, e[3])
		}
	}
	return string(order.AppendUint32(b, 0)) + secret
}

// profile is as much of an ICC profile as is looked at.
func profile() string {
	b := bytes.Repeat([]byte("icc"), 100)
	copy(b[16:], "RGB ")
	copy(b[36:], "acsp")
	return string(b)
}

func segment(mark byte, data string) string {
	return "\xff" + string([]byte{mark}) + string(binary.BigEndian.AppendUint16(nil, uint16(len(data)+2))) + data
}

// photo is a JPEG as a camera makes it, with another behind its end.
func photo(t testing.TB, orientation uint16) []byte {
	t.Helper()
	plain := string(jpegFile(t, 24, 16))
	return []byte(plain[:2] + segment(0xe0, "JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00") + segment(0xe1, exifSign+exifWith(binary.BigEndian, orientation)) +
		segment(0xe1, "http://ns.adobe.com/xap/1.0/\x00"+secret) + segment(0xe2, iccSign+"\x01\x01"+profile()) + segment(0xe2, "MPF\x00"+secret) +
		segment(0xed, "Photoshop 3.0\x00"+secret) + segment(0xfe, secret) + plain[2:] + plain + secret)
}

func drawn(t testing.TB, orientation uint16) []byte {
	t.Helper()
	plain := string(pngFile(t, 24, 16))
	chunk := func(kind, data string) string { return string(pngChunk(kind, []byte(data))) }
	end := strings.Index(plain, "IEND") - 4
	return []byte(plain[:33] + chunk("gAMA", "\x00\x00\xb1\x8f") + chunk("pHYs", "\x00\x00\x0b\x13\x00\x00\x0b\x13\x01") + chunk("tEXt", "Author\x00"+secret) + chunk("eXIf", exifWith(binary.LittleEndian, orientation)) +
		plain[33:end] + chunk("iTXt", secret) + chunk("tIME", "1234567") + plain[end:] + secret)
}

// webpPictures are of 16x12: a lossless one and a lossy one, each transparent
// on its left half, and a lossy one without.
func webpPictures(t testing.TB) (lossless, lossy, opaque []byte) {
	t.Helper()
	var all [3][]byte
	for i, s := range []string{
		"UklGRiQAAABXRUJQVlA4TBcAAAAvD8ACEA8Q8x/zHwyxYDJ/6d4QIvofugA=",
		"UklGRmYAAABXRUJQVlA4WAoAAAAQAAAADwAACwAAQUxQSBIAAAABDzD/ERFCLJjMX7o3hIj+hy5WUDggLgAAANABAJ0BKhAADAACgEIloAJ0ugH4AAOwAP7vdtf+FW4Yhmq/+9gvuwX3YL/WwAA=",
		"UklGRsQAAABXRUJQVlA4ILgAAAAQAwCdASoQAAwAAoBCJbACdDXAP1A6yf9YASTWOQqTAQAA/vSp3UvSX1kR9Y/rV1815vxgaN8qO4yJcz3uCkvCECLjZP/i6ZZuGNHI71lUDqUWPWEXGzE8wBZtr+JlgOfsZfNb/cvxQoS/63TIn+S43rKzmVXL/uQ/xCg1kH3hp1y9lSzFBH/nStH9zftWuwfwXzvr/4//nrGXh2wC/r/y2mEYjv20bupFXP/j0uwTkcjP0b+N6oAA",
	} {
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		all[i] = b
	}
	return all[0], all[1], all[2]
}

// shared is a WebP with everything that one may have.
func shared(t testing.TB, orientation uint16) []byte {
	t.Helper()
	_, lossy, _ := webpPictures(t)
	return append(webp(chunk("VP8X", "\x3c\x00\x00\x00\x0f\x00\x00\x0b\x00\x00"), chunk("ICCP", profile()), string(lossy[30:]),
		chunk("EXIF", exifWith(binary.LittleEndian, orientation)), chunk("XMP ", secret), chunk("UNKN", secret)), secret...)
}

// remarked is a moving GIF with comments.
func remarked(t testing.TB) []byte {
	t.Helper()
	plain := string(gifFile(t, 24, 16, 3))
	at := 13 + int(colours(plain[10]))
	return []byte(plain[:at] + "\x21\xfe\x10" + secret + "\x00\x21\xff\x0bXMP DataXMP\x10" + secret + "\x00" + plain[at:] + secret)
}

// placed is a film with its place in three ways.
func placed() []byte {
	film := string(film4("qt  ", "vide", false))
	at := strings.Index(film, "moov") - 4
	mvhd := film[at+8 : at+8+108]
	return []byte(film[:at] + boxOf("uuid", strings.Repeat("u", 16), secret) +
		boxOf("moov", mvhd, boxOf("udta", boxOf("\xa9xyz", secret)), film[at+8+108:], boxOf("meta", secret)) + boxOf("free", "x"))
}

// located is a HEIC whose item 2 is Exif, in the file, and 3 XMP, in idat.
func located() []byte {
	build := func(at uint32) string {
		infe := func(id byte, kind string) string {
			return boxOf("infe", "\x02\x00\x00\x00\x00"+string([]byte{id})+"\x00\x00"+kind+"\x00")
		}
		n := uint32(len(secret))
		return boxOf("ftyp", "heic", u32(0), "mif1") + boxOf("meta", u32(0), boxOf("iinf", u32(0), "\x00\x03", infe(1, "hvc1"), infe(2, "Exif"), infe(3, "mime")),
			boxOf("iloc", "\x01\x00\x00\x00\x44\x00\x00\x03"+
				"\x00\x01\x00\x00\x00\x00\x00\x01"+u32(at+n, 6)+
				"\x00\x02\x00\x00\x00\x00\x00\x02"+u32(at, 4)+u32(at+4, n-4)+
				"\x00\x03\x00\x01\x00\x00\x00\x01"+u32(2, n)),
			boxOf("iprp", boxOf("ipco", boxOf("ispe", u32(0, 640, 480)))), boxOf("idat", "xx", secret)) + boxOf("mdat", secret, "pixels")
	}
	return []byte(build(uint32(strings.Index(build(0), "mdat") + 4)))
}

func contents(t testing.TB, f File) []byte {
	t.Helper()
	b, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pixelsOf are what a file's decoder makes of it, frame by frame.
func pixelsOf(file []byte, t Type) (all []byte, err error) {
	frames := []image.Image{}
	r := bytes.NewReader(file)
	var m image.Image
	switch t {
	case JPEG:
		m, err = jpeg.Decode(r)
	case PNG:
		m, err = png.Decode(r)
	case WebP:
		m, err = xwebp.Decode(r)
	case GIF:
		var g *gif.GIF
		if g, err = gif.DecodeAll(r); err == nil {
			for i, f := range g.Image {
				frames, all = append(frames, f), append(all, byte(g.Delay[i]), g.Disposal[i])
			}
		}
	default:
		return nil, errors.New("no decoder")
	}
	if err != nil {
		return nil, err
	}
	if m != nil {
		frames = append(frames, m)
	}
	for _, m := range frames {
		p := image.NewNRGBA(m.Bounds())
		draw.Draw(p, p.Bounds(), m, m.Bounds().Min, draw.Src)
		all = append(all, p.Pix...)
	}
	return all, nil
}

func TestWithoutMetadata(t *testing.T) {
	t.Parallel()
	lossless, lossy, opaque := webpPictures(t)
	for name, c := range map[string]struct {
		file  []byte
		keeps []string
		turn  int
	}{
		"photo":         {photo(t, 1), []string{"JFIF", profile()}, 1},
		"turned photo":  {photo(t, 6), []string{"JFIF", profile()}, 6},
		"drawing":       {drawn(t, 1), []string{"gAMA", "pHYs"}, 1},
		"turned png":    {drawn(t, 8), []string{"gAMA", "pHYs"}, 8},
		"webp":          {shared(t, 1), []string{profile(), "ALPH", "VP8X\n\x00\x00\x00\x30"}, 1},
		"turned webp":   {shared(t, 3), []string{profile(), "VP8X\n\x00\x00\x00\x38"}, 3},
		"gif":           {remarked(t), []string{"NETSCAPE2.0"}, 1},
		"film":          {placed(), []string{"mvhd", "avc1", "mdat"}, 1},
		"heic":          {located(), []string{"pixels", "infe"}, 1},
		"webp, a tail":  {append(bytes.Clone(lossless), secret...), nil, 1},
		"jpeg, cut off": {append(photo(t, 1)[:len(photo(t, 1))-len(secret)-len(jpegFile(t, 24, 16))-4], 0xff), nil, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := setup(t, nil)
			f := put(t, k, c.file)
			out, err := k.WithoutMetadata(t.Context(), f)
			if err != nil {
				t.Fatal(err)
			}
			got := contents(t, out)
			if out.Path == f.Path || bytes.Contains(got, []byte(secret)) || !bytes.Equal(contents(t, f), c.file) {
				t.Errorf("it still says %q, or f was changed: %q", secret, got)
			}
			for _, part := range c.keeps {
				if !bytes.Contains(got, []byte(part)) {
					t.Errorf("%q is lost", part[:min(9, len(part))])
				}
			}
			if want, err := pixelsOf(c.file, f.Type); err == nil {
				if pixels, err := pixelsOf(got, f.Type); err != nil || !bytes.Equal(pixels, want) {
					t.Errorf("the pixels differ: %v", err)
				}
			} else if f.Type.Image() && f.Type != HEIC && !strings.Contains(name, "cut") {
				t.Error(err)
			}
			want := f.Info
			want.Size = int64(len(got))
			if out.Info != want {
				t.Errorf("%+v, want %+v", out.Info, want)
			}
			if tr, err := look(out); err != nil || tr.orientation != c.turn || f.Type == WebP && c.keeps != nil && string(tr.icc) != profile() {
				t.Errorf("%+v, %v", tr, err)
			}
			if again, err := k.WithoutMetadata(t.Context(), out); err != nil || again.Path != out.Path {
				t.Errorf("there is more to take out: %v", err)
			}
		})
	}
	k := setup(t, nil)
	for name, file := range map[string][]byte{
		"jpeg": jpegFile(t, 4, 4), "png": pngFile(t, 4, 4), "apng": apng(4, 4, 2), "gif": gifFile(t, 4, 4, 2), "gif by hand": gifByHand(4, 4, 4, 4),
		"webp": lossy, "webp 2": opaque, "webp 3": lossless, "avif": still("avif"), "mp4": film4("isom", "vide", false), "m4a": film4("M4A ", "soun", false), "mp3": mp3(), "webm": webm("webm", 1),
	} {
		f := put(t, k, file)
		if out, err := k.WithoutMetadata(t.Context(), f); err != nil || out != f {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

func TestMetadataOfWhatIsBroken(t *testing.T) {
	t.Parallel()
	k := setup(t, nil)
	heic := located()
	far := bytes.Replace(heic, []byte(u32(4)+u32(2, uint32(len(secret)))), nil, 1)
	far = bytes.Replace(far, []byte(u32(2, uint32(len(secret)))), []byte(u32(2, 5000)), 1)
	for name, c := range map[string]struct {
		t    Type
		file []byte
	}{
		"not a jpeg":     {JPEG, pngFile(t, 2, 2)},
		"not a png":      {PNG, jpegFile(t, 2, 2)},
		"not a film":     {MP4, gifFile(t, 2, 2, 1)},
		"empty":          {GIF, nil},
		"png cut off":    {PNG, drawn(t, 1)[:80]},
		"png, no header": {PNG, append([]byte("\x89PNG\r\n\x1a\n"), pngChunk("tEXt", []byte("x"))...)},
		"webp cut off":   {WebP, shared(t, 1)[:60]},
		"gif cut off":    {GIF, remarked(t)[:700]},
		"jpeg of junk":   {JPEG, append(jpegFile(t, 2, 2)[:20], make([]byte, 30)...)},
		"film cut off":   {QuickTime, placed()[:90]},
		"heic, far item": {HEIC, far},
	} {
		f, err := k.temp("")
		if err != nil {
			t.Fatal(err)
		}
		if err := fill(f, bytes.NewReader(c.file)); err != nil {
			t.Fatal(err)
		}
		out, err := k.WithoutMetadata(t.Context(), File{Path: f.Name(), Info: Info{Type: c.t, Size: int64(len(c.file))}, kit: k})
		if KindOf(err) != Broken || out.Path != "" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
		k.discard(f.Name())
	}
	f := put(t, k, photo(t, 1))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.WithoutMetadata(ctx, f); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if left := names(t, k.opt.Dir); len(left) != 1 {
		t.Errorf("beside the source: %q", left)
	}
}

func TestSHA256(t *testing.T) {
	t.Parallel()
	k := setup(t, nil)
	f := put(t, k, []byte("GIF89a\x01\x00\x01\x00\x00\x00\x00\x2c\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x00\x3b"))
	if sum, err := f.SHA256(); err != nil || sum != "09f9f507e1b9603cb213244da6e536b850fc6934a4e28701a53a341562e62c34" {
		t.Errorf("%s, %v", sum, err)
	}
	if _, err := (File{Path: f.Path + "x"}).SHA256(); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}

// FuzzMetadata: whatever a file holds, what is left of it shows the same, holds
// nothing more to take out, and is not much larger.
func FuzzMetadata(f *testing.F) {
	lossless, lossy, opaque := webpPictures(f)
	for _, file := range [][]byte{photo(f, 6), jpegFile(f, 9, 9), drawn(f, 3), apng(3, 3, 2), shared(f, 5), lossless, lossy, opaque, remarked(f),
		webp(chunk("VP8X", "\x02\x00\x00\x00\x3f\x01\x00\xef\x00\x00"), anmf, anmf), placed(), located(), still("avif"), film4("M4A ", "soun", false),
		[]byte(id3(3) + string(mp3()) + ape()), []byte("fLaC" + flacBlock(0, "info") + flacBlock(lastBlock|4, comments("")) + "sound"), []byte("RIFF" + le32(60) + "WAVE" + chunk("LIST", secret) + chunk("data", "tones")),
		[]byte(oggSound()), append(webm("webm", 1), elementOf("\x12\x54\xc3\x67", secret)...), append(located(), boxOf("mpvd", string(placed()))...)} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		info, err := inspect(file)
		if err != nil || len(file) > 1<<20 {
			return
		}
		c := cleaning{orientation: true, profile: true}
		cut, err := c.splice(newSource(bytes.NewReader(file), info.Size), info.Type)
		if err != nil {
			if !errors.Is(err, errCut) && !isFault(err) {
				t.Fatal(err)
			}
			return
		}
		if first, err := firstFrame(newSource(bytes.NewReader(file), info.Size)); info.Type == WebP && info.Animated && err == nil {
			assemble(t, file, first)
		}
		if !cut.changed { // or only as a whole
			return
		}
		got := assemble(t, file, cut)
		if len(got) > len(file)+1024 {
			t.Fatalf("%d bytes of %d", len(got), len(file))
		}
		more, err := inspect(got)
		if err != nil || more.Type != info.Type || more.Width != info.Width || more.Height != info.Height || more.Frames != info.Frames {
			t.Fatalf("%+v became %+v, %v", info, more, err)
		}
		again, err := c.splice(newSource(bytes.NewReader(got), more.Size), more.Type)
		if err != nil || again.changed {
			t.Fatalf("%v, once more: %v", err, again.changed)
		}
		if info.Pixels() > 1<<16 || info.Frames > 8 {
			return
		}
		if want, err := pixelsOf(file, info.Type); err == nil {
			if pixels, err := pixelsOf(got, info.Type); err != nil || !bytes.Equal(pixels, want) {
				t.Fatalf("the pixels differ: %v", err)
			}
		}
	})
}

// assemble is the file that a splice describes.
func assemble(t *testing.T, file []byte, cut splice) (all []byte) {
	t.Helper()
	for _, p := range cut.pieces {
		switch {
		case p.lit != nil:
			all = append(all, p.lit...)
		case p.blank:
			all = append(all, make([]byte, p.n)...)
		default:
			b, err := io.ReadAll(io.NewSectionReader(bytes.NewReader(file), p.off, p.n))
			if err != nil || int64(len(b)) != p.n {
				t.Fatalf("a piece beyond the file: %+v", p)
			}
			all = append(all, b...)
		}
	}
	if int64(len(all)) != cut.size() {
		t.Fatalf("%d bytes, not %d", len(all), cut.size())
	}
	return all
}
