package media

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strconv"
	"time"
)

// Bounds of a film or sound that is made to fit.
const (
	soundRate   = 128_000 // bits a second of a film's sound
	poorSound   = 64_000  // where there is little room
	leastRate   = 60_000  // bits a second of pictures under which nobody can see anything
	leastBits   = 0.05    // bits a pixel of a frame under which a smaller film looks better
	leastSide   = 160     // pixels of the longer side of a film
	unknownRate = 30      // frames a second of a film that does not tell
)

// Fit returns f itself if it keeps to the limits, and otherwise a new file that
// does: a still picture scaled and encoded anew (JPEG, or PNG and WebP where it
// may be transparent or was drawn), a smaller GIF or an MP4 of one that moves, a
// film as MP4 with its sound, sound as MP3, MP4 or Ogg. What is made has no
// metadata but the profile of its colours, is turned upright, and never shorter
// than f. The caller removes both files; f.Path tells whether they are one.
//
// An *Unfit says that nothing keeps to the limits, or that such a file cannot be
// made anew: a film too long for its bytes, a still picture of more than 40
// megapixels, an animated WebP or AVIF. Other failures are of the kinds FFmpeg…,
// Broken and NoSpace; if ctx ended, its error. Without ffmpeg still JPEG, PNG,
// GIF and WebP of up to about 12 megapixels are made smaller all the same; for
// the rest the kind is FFmpegMissing.
func (k *Kit) Fit(ctx context.Context, f File, l Limits) (File, error) {
	if l.Fits(f.Info) == nil {
		return f, nil
	}
	out, err := k.fit(ctx, f, l)
	if err == nil {
		if err = l.Fits(out.Info); err != nil {
			k.discard(out.Path)
		}
	}
	if err != nil {
		return File{}, fmt.Errorf("make the file fit: %w", err)
	}
	return out, nil
}

func (k *Kit) fit(ctx context.Context, f File, l Limits) (File, error) {
	switch {
	case f.Type.Image() && !f.Animated:
		return k.fitStill(ctx, f, l)
	case f.Type.Image():
		return k.fitAnimation(ctx, f, l)
	case f.Type.Video():
		return k.fitFilm(ctx, f, l)
	case f.Type.Audio():
		return k.fitSound(ctx, f, l)
	}
	return File{}, &Unfit{Limit: "type", Type: f.Type}
}

// fitAnimation makes a smaller GIF, or else a film.
func (k *Kit) fitAnimation(ctx context.Context, f File, l Limits) (File, error) {
	if err := convertible(f.Info); err != nil {
		return File{}, err
	}
	tool, lacks := k.ffmpeg(ctx)
	if ctx.Err() != nil {
		return File{}, ctx.Err()
	}
	var err error = &Unfit{Limit: "type", Type: f.Type}
	missing := false
	if l.takes(GIF) {
		if missing = !tool.Palette; !missing {
			var out File
			if out, err = k.smallerGIF(ctx, f, l.pixels(GIF), l.ImageBytes, true); err == nil || ctx.Err() != nil || KindOf(err) == NoSpace {
				return out, err
			}
		}
	}
	if l.takes(MP4) {
		if tool.H264 {
			return k.silentMP4(ctx, f, l, true)
		}
		missing = true
	}
	if missing {
		return File{}, lacks
	}
	return File{}, err
}

// fitFilm makes an MP4 with its sound.
func (k *Kit) fitFilm(ctx context.Context, f File, l Limits) (File, error) {
	if !l.takes(MP4) || f.Width == 0 {
		return File{}, &Unfit{Limit: "type", Type: f.Type}
	}
	tool, err := k.ffmpeg(ctx)
	if err != nil && !tool.H264 {
		return File{}, err
	}
	pixels, bytes := least(l.VideoPixels, maxVideoPixels), least(l.VideoBytes, k.opt.MaxDownload)
	fps := f.Rate
	if fps == 0 {
		fps = unknownRate
	}
	slower := l.VideoRate > 0 && (f.Rate == 0 || f.Rate > float64(l.VideoRate))
	if slower {
		fps = min(fps, float64(l.VideoRate), 60)
	}
	scale := math.Min(1, maxVideoSide/float64(max(f.Width, f.Height)))
	sound, rate := soundRate, 0.0
	if f.Duration > 0 { // what the bytes allow is known
		all := float64(bytes) * 8 * 0.94 / f.Duration.Seconds()
		if all < 8*soundRate {
			sound = poorSound
		}
		rate = all - float64(sound)
		w, h := sides(f.Width, f.Height, scale, pixels, 2)
		if have := rate / (float64(w) * float64(h) * fps); have < leastBits && rate > 0 {
			scale = float64(w) / float64(f.Width) * math.Sqrt(have/leastBits)
		}
		if rate < leastRate || max(float64(w), float64(h)) > leastSide && scale*float64(max(f.Width, f.Height)) < leastSide {
			return File{}, &Unfit{Limit: "bytes", Type: f.Type, Have: f.Size, Most: bytes}
		}
	}
	out, err := k.make(ctx, tool, f, recipe{kind: MP4, step: 2, pixels: pixels, bytes: bytes, scale: scale, sound: true, whole: true, args: func(w, h, attempt int) []string {
		filter := fmt.Sprintf("scale=%d:%d:flags=bicubic,setsar=1,format=yuv420p", w, h)
		if slower {
			filter = "fps=" + strconv.FormatFloat(fps, 'f', -1, 64) + "," + filter
		}
		args := []string{"-vf", filter, "-map", "0:v:0", "-map", "0:a:0?", "-c:v", "libx264", "-preset", "veryfast", "-crf", strconv.Itoa(22 + 3*attempt), "-threads", "1"}
		if rate > 0 {
			most := strconv.Itoa(int(min(rate*(1-0.15*float64(attempt)), 100e6)))
			args = append(args, "-maxrate", most, "-bufsize", most)
		}
		return append(args, "-c:a", "aac", "-b:a", strconv.Itoa(sound), "-ac", "2", "-movflags", "+faststart", "-f", "mp4")
	}})
	if err != nil {
		return File{}, err
	}
	// A film that is cut off in its middle is not the member's film.
	if lost := f.Duration - out.Duration; out.Duration > 0 && lost > 2*time.Second+f.Duration/20 {
		k.discard(out.Path)
		return File{}, failure(FFmpegResult, "ffmpeg reported success but made %s of a film of %s: it may be damaged",
			out.Duration.Round(time.Second), f.Duration.Round(time.Second))
	}
	return out, nil
}

