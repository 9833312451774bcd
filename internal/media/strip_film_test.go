package media

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// opened is film4 in two parts: what comes before the tracks of its moov, and
// the tracks.
func opened(brand string) (before, mvhd, rest string) {
	film := string(film4(brand, "vide", false))
	at := strings.Index(film, "moov") - 4
	return film[:at], film[at+8 : at+8+108], film[at+8+108:]
}

// dataTrack is a track of another kind, with the name of its coding.
func dataTrack(handler, coding string) string {
	return boxOf("trak", boxOf("tkhd", u32(0), strings.Repeat("\x00", 36), u32(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30), u32(0, 0)),
		boxOf("mdia", boxOf("mdhd", u32(0, 0, 0, 1000, 2000, 0)), boxOf("hdlr", u32(0, 0), handler, u32(0, 0, 0)),
			boxOf("minf", boxOf("stbl", boxOf("stsd", u32(0, 1), u32(16)+coding+u32(0, 1)), boxOf("stsz", u32(0, 0, 1))))))
}

// bareOf is a file without its metadata; the test fails if that says the secret,
// is another kind of file, or has more to take out.
func bareOf(t *testing.T, k *Kit, file []byte) []byte {
	t.Helper()
	f := put(t, k, file)
	out, err := k.WithoutMetadata(t.Context(), f)
	if err != nil {
		t.Error(err)
		return nil
	}
	got := contents(t, out)
	if bytes.Contains(got, []byte(secret)) {
		t.Errorf("it still says %q: %q", secret, got)
	}
	want := f.Info
	want.Size = int64(len(got))
	if out.Path == f.Path || out.Info != want {
		t.Errorf("%+v of %+v", out.Info, f.Info)
	}
	if again, err := k.WithoutMetadata(t.Context(), out); err != nil || again.Path != out.Path {
		t.Errorf("there is more to take out: %v", err)
	}
	return got
}

func TestPlacesInFilms(t *testing.T) {
	t.Parallel()
	before, mvhd, rest := opened("isom")
	film := before + boxOf("moov", mvhd, rest)
	within := func(parent, more string) string { // at the end of a box of the track
		at := strings.Index(rest, parent) - 4
		end := at + int(binary.BigEndian.Uint32([]byte(rest[at:])))
		b := rest[:end] + more + rest[end:]
		for _, kind := range []string{"trak", "mdia", "minf", "stbl"} {
			if i := strings.Index(b, kind) - 4; i <= at {
				b = b[:i] + u32(binary.BigEndian.Uint32([]byte(b[i:]))+uint32(len(more))) + b[i+4:]
			}
		}
		return before + boxOf("moov", mvhd, b)
	}
	for name, file := range map[string]string{
		"free (dash cams)":     film + boxOf("free", "freeGPS "+secret),
		"skip":                 film + boxOf("skip", secret),
		"a camera's own box":   film + boxOf("SEFT", secret),
		"the hour it was sent": before + boxOf("prft", secret) + boxOf("moov", mvhd, rest),
		"in the header":        before + boxOf("moov", mvhd, boxOf("AMBA", secret), rest),
		"a long box":           film + u32(1) + "uuid" + u32(0, uint32(16+len(secret))) + secret,
		"to the end":           film + u32(0) + "uuid" + secret,
		"a fragment":           film + boxOf("moof", boxOf("mfhd", u32(0, 1)), boxOf("traf", boxOf("tfhd", u32(0, 1)), boxOf("uuid", secret)), boxOf("meta", secret)) + boxOf("mdat", "x"),
		"name of the handler":  strings.Replace(within("minf", boxOf("hdlr", u32(0, 0), "vide", u32(0, 0, 0), secret)), "isom", "qt  ", 1),
		"where it was edited":  within("minf", boxOf("dinf", boxOf("dref", u32(0, 1), boxOf("alis", u32(1), secret)))),
		"encoder":              strings.Replace(film, "\x01\x40\x00\xf0"+strings.Repeat("\x00", 50), "\x01\x40\x00\xf0"+strings.Repeat("\x00", 14)+"\x10"+secret+strings.Repeat("\x00", 19), 1),
		"among the samples":    within("stbl", boxOf("gps0", secret)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := bareOf(t, setup(t, nil), []byte(file))
			for _, part := range []string{"ftyp", "pixels", "mvhd", "trak", "avc1", "stsz"} {
				if !bytes.Contains(got, []byte(part)) {
					t.Errorf("%q is lost", part)
				}
			}
			if len(got) != len(file) {
				t.Errorf("%d bytes of %d", len(got), len(file))
			}
		})
	}
}

