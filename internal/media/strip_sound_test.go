package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// id3 is a tag of version 2.3 with as many zeros behind it.
func id3(padding int) string {
	frame := "TPE1" + u32(uint32(len(secret)+1)) + "\x00\x00\x00" + secret
	return "ID3\x03\x00\x00\x00\x00" + string([]byte{0, byte(len(frame))}) + frame + strings.Repeat("\x00", padding)
}

func le32(n uint32) string { return string(binary.LittleEndian.AppendUint32(nil, n)) }

// ape is a tag with its header.
func ape() string {
	end := func(flags uint32) string {
		return "APETAGEX" + le32(2000) + le32(uint32(len(secret)+32)) + le32(1) + le32(flags) + strings.Repeat("\x00", 8)
	}
	return end(1<<31|1<<29) + secret + end(1<<31)
}

// flacBlock is a metadata block; last marks the last one.
func flacBlock(kind byte, data string) string {
	n := len(data)
	return string([]byte{kind, byte(n >> 16), byte(n >> 8), byte(n)}) + data
}

const lastBlock = 0x80

// comments are those of Vorbis: an encoder, and a place.
func comments(end string) string {
	return le32(4) + "Lavf" + le32(1) + le32(uint32(len("LOCATION="+secret))) + "LOCATION=" + secret + end
}

// oggPages are the packets of a stream, the first on a page of its own and the
// rest on pages of at most so many bytes.
func oggPages(serial uint32, most int, packets ...string) string {
	var out strings.Builder
	table, n := oggTable(), uint32(0)
	page := func(flags byte, lengths, data string) {
		b := []byte("OggS\x00" + string([]byte{flags}) + strings.Repeat("\x00", 8) + le32(serial) + le32(n) + le32(0) + string([]byte{byte(len(lengths))}) + lengths + data)
		sum := uint32(0)
		for _, c := range b {
			sum = sum<<8 ^ table[byte(sum>>24)^c]
		}
		binary.LittleEndian.PutUint32(b[22:], sum)
		out.Write(b)
		n++
	}
	page(2, string([]byte{byte(len(packets[0]))}), packets[0])
	lengths, data, flags := "", "", byte(0)
	for _, p := range packets[1:] {
		for done := false; !done; {
			step := min(len(p), 255)
			lengths, data, p, done = lengths+string([]byte{byte(step)}), data+p[:step], p[step:], step < 255
			if len(data) >= most {
				page(flags, lengths, data)
				lengths, data, flags = "", "", byte(0)
				if !done {
					flags = 1
				}
			}
		}
	}
	if lengths != "" {
		page(flags, lengths, data)
	}
	return out.String()
}

// oggSound is a file of one stream of Vorbis.
func oggSound() string {
	return oggPages(7, 300, "\x01vorbis"+strings.Repeat("\x02", 23), "\x03vorbis"+comments("\x01"), "\x05vorbis tables", "sound 1", strings.Repeat("s", 600), "sound 3")
}

