package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"math"
	"os/exec"
	"testing"
	"time"
)

func TestFitKeepsWhatFits(t *testing.T) {
	t.Parallel()
	k := setup(t, nil)
	for name, file := range map[string][]byte{
		"jpeg": jpegFile(t, 9, 9), "gif": gifFile(t, 9, 9, 3), "film": film4("isom", "vide", false), "sound": mp3(), "avif": still("avif"),
	} {
		f := put(t, k, file)
		out, err := k.Fit(t.Context(), f, Limits{ImageBytes: f.Size, ImagePixels: 640 * 480, VideoBytes: f.Size, VideoPixels: 320 * 240, VideoRate: 25, Types: []Type{f.Type}})
		if err != nil || out != f {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
}

// realFilm is one that plays, with sound or without.
func realFilm(t *testing.T, k *Kit, w, h string, seconds, rate string, sound bool) File {
	t.Helper()
	f, err := k.temp(".mp4")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	args := []string{"-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=" + w + "x" + h + ":r=" + rate}
	if sound {
		args = append(args, "-f", "lavfi", "-i", "sine=440")
	}
	args = append(args, "-t", seconds, "-c:v", "libx264", "-preset", "ultrafast", "-metadata", "title="+secret, "-metadata", "location=+51-000/", f.Name())
	if out, err := exec.CommandContext(t.Context(), k.tool.Path, args...).CombinedOutput(); err != nil {
		t.Skipf("this ffmpeg makes no film for the test: %s", out)
	}
	info, err := Inspect(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return File{Path: f.Name(), Info: info, kit: k}
}

// tracks are the kinds of the tracks of an MP4.
func tracks(t *testing.T, f File) (kinds []string) {
	t.Helper()
	b := contents(t, f)
	s := newSource(bytes.NewReader(b), int64(len(b)))
	var find func(box) error
	find = func(b box) error {
		switch b.kind {
		case "moov", "trak", "mdia":
			return boxes(s, b.start, b.end, find)
		case "hdlr":
			d, err := s.at(b.start, 12)
			kinds = append(kinds, string(d[8:]))
			return err
		}
		return nil
	}
	if err := boxes(s, 0, s.size, find); err != nil {
		t.Fatal(err)
	}
	return kinds
}

func TestFitFilm(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	loud := realFilm(t, k, "160", "120", "2", "50", true)
	out, err := k.Fit(t.Context(), loud, Limits{VideoPixels: 80 * 60, VideoRate: 10, VideoBytes: 60_000})
	if err != nil {
		t.Fatal(err)
	}
	if out.Type != MP4 || out.Width != 80 || out.Height != 60 || out.Rate > 10.5 || out.Size > 60_000 || out.Duration < 1900*time.Millisecond {
		t.Errorf("%s, %s", out.Info, out.Duration)
	}
	if got := tracks(t, out); len(got) != 2 || got[0] != "vide" || got[1] != "soun" {
		t.Errorf("its tracks: %q", got)
	}
	if b := contents(t, out); bytes.Contains(b, []byte(secret)) || bytes.Contains(b, []byte("+51-")) {
		t.Error("the place is still told")
	}
	// The same, as it is.
	if bare, err := k.WithoutMetadata(t.Context(), loud); err != nil || bytes.Contains(contents(t, bare), []byte(secret)) || !bytes.Contains(contents(t, loud), []byte(secret)) {
		t.Errorf("%s, %v", bare.Info, err)
	} else if still, err := k.Still(t.Context(), bare, 40, 0); err != nil || still.Type != JPEG || still.Width != 40 || still.Height != 30 {
		t.Errorf("%s, %v", still.Info, err)
	}
	// Too long for the bytes: known before anything is made of it.
	_, err = k.Fit(t.Context(), loud, Limits{VideoBytes: 20_000})
	if u, is := errors.AsType[*Unfit](err); !is || u.Limit != "bytes" {
		t.Error(err)
	}
}

// TestNothingIsCutOff: what is longer than a minute stays so.
func TestNothingIsCutOff(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	long := realFilm(t, k, "64", "48", "70", "2", false)
	out, err := k.Fit(t.Context(), long, Limits{VideoPixels: 32 * 24})
	if err != nil || out.Duration < 69*time.Second || len(tracks(t, out)) != 1 {
		t.Errorf("%s of %s, %v", out.Duration, long.Duration, err)
	}
	slow := gif.GIF{}
	for n := range 65 {
		m := image.NewPaletted(image.Rect(0, 0, 32, 24), color.Palette{color.Black, color.White})
		m.SetColorIndex(n%32, n%24, 1)
		slow.Image, slow.Delay = append(slow.Image, m), append(slow.Delay, 100)
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &slow); err != nil {
		t.Fatal(err)
	}
	f := put(t, k, b.Bytes())
	if out, err = k.Fit(t.Context(), f, Limits{GIFPixels: 16 * 12}); err != nil || out.Type != GIF || out.Width != 16 || out.Duration != 65*time.Second {
		t.Errorf("%s, %s, %v", out.Info, out.Duration, err)
	}
	if out, err = k.Fit(t.Context(), f, Limits{Types: []Type{MP4}}); err != nil || out.Type != MP4 || out.Duration < 63*time.Second {
		t.Errorf("%s, %s, %v", out.Info, out.Duration, err)
	}
	// Headers that promise more than there is.
	short := long
	short.Duration *= 2
	if _, err := k.Fit(t.Context(), short, Limits{VideoPixels: 32 * 24}); KindOf(err) != FFmpegResult {
		t.Error(err)
	}
	if left := names(t, k.opt.Dir); len(left) != 5 {
		t.Errorf("beside two sources and three results: %q", left)
	}
}

// wav is a tone of so many seconds, 44.1 kHz, one channel.
func wav(seconds int) []byte {
	n := 44100 * seconds
	b := []byte("RIFF")
	b = binary.LittleEndian.AppendUint32(b, uint32(36+2*n))
	b = append(b, "WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x44\xac\x00\x00\x88\x58\x01\x00\x02\x00\x10\x00data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(2*n))
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(9000*math.Sin(float64(i*i%44100)/20))))
	}
	return b
}

func TestFitSound(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	f := put(t, k, wav(2))
	for name, c := range map[string]struct {
		l    Limits
		want Type
	}{
		"by type":     {Limits{Types: []Type{MP3, MP4Audio}}, MP3},
		"by bytes":    {Limits{VideoBytes: 36_000}, MP3},
		"another":     {Limits{Types: []Type{MP4, MP4Audio}}, MP4Audio},
		"another yet": {Limits{Types: []Type{Ogg}}, Ogg},
	} {
		out, err := k.Fit(t.Context(), f, c.l)
		if KindOf(err) == FFmpegMissing {
			continue
		}
		if err != nil || out.Type != c.want && (out.Type != MP4Audio || k.tool.MP3) || out.Size < 10_000 {
			t.Errorf("%s: %s, %v", name, out.Info, err)
		}
	}
	_, err := k.Fit(t.Context(), f, Limits{VideoBytes: 5000, Types: []Type{MP4Audio}})
	if u, is := errors.AsType[*Unfit](err); !is || u.Limit != "bytes" {
		t.Error(err)
	}
	if len(names(t, k.opt.Dir)) > 5 {
		t.Errorf("what was too large stays: %q", names(t, k.opt.Dir))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := k.Fit(ctx, f, Limits{VideoBytes: 5000}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
