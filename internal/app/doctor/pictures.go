package doctor

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"rookery/internal/app/boards"
	"rookery/internal/app/config"
	"rookery/internal/booru"
	"rookery/internal/media"
	"rookery/internal/publicnet"
	"rookery/internal/words"
)

// What the features gifs and gallery need: ffmpeg, a folder for the files on their way,
// and, for gifs, boards that answer.

// checkFFmpeg asks ffmpeg what it can, as the bot does at its start.
func (d *doctor) checkFFmpeg(ctx context.Context, r *report) {
	program := d.cfg.GIFs.FFmpeg
	args := words.Args{"program": program}
	gifs := d.cfg.Doing(config.FeatureGIFs)
	switch {
	case !gifs && !d.cfg.Doing(config.FeatureGallery):
		r.ok(words.DoctorFfmpegOk, nil)
		return
	case program == config.FFmpegOff:
		if gifs {
			r.ok(words.DoctorFfmpegOff, nil)
		}
		if d.cfg.Doing(config.FeatureGallery) {
			r.warn(words.DoctorGalleryFfmpegOff, words.DoctorGalleryFfmpegOffHelp, nil)
		}
		return
	}
	tool, err := d.probe(ctx, program)
	args["version"], args["path"] = tool.Version, tool.Path
	var text, ofGallery words.Key
	switch {
	case tool.Path != "" && !tool.H264:
		text, ofGallery = words.DoctorFfmpegNoFilms, words.DoctorGalleryFfmpegNoFilms
	case tool.Path != "" && !tool.Palette:
		text, ofGallery = words.DoctorFfmpegNoGIFs, words.DoctorGalleryFfmpegNoGIFs
	case err != nil:
		args["reason"] = err
		if errors.Is(err, context.DeadlineExceeded) {
			args["reason"] = "it does not answer"
		}
		text, ofGallery = words.DoctorFfmpegMissing, words.DoctorGalleryFfmpegMissing
	default:
		r.ok(words.DoctorFfmpegFound, args)
		return
	}
	if d.cfg.Doing(config.FeatureGallery) {
		d.checkGalleryFFmpeg(r, ofGallery, args) // which says what it is for gifs as well
		return
	}
	r.warn(text, words.DoctorFfmpegHelp, args)
}

// probe runs ffmpeg in a folder of its own: that of the bot belongs to a bot
// at work, whose files a second one would sweep away.
func (d *doctor) probe(ctx context.Context, program string) (tool media.Tool, err error) {
	dir, err := os.MkdirTemp("", "rookery-doctor-*")
	if err != nil {
		return tool, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	kit, err := media.New(media.Options{Dir: dir, FFmpeg: program, Fetch: publicnet.New(publicnet.Options{UserAgent: d.userAgent()}), Now: d.Clock.Now})
	if err != nil {
		return tool, err
	}
	defer func() { err = errors.Join(err, kit.Close()) }()
	err = kit.Probe(ctx)
	return kit.FFmpeg(), err
}

// atOnce is how many of the largest files there must be room for: one that is
// fetched and one that is made of it, for two requests.
const atOnce = 4

// checkTemp looks at the folder of the files on their way.
func (d *doctor) checkTemp(_ context.Context, r *report) {
	dir := filepath.Join(d.cfg.DataDir, "tmp")
	need := atOnce * d.cfg.GIFs.MaxDownload
	args := words.Args{"dir": dir, "need": need / megabyte}
	st, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = nil // the next start makes it; whether it can is said of the data directory
	case err == nil && !st.IsDir():
		r.fail(words.DoctorTempFile, words.DoctorTempFileHelp, args)
		return
	case err == nil:
		err = writable(dir)
	}
	if err != nil {
		args["reason"] = reason(err)
		r.fail(words.DoctorTempNotWritable, words.DoctorDataNotWritableHelp, args)
		return
	}
	free, err := d.Free(existing(dir))
	args["free"] = free / megabyte
	switch {
	case err != nil:
		args["reason"] = reason(err)
		r.warn(words.DoctorDiskUnknown, words.DoctorDiskUnknownHelp, args)
	case free < need:
		r.warn(words.DoctorTempLow, words.DoctorTempLowHelp, args)
	default:
		r.ok(words.DoctorTempOk, args)
	}
}