func TestWordsInSound(t *testing.T) {
	t.Parallel()
	music := string(mp3())
	v1 := "TAG" + secret + strings.Repeat("\x00", 125-len(secret))
	lyrics := "LYRICSBEGIN" + secret
	info, sound := strings.Repeat("i", 34), "\xff\xf8 the sound"
	tones := string(wav(1))
	odd := "LIST" + le32(uint32(len(secret)+1)) + secret + "x\x00"
	opus := oggPages(1, 1000, "OpusHead\x01\x02", "OpusTags"+comments(""), "sound")
	for name, c := range map[string]struct{ file, want string }{
		"mp3":                 {id3(0) + music, music},
		"mp3, padded":         {id3(300) + music, music},
		"mp3, old tag":        {music + v1, music},
		"mp3, all tags":       {id3(9) + music + ape() + lyrics + "LYRICSEND" + "TAG+" + secret + strings.Repeat(" ", 223-len(secret)) + v1, music},
		"mp3, lyrics":         {music + lyrics + "000027" + "LYRICS200" + v1, music},
		"mp3, tag at its end": {music + strings.Replace(id3(0), "ID3\x03\x00\x00", "ID3\x04\x00\x10", 1) + strings.Replace(id3(0)[:10], "ID3\x03\x00\x00", "3DI\x04\x00\x10", 1), music},
		"flac": {"fLaC" + flacBlock(0, info) + flacBlock(4, comments("")) + flacBlock(1, "\x00\x00") + flacBlock(3, "seek") + flacBlock(2, secret) + flacBlock(lastBlock|6, secret) + sound + v1,
			"fLaC" + flacBlock(0, info) + flacBlock(1, "\x00\x00") + flacBlock(lastBlock|3, "seek") + sound},
		"flac, nothing else": {"fLaC" + flacBlock(0, info) + flacBlock(lastBlock|4, comments("")) + sound, "fLaC" + flacBlock(lastBlock, info) + sound},
		"wav, in front":      {tones[:12] + chunk("bext", secret) + odd + tones[12:], tones},
		"wav, behind":        {tones + chunk("LIST", "INFO"+secret) + chunk("iXML", secret) + secret[:7], tones},
		"ogg":                {oggSound(), strings.Replace(oggSound(), comments("\x01"), blankComments("\x01"), 1)},
		"ogg, junk":          {oggSound() + v1, strings.Replace(oggSound(), comments("\x01"), blankComments("\x01"), 1)},
		"opus":               {opus, strings.Replace(opus, comments(""), blankComments(""), 1)},
		"theora":             {oggPages(1, 1000, "\x80theora\x03\x02", "\x81theora"+comments(""), "tables"), ""},
		"speex":              {oggPages(1, 1000, "Speex   1.2", comments(""), "sound"), ""},
		"flac in ogg":        {oggPages(1, 100, "\x7fFLAC\x01\x00\x00\x02fLaC", flacBlock(4, comments("")), flacBlock(lastBlock|6, secret+strings.Repeat(secret, 40)), sound, "\x04"+secret[:5]), ""},
		"long comments":      {oggPages(1, 500, "OpusHead\x01\x02", "OpusTags"+le32(0)+le32(1)+le32(uint32(8000*len(secret)))+strings.Repeat(secret, 8000), "sound"), ""},
		"two streams":        {oggPages(1, 1000, "\x80theora\x03\x02") + oggPages(2, 1000, "OpusHead\x01\x02", "OpusTags"+comments(""), "sound") + oggSound(), ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := string(bareOf(t, setup(t, nil), []byte(c.file)))
			if strings.HasPrefix(got, "OggS") {
				pages, wrong := unsummed(t, got)
				if wrong > 0 {
					t.Errorf("%d pages have a wrong checksum", wrong)
				}
				got = pages
				c.want, _ = unsummed(t, c.want)
			}
			if c.want != "" && got != c.want {
				t.Errorf("%q, want %q", got[:min(300, len(got))], c.want[:min(300, len(c.want))])
			}
		})
	}
	k := setup(t, nil)
	streamed := strings.Replace(tones, tones[4:8], "\xff\xff\xff\xff", 1)
	streamed = strings.Replace(streamed, "data"+tones[40:44], "data\xff\xff\xff\xff", 1)
	for name, file := range map[string]string{"wav": tones, "wav, as a stream": streamed, "flac": "fLaC" + flacBlock(0, info) + flacBlock(lastBlock|1, "\x00") + sound, "ogg": strings.Replace(oggSound(), "\x03vorbis", "\x04vorbis", 1)} {
		f := put(t, k, []byte(file))
		if out, err := k.WithoutMetadata(t.Context(), f); err != nil || out != f {
			t.Errorf("%s: %+v, %v", name, out, err)
		}
	}
	if got := bareOf(t, k, []byte(streamed[:12]+chunk("bext", secret)+streamed[12:])); !bytes.HasSuffix(got, []byte(streamed[12:])) {
		t.Error("the sound of a stream is lost")
	}
}

// blankComments is as long as comments, and says nothing.
func blankComments(end string) string {
	n := len(comments(end)) - 8 - len(end)
	return le32(uint32(n)) + strings.Repeat("\x00", n+4) + end
}