func TestDatesInFilms(t *testing.T) {
	t.Parallel()
	const at = 3_900_000_000 // 2027
	k := setup(t, nil)
	before, _, rest := opened("isom")
	short := boxOf("mvhd", u32(0, at, at+1, 1000, 2000), strings.Repeat("\x00", 80))
	long := boxOf("mvhd", u32(1<<24, 0, at, 0, at+1, 1000, 0, 2000), strings.Repeat("\x00", 80))
	rest = strings.Replace(rest, "mdhd"+u32(0, 0, 0), "mdhd"+u32(0, at, at+1), 1)
	rest = strings.Replace(rest, "tkhd"+u32(0, 0, 0), "tkhd"+u32(0, at, at+1), 1)
	for name, mvhd := range map[string]string{"32 bits": short, "64 bits": long} {
		file := before + boxOf("moov", mvhd, rest)
		got := bareOf(t, k, []byte(file))
		if n := strings.Count(file, u32(at)); n != 3 || bytes.Contains(got, []byte(u32(at))) || bytes.Contains(got, []byte(u32(at+1))) {
			t.Errorf("%s: %d dates, and of these some stay", name, n)
		}
		if !bytes.Contains(got, []byte(u32(1000))) {
			t.Errorf("%s: how long it is was lost", name)
		}
	}
}