// checkBoards asks each board for one safe picture, as the bot does.
func (d *doctor) checkBoards(ctx context.Context) {
	o := boards.Options{Version: d.Version, Clock: d.Clock, Timeout: d.Timeout, Transport: d.Transport}
	if o.Transport == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: d.Timeout, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true}
		defer own.CloseIdleConnections()
		o.Transport = own
	}
	for _, s := range d.cfg.GIFs.Sources {
		d.check(ctx, "board", "", func(ctx context.Context, r *report) { d.askBoard(ctx, r, s, o) })
	}
}

func (d *doctor) askBoard(ctx context.Context, r *report, s config.GIFSource, o boards.Options) {
	args := words.Args{"board": s.URL, "kind": s.Kind}
	board, err := boards.New(s, o)
	if err != nil {
		args["reason"] = err
		r.fail(words.DoctorBoardFailed, words.DoctorBoardAddressHelp, args)
		return
	}
	began := d.Clock.Now()
	found, err := board.Find(ctx, booru.Query{}, 1)
	args["ms"] = d.Clock.Now().Sub(began).Milliseconds()
	if err != nil {
		args["reason"] = err
		if e, ok := errors.AsType[*booru.Error](err); ok && !e.RetryAt.IsZero() {
			args["time"] = e.RetryAt
		} else {
			args["time"] = began.Add(time.Minute)
		}
		level, help := boardHelp(booru.ClassOf(err))
		r.say(level, words.DoctorBoardFailed, help, args)
		return
	}
	if len(found) == 0 {
		help := words.DoctorBoardEmptyHelp
		if s.Kind == config.Philomena {
			help = words.DoctorBoardFilterHelp
		}
		r.warn(words.DoctorBoardEmpty, help, args)
		return
	}
	args["page"] = found[0].Page
	r.ok(words.DoctorBoardOk, args)
}

func boardHelp(c booru.Class) (Level, words.Key) {
	switch c {
	case booru.Rate, booru.Busy:
		return Warning, words.DoctorBoardWaitHelp
	case booru.Denied:
		return Error, words.DoctorBoardDeniedHelp
	case booru.Unreachable:
		return Error, words.DoctorBoardDownHelp
	}
	return Error, words.DoctorBoardAddressHelp
}

// shortAlt is a description that says hardly more than a title, in characters.
const shortAlt = 150

// checkPictures compares what the server takes with what the account shows.
func (a *account) checkPictures(_ context.Context, r *report) {
	in := a.instance
	args := words.Args{"server": a.Server, "size": in.ImageSize / megabyte, "films": in.VideoSize / megabyte, "alt": in.MaxAlt}
	takes := func(t media.Type) bool { return len(in.MIMETypes) == 0 || slices.Contains(in.MIMETypes, string(t)) }
	gifs, films, off := takes(media.GIF), takes(media.MP4), a.cfg.GIFs.FFmpeg == config.FFmpegOff
	switch {
	case !gifs && !films:
		r.fail(words.DoctorPicturesNone, words.DoctorPicturesNoneHelp, args)
	case !gifs && off:
		r.fail(words.DoctorPicturesFilms, words.DoctorPicturesFilmsHelp, args)
	case !gifs:
		r.ok(words.DoctorPicturesFilms, args)
	case !films:
		r.ok(words.DoctorPicturesGIFs, args)
	default:
		r.ok(words.DoctorPicturesOk, args)
	}
	if in.MaxAlt < shortAlt && in.MaxAlt > 0 {
		r.warn(words.DoctorPicturesAlt, words.DoctorPicturesAltHelp, args)
	}
	if a.NSFW {
		r.ok(words.DoctorPicturesNSFW, args)
	}
}