// unsummed is an Ogg file without the checksums of its pages; wrong counts those
// that were not right.
func unsummed(t *testing.T, file string) (pages string, wrong int) {
	t.Helper()
	b, table := []byte(file), oggTable()
	for off := 0; off < len(b); {
		if string(b[off:off+4]) != "OggS" {
			t.Fatalf("no page at %d", off)
		}
		end := off + 27 + int(b[off+26])
		for _, n := range b[off+27 : end] {
			end += int(n)
		}
		had, sum := binary.LittleEndian.Uint32(b[off+22:]), uint32(0)
		clear(b[off+22 : off+26])
		for _, c := range b[off:end] {
			sum = sum<<8 ^ table[byte(sum>>24)^c]
		}
		if sum != had {
			wrong++
		}
		off = end
	}
	return string(b), wrong
}

func TestSoundThatIsBroken(t *testing.T) {
	t.Parallel()
	music := string(mp3())
	info := flacBlock(0, "info")
	for name, c := range map[string]struct {
		t    Type
		file string
	}{
		"mp3, nothing behind its tag": {MP3, id3(9)},
		"mp3, nothing in front":       {MP3, id3(9) + music[:4] + strings.Replace(ape(), le32(uint32(len(secret)+32)), le32(1<<20), 2)},
		"mp3, one frame and junk":     {MP3, id3(9) + music[:417] + strings.Repeat("junk", 20)},
		"mp3, lyrics without length":  {MP3, music + "LYRICSBEGINxxxxxxLYRICS200"},
		"flac cut off":                {FLAC, "fLaC" + info[:7]},
		"flac without its first":      {FLAC, "fLaC" + flacBlock(lastBlock|4, "x")},
		"flac, twice the first":       {FLAC, "fLaC" + info + info},
		"ogg, cut off in comments":    {Ogg, oggPages(1, 100, "OpusHead", "OpusTags"+strings.Repeat("x", 600))[:300]},
		"ogg, no comments":            {Ogg, oggPages(1, 100, "OpusHead", "OpusTags\x01", "sound")},
		"wav cut off":                 {WAV, "RIFFxxxxWAV"},
	} {
		s := newSource(strings.NewReader(c.file), int64(len(c.file)))
		if cut, err := (cleaning{}).splice(s, c.t); !isFault(err) && !errors.Is(err, errCut) {
			t.Errorf("%s: %+v, %v", name, cut, err)
		}
	}
}

func TestWordsInMatroska(t *testing.T) {
	t.Parallel()
	segment := func(parts ...string) string {
		return elementOf("\x1a\x45\xdf\xa3", elementOf("\x42\x82", "webm")) + elementOf("\x18\x53\x80\x67", parts...)
	}
	sum := elementOf("\xbf", "abcd")
	info := elementOf("\x15\x49\xa9\x66", sum, elementOf("\x2a\xd7\xb1", "\x0f\x42\x40"), elementOf("\x7b\xa9", secret), elementOf("\x44\x61", secret[:8]), elementOf("\x4d\x80", secret), elementOf("\x57\x41", secret))
	tracks := elementOf("\x16\x54\xae\x6b", sum, elementOf("\xae", elementOf("\x83", "\x01"), elementOf("\x53\x6e", secret), elementOf("\xe0", elementOf("\xb0", "\x01\x40"), elementOf("\xba", "\xf0"))))
	cluster := elementOf("\x1f\x43\xb6\x75", elementOf("\xe7", "\x00"), elementOf("\xa3", "frames"))
	tags := elementOf("\x12\x54\xc3\x67", secret)
	files := elementOf("\x19\x41\xa4\x69", secret+strings.Repeat("file", 100))
	chapters := elementOf("\x10\x43\xa7\x70", secret)
	void := elementOf("\xec", secret)
	endless := func(id string) string { return id + "\x01\xff\xff\xff\xff\xff\xff\xff" }
	stream := elementOf("\x1a\x45\xdf\xa3", elementOf("\x42\x82", "matroska")) + endless("\x18\x53\x80\x67") + info + tracks +
		endless("\x1f\x43\xb6\x75") + elementOf("\xe7", "\x00") + elementOf("\xa3", "frames") + elementOf("\xa0", "block")
	for name, file := range map[string]string{
		"tags behind all":      segment(tracks, cluster) + tags,
		"tags":                 segment(info, tracks, tags, cluster, files, chapters, void),
		"a stream":             stream + tags + endless("\x1f\x43\xb6\x75") + elementOf("\xa3", "frames") + endless("\xec") + secret,
		"tags without an end":  stream + endless("\x12\x54\xc3\x67") + secret,
		"tags cut off":         segment(tracks, cluster) + tags[:len(tags)-1],
		"a stream, cut off":    stream + tags + "\xa3\x10",
		"junk behind all":      segment(info, tracks, cluster) + "\x00\x00" + secret,
		"one byte behind all":  segment(info, tracks, cluster) + "\x01",
		"an element of others": segment(tracks, elementOf("\x40\x99", secret), cluster),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := bareOf(t, setup(t, nil), []byte(file))
			if bytes.Contains(got, []byte(secret[:8])) || bytes.Count(got, []byte("frames")) != strings.Count(file, "frames") || len(got) != len(file) {
				t.Errorf("%d bytes of %d: %q", len(got), len(file), got)
			}
			if strings.Contains(file, info) && bytes.Contains(got, []byte("abcd")) {
				t.Error("a checksum stays that is no longer right")
			}
		})
	}
	k := setup(t, nil)
	plain := put(t, k, []byte(segment(elementOf("\x15\x49\xa9\x66", sum, elementOf("\x2a\xd7\xb1", "\x0f\x42\x40")), elementOf("\x16\x54\xae\x6b", sum, elementOf("\xae", elementOf("\x83", "\x02"))), cluster)))
	if out, err := k.WithoutMetadata(t.Context(), plain); err != nil || out != plain {
		t.Errorf("%+v, %v", out, err)
	}
}

