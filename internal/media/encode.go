package media

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
)

// Bounds of what is made, whatever the limits say.
const (
	maxSourcePixels = 4096 * 4096 // of what ffmpeg is given: 64 MiB a frame
	maxVideoPixels  = 3840 * 2160 // where the instance tells no limit
	maxVideoSide    = 4096
	maxSeconds      = 60 // what comes after is cut off
	maxFrames       = 50 * maxSeconds
	minSide         = 32 // nothing smaller is made to save bytes
	attempts        = 3  // each smaller than the one before
)

// inputFormat is the reader that ffmpeg is told to use, so that no file can
// choose one; "" for what is not converted.
func inputFormat(i Info) string {
	switch i.Type {
	case GIF:
		return "gif"
	case PNG:
		return "apng"
	case MP4, QuickTime:
		return "mov"
	case WebM, Matroska:
		return "matroska"
	}
	return ""
}

// convertible returns nil or an *Unfit.
func convertible(i Info) error {
	if inputFormat(i) == "" || !i.Animated {
		return &Unfit{Limit: "type", Type: i.Type}
	}
	if i.Pixels() > maxSourcePixels {
		return &Unfit{Limit: "pixels", Type: i.Type, Have: i.Pixels(), Most: maxSourcePixels}
	}
	return nil
}

// MP4 makes a film without sound of an animation or a film, H.264 with even
// sides and 4:2:0 colours, that keeps to the video limits; what is transparent
// becomes white, what comes after a minute is cut off. The caller removes both
// files.
//
// An *Unfit says that the file cannot be converted, or that no result keeps to
// the limits. Other failures are of the kinds FFmpeg… and NoSpace; if ctx
// ended, its error.
func (k *Kit) MP4(ctx context.Context, f File, l Limits) (File, error) {
	return k.silentMP4(ctx, f, l, false)
}

// silentMP4 is MP4; whole says that nothing may be cut off.
func (k *Kit) silentMP4(ctx context.Context, f File, l Limits, whole bool) (File, error) {
	tool, err := k.ffmpeg(ctx)
	if err != nil && !tool.H264 {
		return File{}, fmt.Errorf("make an MP4: %w", err)
	}
	if !l.takes(MP4) {
		return File{}, fmt.Errorf("make an MP4: %w", &Unfit{Limit: "type", Type: MP4})
	}
	pixels, bytes := least(l.VideoPixels, maxVideoPixels), least(l.VideoBytes, k.opt.MaxDownload)
	scale := math.Min(1, maxVideoSide/float64(max(f.Width, f.Height, 1)))
	out, err := k.make(ctx, tool, f, recipe{kind: MP4, step: 2, pixels: pixels, bytes: bytes, scale: scale, whole: whole, args: func(w, h, attempt int) []string {
		filter := fmt.Sprintf("scale=%d:%d:flags=lanczos", w, h)
		var colours []string
		if f.Type.Image() {
			// A white copy of each frame is put under it; colours are said to
			// be those that players expect.
			filter = "format=rgba,split[a][b];[a]lutrgb=r=255:g=255:b=255:a=255[w];[w][b]overlay=format=rgb," +
				filter + ":out_color_matrix=bt709:out_range=tv"
			colours = []string{"-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"}
		}
		if filter += ",setsar=1,format=yuv420p"; l.VideoRate > 0 && (l.VideoRate <= 100 || f.Rate > float64(l.VideoRate)) {
			// A server may take the unit of time, a hundredth for a GIF, for the rate.
			filter = fmt.Sprintf("fps=%d,", min(l.VideoRate, 50)) + filter
		}
		args := append([]string{"-vf", filter, "-map", "0:v:0"}, colours...)
		return append(args, "-c:v", "libx264", "-preset", "veryfast", "-crf", strconv.Itoa(22+3*attempt), "-threads", "1",
			"-movflags", "+faststart", "-f", "mp4")
	}})
	if err != nil {
		return File{}, fmt.Errorf("make an MP4: %w", err)
	}
	return out, nil
}

// ScaleGIF makes a smaller GIF of an animation, of at most maxPixels (width
// times height) and maxBytes; 0 means no limit. What comes after a minute is
// cut off. The caller removes both files. Failures are those of MP4.
func (k *Kit) ScaleGIF(ctx context.Context, f File, maxPixels, maxBytes int64) (File, error) {
	return k.smallerGIF(ctx, f, maxPixels, maxBytes, false)
}

// smallerGIF is ScaleGIF; whole says that nothing may be cut off.
func (k *Kit) smallerGIF(ctx context.Context, f File, maxPixels, maxBytes int64, whole bool) (File, error) {
	tool, err := k.ffmpeg(ctx)
	if err != nil && !tool.Palette {
		return File{}, fmt.Errorf("scale a GIF: %w", err)
	}
	bytes := least(maxBytes, k.opt.MaxDownload)
	scale := 1.0
	if f.Type == GIF && f.Size > bytes {
		scale = math.Sqrt(0.9 * float64(bytes) / float64(f.Size)) // bytes go with the pixels, roughly
	}
	out, err := k.make(ctx, tool, f, recipe{kind: GIF, step: 1, pixels: maxPixels, bytes: bytes, scale: scale, twice: true, whole: whole, args: func(w, h, _ int) []string {
		// The file is read twice, once for its colours: with one reading ffmpeg
		// would hold every frame until the last.
		size := fmt.Sprintf("scale=%d:%d:flags=lanczos", w, h)
		return []string{"-filter_complex", "[0:v:0]" + size + ",palettegen[p];[1:v:0]" + size + "[b];[b][p]paletteuse=dither=bayer:bayer_scale=5:diff_mode=rectangle", "-f", "gif"}
	}})
	if err != nil {
		return File{}, fmt.Errorf("scale a GIF: %w", err)
	}
	return out, nil
}