// TestTracksOfDataNeedFFmpeg: nothing is said to be clean that is not.
func TestTracksOfDataNeedFFmpeg(t *testing.T) {
	t.Parallel()
	before, mvhd, rest := opened("isom")
	for name, file := range map[string]string{
		"gpmd": before + boxOf("mdat", secret) + boxOf("moov", mvhd, rest, dataTrack("meta", "gpmd")),
		"text": before + boxOf("mdat", secret) + boxOf("moov", mvhd, dataTrack("text", "text"), rest),
		"gps":  before + boxOf("mdat", secret) + boxOf("moov", mvhd, boxOf("gps ", u32(1, 2, 3)), rest),
		"webm": strings.Replace(string(webm("webm", 1)), elementOf("\xae", elementOf("\x83", "\x01")), "", 1) + elementOf("\x16\x54\xae\x6b", elementOf("\xae", elementOf("\x83", "\x11"))),
	} {
		k := setup(t, nil)
		f := put(t, k, []byte(file))
		if out, err := k.WithoutMetadata(t.Context(), f); KindOf(err) != FFmpegMissing || out.Path != "" {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	for fails, want := range map[string]Kind{"fails": FFmpegFailed, "still": FFmpegResult} {
		k := fake(t, fails, nil)
		f := put(t, k, []byte(before+boxOf("moov", mvhd, rest, dataTrack("meta", "mebx"))))
		if out, err := k.WithoutMetadata(t.Context(), f); KindOf(err) != want || out.Path != "" {
			t.Errorf("%s: %+v, %v", fails, out, err)
		}
		if left := names(t, k.opt.Dir); len(left) != 1 {
			t.Errorf("beside the source: %q", left)
		}
	}
}

func TestPlacesInStills(t *testing.T) {
	t.Parallel()
	film := string(placed())
	avif := strings.NewReplacer("ftypheic", "ftypavif", "hvc1", "av01").Replace(string(located()))
	_, mvhd, rest := opened("isom")
	series := boxOf("moov", mvhd, boxOf("udta", secret), strings.Replace(rest, "vide", "pict", 1))
	worded := func(kind string) string { // instead of the size of a still, a box of as many bytes
		s := string(still("avif"))
		at := strings.Index(s, "ispe")
		return s[:at] + kind + secret[:12] + s[at+16:]
	}
	for name, file := range map[string]string{
		"motion photo":       string(located()) + boxOf("mpvd", film),
		"motion photo, avif": string(still("avif")) + boxOf("mpvd", film),
		"exif, avif":         avif,
		"a phone's own box":  string(located()) + boxOf("sefd", secret),
		"free":               string(still("heic")) + boxOf("free", secret),
		"a series":           string(still("avif")) + series,
		"words":              worded("udes") + boxOf("uuid", secret),
		"dates":              worded("crtt") + boxOf("uuid", secret),
		"words for an item":  avif + boxOf("meta", u32(0), boxOf("xml ", secret), boxOf("hdlr", u32(0, 0), "pict", u32(0, 0, 0), secret)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := bareOf(t, setup(t, nil), []byte(file))
			if bytes.Contains(got, []byte(secret[:12])) || len(got) != len(file) {
				t.Errorf("%d bytes of %d: %q", len(got), len(file), got)
			}
			if strings.HasPrefix(file, string(located())) && !bytes.Contains(got, []byte("pixels")) {
				t.Error("the picture is lost")
			}
		})
	}
	k := setup(t, nil)
	f := put(t, k, []byte(string(still("avif"))+boxOf("moov", mvhd, strings.Replace(rest, "vide", "pict", 1), dataTrack("meta", "gpmd"))))
	if out, err := k.WithoutMetadata(t.Context(), f); KindOf(err) != Broken || out.Path != "" {
		t.Errorf("a series with a track of data: %+v, %v", out, err)
	}
	// An item that lies where boxes are would take these away.
	far := bytes.Replace(located(), []byte(u32(4)+u32(uint32(bytes.Index(located(), []byte("mdat"))+8))), []byte(u32(4, 0)), 1)
	far = bytes.Replace(far, []byte("\x00\x02\x00\x00\x00\x00\x00\x02"+u32(uint32(bytes.Index(located(), []byte("mdat"))+4))), []byte("\x00\x02\x00\x00\x00\x00\x00\x02"+u32(8)), 1)
	if out, err := k.WithoutMetadata(t.Context(), put(t, k, far)); KindOf(err) != Broken {
		t.Errorf("an item outside the data: %+v, %v", out, err)
	}
	if _, err := inspect(append(located(), secret...)); KindOf(err) != Broken {
		t.Errorf("what lies behind the end: %v", err)
	}
}

// TestFilmsPutTogetherAnew: what has time codes and subtitles loses them, and
// its pictures and sound are the same.
func TestFilmsPutTogetherAnew(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	dir := t.TempDir()
	words := dir + "/words.srt"
	if err := os.WriteFile(words, []byte("1\n00:00:00,000 --> 00:00:00,400\n"+secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	films := []string{dir + "/a.mov", dir + "/b.mp4", dir + "/c.mkv"}
	args := []string{"-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=0.5", "-f", "lavfi", "-i", "sine=440:d=0.5", "-i", words}
	for i, film := range films {
		args = append(args, "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-preset", "ultrafast", "-c:a", "aac", "-c:s", []string{"mov_text", "mov_text", "srt"}[i],
			"-metadata", "title="+secret, "-metadata", "creation_time=2026-11-21T12:00:00Z", "-metadata:s:v", "title="+secret)
		if i == 0 {
			args = append(args, "-timecode", "10:20:30:00")
		}
		args = append(args, film)
	}
	if out, err := exec.CommandContext(t.Context(), k.tool.Path, args...).CombinedOutput(); err != nil {
		t.Skipf("this ffmpeg makes no film for the test: %s", out)
	}
	for _, film := range films {
		b, err := os.ReadFile(film)
		if err != nil {
			t.Fatal(err)
		}
		f := put(t, k, b)
		out, err := k.WithoutMetadata(t.Context(), f)
		if err != nil {
			t.Error(err)
			continue
		}
		if !bytes.Contains(b, []byte(secret)) || bytes.Contains(contents(t, out), []byte(secret)) || out.Type != f.Type || out.Frames != f.Frames {
			t.Errorf("%s became %s, or says %q", f.Info, out.Info, secret)
		}
		if out.Type != Matroska {
			kinds := slices.DeleteFunc(tracks(t, out), func(kind string) bool { return kind == "url " || kind == "alis" })
			if !slices.Equal(kinds, []string{"vide", "soun"}) {
				t.Errorf("%s has %q", out.Info, kinds)
			}
		}
		if again, err := k.WithoutMetadata(t.Context(), out); err != nil || again != out {
			t.Errorf("%s: there is more to take out: %v", out.Info, err)
		}
		sameSamples(t, k, f.Path, out.Path)
	}
	if left := names(t, k.opt.Dir); len(left) != 2*len(films) {
		t.Errorf("beside sources and results: %q", left)
	}
}

// sameSamples compares the packets of pictures and sound of pairs of files.
func sameSamples(t *testing.T, k *Kit, pairs ...string) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-v", "error", "-y"}
	for _, file := range pairs {
		args = append(args, "-i", file)
	}
	for i := range pairs {
		n := strconv.Itoa(i)
		args = append(args, "-map", n+":v?", "-map", n+":a?", "-c", "copy", "-f", "streamhash", dir+"/"+n)
	}
	if out, err := exec.CommandContext(t.Context(), k.tool.Path, args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for i := 0; i < len(pairs); i += 2 {
		before, err := os.ReadFile(dir + "/" + strconv.Itoa(i))
		if err != nil {
			t.Fatal(err)
		}
		after, err := os.ReadFile(dir + "/" + strconv.Itoa(i+1))
		if err != nil || len(before) == 0 || !bytes.Equal(before, after) {
			t.Errorf("%s: the samples differ: %s, %s, %v", pairs[i], before, after, err)
		}
	}
}