// TestSamplesStay: what encoders make has nothing personal left, and the same
// pictures and sound.
func TestSamplesStay(t *testing.T) {
	t.Parallel()
	k := realKit(t)
	dir := t.TempDir()
	args := []string{"-v", "error", "-y", "-f", "lavfi", "-i", "sine=440:d=0.3", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=0.3"}
	said := []string{"-metadata", "title=" + secret, "-metadata", "location=" + secret, "-metadata", "comment=" + strings.Repeat(secret, 500), "-metadata", "creation_time=2026-11-21T12:00:00Z"}
	files := map[string][]string{
		"a.mp3": {"-map", "0", "-write_id3v1", "1"}, "a.flac": {"-map", "0"}, "a.wav": {"-map", "0"}, "b.ogg": {"-map", "0", "-c:a", "flac"}, "a.mka": {"-map", "0", "-c:a", "flac"},
		"a.m4a": {"-map", "0"}, "a.mkv": {"-c:v", "libx264", "-c:a", "aac"}, "a.mp4": {"-c:v", "libx264", "-c:a", "aac"}, "b.mp4": {"-c:v", "libx264", "-c:a", "aac", "-movflags", "frag_keyframe+empty_moov"}, "a.mov": {"-c:v", "libx264", "-c:a", "pcm_s16le"},
	}
	if k.tool.Opus {
		files["a.ogg"] = []string{"-map", "0", "-c:a", "libopus"}
		files["a.webm"] = []string{"-map", "0", "-c:a", "libopus"}
	}
	if !k.tool.MP3 {
		delete(files, "a.mp3")
	}
	for name, how := range files {
		args = append(args, how...)
		args = append(args, said...)
		args = append(args, dir+"/"+name)
	}
	if out, err := exec.CommandContext(t.Context(), k.tool.Path, args...).CombinedOutput(); err != nil {
		t.Skipf("this ffmpeg makes no files for the test: %s", out)
	}
	var pairs []string
	for name := range files {
		b, err := os.ReadFile(dir + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		f := put(t, k, b)
		out, err := k.WithoutMetadata(t.Context(), f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := contents(t, out); !bytes.Contains(b, []byte(secret)) || bytes.Contains(got, []byte(secret)) || bytes.Contains(got, []byte("2026")) || out.Type != f.Type {
			t.Errorf("%s: %s became %s, or says %q", name, f.Info, out.Info, secret)
		}
		pairs = append(pairs, f.Path, out.Path)
	}
	sameSamples(t, k, pairs...)
}