// recipe says what is to be made.
type recipe struct {
	kind          Type
	step          int   // sides are multiples of it
	pixels, bytes int64 // pixels of 0: no limit
	scale         float64
	twice         bool                             // the input is given twice
	sound         bool                             // the output has sound if the input has
	whole         bool                             // nothing is cut off, however long it takes
	args          func(w, h, attempt int) []string // of the output
}

// make tries until the result has few enough bytes.
func (k *Kit) make(ctx context.Context, tool Tool, f File, r recipe) (File, error) {
	if err := convertible(f.Info); err != nil {
		return File{}, err
	}
	var big Info
	for attempt := range attempts {
		w, h := sides(f.Width, f.Height, r.scale, r.pixels, r.step)
		if attempt > 0 && max(w, h) < minSide {
			break
		}
		out, err := k.encode(ctx, tool, f, r, w, h, attempt)
		if err != nil {
			return File{}, err
		}
		if out.Size <= r.bytes {
			k.log.Debug("converted", "from", f.Info.String(), "to", out.Info.String(), "attempt", attempt+1)
			return out, nil
		}
		k.discard(out.Path)
		big = out.Info
		size := float64(out.Size)
		if f.Frames > 0 && out.Frames > 0 && out.Frames < f.Frames { // ended at its limit
			frames := f.Frames
			if !r.whole {
				frames = min(frames, maxFrames)
			}
			size *= float64(frames) / float64(out.Frames)
		}
		r.scale *= min(max(math.Sqrt(float64(r.bytes)/size)*0.9, 0.2), 0.8)
	}
	return File{}, &Unfit{Limit: "bytes", Type: r.kind, Have: big.Size, Most: r.bytes}
}

// sides scales a size down, never up but to the next step.
func sides(w, h int, scale float64, pixels int64, step int) (int, int) {
	if total := float64(w) * float64(h); pixels > 0 && total*scale*scale > float64(pixels) {
		scale = math.Sqrt(float64(pixels) / total)
	}
	down := func(n int) int { return max(int(float64(n)*scale+1e-9)/step*step, step) }
	a, b := down(w), down(h)
	for pixels > 0 && int64(a)*int64(b) > pixels && max(a, b) > step { // a side could not go below the step
		if a > b {
			a -= step
		} else {
			b -= step
		}
	}
	return a, b
}

// encode runs ffmpeg once and looks at what came of it.
func (k *Kit) encode(ctx context.Context, tool Tool, f File, r recipe, w, h, attempt int) (File, error) {
	out, err := k.temp(r.kind.Ext())
	if err != nil {
		return File{}, err
	}
	path := out.Name()
	if err := out.Close(); err != nil {
		k.discard(path)
		return File{}, writing(err)
	}
	enough := r.bytes + r.bytes/8 + 64<<10 // what goes on after it is too large anyway
	input := []string{"-protocol_whitelist", "file,pipe", "-max_pixels", strconv.Itoa(maxSourcePixels), "-threads", "1", "-f", inputFormat(f.Info), "-i", "file:" + f.Path}
	args := []string{"-nostdin", "-hide_banner", "-loglevel", "error", "-y", "-filter_threads", "1", "-filter_complex_threads", "1"}
	args = append(args, input...)
	if r.twice {
		args = append(args, input...)
	}
	args = append(args, r.args(w, h, attempt)...)
	if !r.sound {
		args = append(args, "-an")
	}
	if !r.whole {
		args = append(args, "-t", strconv.Itoa(maxSeconds), "-frames:v", strconv.Itoa(maxFrames))
	}
	args = append(args, "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1", "-fs", strconv.FormatInt(enough, 10), "file:"+path)
	err = k.run(ctx, k.opt.EncodeTimeout, tool.Path, enough+enough/4+1<<20, nil, args...)
	if err != nil {
		k.discard(path)
		return File{}, err
	}
	info, err := k.made(path, f.Info, r.kind, w, h)
	if err != nil {
		k.discard(path)
		return File{}, err
	}
	return File{Path: path, Info: info, kit: k}, nil
}

// result looks at what a run made.
func result(path string) (Info, error) {
	st, err := os.Lstat(path)
	switch {
	case err != nil || !st.Mode().IsRegular():
		return Info{}, failure(FFmpegResult, "ffmpeg reported success but made no file")
	case st.Size() == 0:
		return Info{}, failure(FFmpegResult, "ffmpeg reported success but made an empty file")
	}
	info, err := Inspect(path)
	if KindOf(err) != "" {
		return Info{}, &Error{Kind: FFmpegResult, err: err, text: "ffmpeg reported success but what it made cannot be used: " + err.Error()}
	}
	return info, err
}

// made checks that a result is what was asked for.
func (k *Kit) made(path string, from Info, t Type, w, h int) (Info, error) {
	info, err := result(path)
	switch {
	case err != nil:
		return Info{}, err
	case info.Type != t || info.Width != w || info.Height != h:
		return Info{}, failure(FFmpegResult, "ffmpeg reported success but made %s instead of %s, %dx%d", info, t, w, h)
	case from.Frames > 1 && info.Frames < 2:
		return Info{}, failure(FFmpegResult, "ffmpeg reported success but what it made does not move")
	}
	return info, nil
}