// soundFormat is the reader that ffmpeg is told to use for sound.
func soundFormat(t Type) string {
	switch t {
	case MP3:
		return "mp3"
	case Ogg:
		return "ogg"
	case MP4Audio:
		return "mov"
	case FLAC:
		return "flac"
	case WAV:
		return "wav"
	case WebMAudio, MatroskaAudio:
		return "matroska"
	}
	return ""
}

// fitSound tries from good to poor until the bytes are few enough. Headers do
// not tell how long sound is, and encoding it is quick.
func (k *Kit) fitSound(ctx context.Context, f File, l Limits) (File, error) {
	tool, err := k.ffmpeg(ctx)
	if tool.Path == "" {
		return File{}, err
	}
	var kind Type
	var to []string
	switch {
	case l.takes(MP3) && tool.MP3:
		kind, to = MP3, []string{"-c:a", "libmp3lame", "-id3v2_version", "0", "-f", "mp3"}
	case l.takes(MP4Audio):
		kind, to = MP4Audio, []string{"-c:a", "aac", "-movflags", "+faststart", "-f", "ipod"}
	case l.takes(Ogg) && tool.Opus:
		kind, to = Ogg, []string{"-c:a", "libopus", "-f", "ogg"}
	case l.takes(MP3), l.takes(Ogg):
		return File{}, failure(FFmpegMissing, "ffmpeg (%s) cannot make the sound that the server takes: install one that has libmp3lame and libopus", tool.Path)
	default:
		return File{}, &Unfit{Limit: "type", Type: f.Type}
	}
	most := least(l.VideoBytes, k.opt.MaxDownload)
	big := f.Size
	for _, rate := range []int{192, 128, 96, 64} {
		args := slices.Concat([]string{"-map", "0:a:0", "-b:a", strconv.Itoa(rate) + "k", "-ac", "2"}, to)
		out, err := k.convert(ctx, tool, conversion{kind: kind, most: most, file: most + most/4 + 1<<20,
			input: []string{"-f", soundFormat(f.Type), "-i", "file:" + f.Path}, args: append(args, "-vn", "-fs", strconv.FormatInt(most+1, 10))})
		if err != nil {
			return File{}, err
		}
		if out.Size <= most {
			return out, nil
		}
		big = out.Size
		k.discard(out.Path)
	}
	return File{}, &Unfit{Limit: "bytes", Type: kind, Have: max(big, f.Size), Most: most}
}

// conversion is one run of ffmpeg whose result is looked at.
type conversion struct {
	kind        Type
	most        int64 // bytes that are wanted
	file        int64 // bytes that it may write
	input, args []string
}

// convert runs ffmpeg once; the result is of the right type, and there.
func (k *Kit) convert(ctx context.Context, tool Tool, c conversion) (File, error) {
	out, err := k.temp(c.kind.Ext())
	if err != nil {
		return File{}, err
	}
	path := out.Name()
	if err = out.Close(); err != nil {
		err = writing(err)
	}
	if err == nil {
		args := []string{"-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-filter_threads", "1", "-filter_complex_threads", "1",
			"-protocol_whitelist", "file,pipe", "-threads", "1"}
		args = slices.Concat(args, c.input, c.args, []string{"-threads", "1", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1",
			"-fflags", "+bitexact", "file:" + path})
		err = k.run(ctx, k.opt.EncodeTimeout, tool.Path, c.file, nil, args...)
	}
	var info Info
	if err == nil {
		info, err = result(path)
	}
	if err == nil && info.Type != c.kind {
		err = failure(FFmpegResult, "ffmpeg reported success but made %s instead of %s", info, c.kind)
	}
	if err != nil {
		k.discard(path)
		return File{}, err
	}
	return File{Path: path, Info: info, kit: k}, nil
}
