package media

import (
	"context"
	"fmt"
	"strconv"
	"time"
)

// anew puts a film together without the tracks that hold neither pictures nor
// sound, and without metadata. What is in the others is copied.
func (k *Kit) anew(ctx context.Context, f File, c cleaning) (File, error) {
	tool, err := k.ffmpeg(ctx)
	if tool.Path == "" {
		return File{}, fmt.Errorf("it has a track that holds neither pictures nor sound: %w", err)
	}
	var from, to string
	switch f.Type {
	case MP4:
		from, to = "mov", "mp4"
	case QuickTime:
		from, to = "mov", "mov"
	case MP4Audio:
		from, to = "mov", "ipod"
	case WebM, WebMAudio:
		from, to = "matroska", "webm"
	case Matroska, MatroskaAudio:
		from, to = "matroska", "matroska"
	default:
		return File{}, failure(Broken, "the %s file is broken: it has a track that holds neither pictures nor sound", f.Type)
	}
	// Capital V: not the covers.
	args := []string{"-map", "0:V?", "-map", "0:a?", "-c", "copy"}
	if from == "mov" {
		args = append(args, "-write_tmcd", "0", "-movflags", "+faststart")
	}
	room := f.Size + f.Size/4 + 1<<20
	bare, err := k.convert(ctx, tool, conversion{kind: f.Type, file: room, input: []string{"-f", from, "-i", "file:" + f.Path},
		args: append(args, "-fs", strconv.FormatInt(room, 10), "-f", to)})
	if err != nil {
		return File{}, err
	}
	out, err := k.bare(ctx, f, bare, c)
	if err != nil || out.Path != bare.Path {
		k.discard(bare.Path)
	}
	return out, err
}

// bare looks whether a film that was put together anew is the film, and blanks
// what was written into it.
func (k *Kit) bare(ctx context.Context, f, bare File, c cleaning) (File, error) {
	if bare.Width != f.Width || bare.Height != f.Height || bare.Animated != f.Animated {
		return File{}, failure(FFmpegResult, "ffmpeg reported success but made %s of %s", bare.Info, f.Info)
	}
	if lost := f.Duration - bare.Duration; bare.Duration > 0 && lost > 2*time.Second+f.Duration/20 {
		return File{}, failure(FFmpegResult, "ffmpeg reported success but made %s of a film of %s: it may be damaged",
			bare.Duration.Round(time.Second), f.Duration.Round(time.Second))
	}
	cut, err := c.read(bare)
	switch {
	case err != nil:
		return File{}, err
	case cut.anew:
		return File{}, failure(FFmpegResult, "ffmpeg reported success but left a track that holds neither pictures nor sound")
	case !cut.changed:
		return bare, nil
	}
	return k.cleaned(ctx, bare, c)
}
