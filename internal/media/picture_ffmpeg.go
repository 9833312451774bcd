package media

import (
	"context"
	"fmt"
	"strconv"
	"strings"
)

// program is the painter that lets ffmpeg do it.
type program struct {
	kit  *Kit
	tool Tool
	f    File
	t    traits
}

// pictureFormat is the reader that ffmpeg is told to use for the first frame;
// "" for what has none.
func pictureFormat(i Info) string {
	switch i.Type {
	case JPEG:
		return "jpeg_pipe"
	case PNG:
		return "png_pipe"
	case WebP:
		if i.Animated {
			return "" // ffmpeg skips its frames
		}
		return "webp_pipe"
	case AVIF, HEIC:
		return "mov"
	case OggVideo:
		return "ogg"
	}
	return inputFormat(i)
}

func (p program) makes(kind Type) bool {
	return kind == JPEG || kind == PNG || kind == WebP && p.tool.WebP
}

func (p program) most() int64 { return 0 }

// vague tells whether the size of what ffmpeg decodes may be another than the
// headers say: turned, or told too late.
func (p program) vague() bool {
	return p.f.Type == AVIF || p.f.Type == HEIC || p.f.Type.Video()
}

func (p program) paint(ctx context.Context, kind Type, quality, w, h int) (File, error) {
	f := p.f
	input := []string{"-max_pixels", strconv.Itoa(maxStillPixels)}
	if !p.vague() {
		input = append(input, "-noautorotate") // versions differ in what they read; see filters
	}
	input = append(input, "-f", pictureFormat(f.Info), "-i", "file:"+f.Path)
	args := []string{"-filter_complex", "[0:v:0]" + strings.Join(p.filters(kind, quality, w, h), ","), "-frames:v", "1", "-flags:v", "+bitexact"}
	switch kind {
	case PNG:
		args = append(args, "-c:v", "png", "-pred", "mixed", "-compression_level", "9")
	case WebP:
		args = append(args, "-c:v", "libwebp", "-quality", strconv.Itoa(quality), "-compression_level", "4")
	default:
		args = append(args, "-c:v", "mjpeg", "-q:v", strconv.Itoa(scaleOf(quality)))
	}
	// A picture of noise may become larger than its pixels.
	room := int64(w)*int64(h)*5 + 1<<20
	out, err := p.kit.convert(ctx, p.tool, conversion{kind: kind, file: room, input: input, args: append(args, "-an", "-f", "image2pipe")})
	if err != nil {
		return File{}, err
	}
	if swaps(p.t.orientation) {
		w, h = h, w
	}
	if wrong := out.Width != w || out.Height != h; wrong && !(p.vague() && max(out.Width, out.Height) <= max(w, h)) {
		p.kit.discard(out.Path)
		return File{}, failure(FFmpegResult, "ffmpeg reported success but made %s instead of %s, %dx%d", out.Info, kind, w, h)
	}
	p.kit.log.Debug("converted", "from", f.Info.String(), "to", out.Info.String(), "quality", quality)
	return out, nil
}

// scaleOf is ffmpeg's scale for a quality of 100: 2 is the best, 31 the worst.
func scaleOf(quality int) int {
	switch {
	case quality > 90:
		return 2
	case quality > 83:
		return 3
	case quality > 75:
		return 5
	case quality > 70:
		return 7
	}
	return 9
}

// filters are what happens to the picture between its decoder and its encoder.
func (p program) filters(kind Type, quality, w, h int) []string {
	var all []string
	size := fmt.Sprintf("scale=%d:%d:flags=lanczos", w, h)
	switch f := p.f; {
	case f.Width == 0:
		size = fmt.Sprintf("scale=w='min(%d,iw)':h='min(%[1]d,ih)':force_original_aspect_ratio=decrease:flags=lanczos", max(w, h))
	case p.vague():
		size = fmt.Sprintf("scale=%d:%[1]d:force_original_aspect_ratio=decrease:flags=lanczos", max(w, h))
	}
	if f := p.f; f.Type == HEIC || f.Type == AVIF {
		// Old versions take a tile of a picture for all of it: then this fails.
		all = append(all, fmt.Sprintf("crop=w='if(gte(iw*ih,%d),iw,-1)':h=ih:x=0:y=0", f.Pixels()))
	}
	switch {
	case !p.t.alpha:
		all = append(all, size, "format=rgb24")
	case kind == JPEG:
		// A white copy is put under it.
		all = append(all, "format=rgba,split[a][b];[a]lutrgb=r=255:g=255:b=255:a=255[w];[w][b]overlay=format=rgb", size, "format=rgb24")
	case w == p.f.Width && h == p.f.Height:
		all = append(all, "format=rgba")
	default: // what is transparent lends no colour to what is beside it
		all = append(all, "format=gbrap", "premultiply=inplace=1", size, "unpremultiply=inplace=1", "format=rgba")
	}
	switch p.t.orientation {
	case 2:
		all = append(all, "hflip")
	case 3:
		all = append(all, "hflip", "vflip")
	case 4:
		all = append(all, "vflip")
	case 5:
		all = append(all, "transpose=cclock_flip")
	case 6:
		all = append(all, "transpose=clock")
	case 7:
		all = append(all, "transpose=clock_flip")
	case 8:
		all = append(all, "transpose=cclock")
	}
	if kind == JPEG {
		// Colours as JFIF wants them, and none halved where quality counts.
		format := "yuvj420p"
		if quality > 90 {
			format = "yuvj444p"
		}
		all = append(all, "scale=out_color_matrix=bt601:out_range=pc", "format="+format)
	}
	return append(all, "setsar=1")
}
