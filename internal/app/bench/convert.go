package main

import (
	"context"
	"errors"
	"fmt"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
)

const heavyAim = 80 // MB

// convert measures the memory that the program has needed by the time when it
// has replied with a large picture, a GIF of noise, which nothing makes small:
// once sent as it is, once made a film, and once made a smaller GIF, each by a
// new program. ffmpeg's memory is that of its own process; beside it stands the
// same run by hand, without the program.
func convert(ctx context.Context, l *lab) (rows []row, err error) {
	size := int64(l.megabytes) * 1_000_000
	for _, t := range []struct {
		what   string
		limits func(*fedisim.Limits)
		plain  bool // nothing is converted
	}{
		{"sent as it is", func(m *fedisim.Limits) { m.ImageBytes = 2 * size }, true},
		{"made a film", onlyFilms, false},
		{"made a smaller GIF", func(m *fedisim.Limits) { m.ImageBytes = size * 2 / 3 }, false},
	} {
		l.say("the memory for a GIF of %d MB, %s", l.megabytes, t.what)
		f, err := newFFmpeg(l)
		if err != nil {
			return nil, err
		}
		if f == nil && !t.plain {
			continue
		}
		more, err := heavy(ctx, l, f, size, t.what, t.limits)
		if f != nil {
			err = errors.Join(err, f.remove())
		}
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// heavy measures one reply with a large picture.
func heavy(ctx context.Context, l *lab, f *ffmpeg, size int64, what string, limits func(*fedisim.Limits)) (rows []row, err error) {
	im := ball()
	im.Width, im.Height = 800, 600
	im.Files = map[string]boorusim.File{boorusim.All: {Kind: boorusim.HeavyGIF, Size: size}}
	s := setup{poll: wayPoll, pictures: []boorusim.Image{im}, gifs: unlimited}
	if f != nil {
		s.gifs += f.line()
	}
	w, err := newWorld(ctx, l, s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	w.fedi.Limit(limits)
	p, err := w.rested(ctx, 3, shows("run")...)
	if err != nil {
		return nil, err
	}
	defer p.kill()
	before, _, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	stop := func() int64 { return 0 }
	if f != nil {
		stop = f.peak()
	}
	way, err := w.picture(ctx, p, 0)
	its := stop()
	if err != nil {
		return nil, err
	}
	_, peak, err := memoryOf(p.cmd.Process.Pid)
	if err != nil {
		return nil, err
	}
	p.kill()
	if err := w.answeredOnce(1); err != nil {
		return nil, err
	}
	sent := w.fedi.Uploads()
	last := sent[len(sent)-1]
	if peak > 0 {
		rows = append(rows,
			single(fmt.Sprintf("peak memory, a GIF of %d MB %s", l.megabytes, what), "MB", float64(peak)/1e6).judge(aim{Under: heavyAim}),
			single("  at rest before", "MB", float64(before)/1e6))
	}
	rows = append(rows, single("  the whole request", "ms", ms(way.replied.Sub(way.noticed))),
		single(fmt.Sprintf("  what was sent (%s, %dx%d)", last.Type, last.Width, last.Height), "MB", float64(last.Size)/1e6))
	if f == nil {
		return rows, nil
	}
	made, err := f.conversions()
	if err != nil || len(made) == 0 {
		return rows, err
	}
	data, err := w.board.get(ctx, way.file)
	if err != nil {
		return nil, err
	}
	for i, c := range made {
		t, err := f.byHand(ctx, c, data)
		if err != nil {
			return nil, err
		}
		rows = append(rows, beside(fmt.Sprintf("  ffmpeg, run %d of %d", i+1, len(made)), "ms", ms(c.to.Sub(c.from)), ms(t.Wall)),
			beside("    of that, of the processor", "ms", ms(c.processor), ms(t.Processor)))
		if i == len(made)-1 {
			rows = append(rows, beside("  its peak memory", "MB", float64(its)/1e6, float64(t.Peak)/1e6))
		}
	}
	return rows, nil
}
