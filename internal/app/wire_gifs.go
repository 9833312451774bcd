package app

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"rookery/internal/app/boards"
	"rookery/internal/app/config"
	"rookery/internal/booru"
	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/gifs"
	"rookery/internal/media"
	"rookery/internal/mydata"
	"rookery/internal/operator"
	"rookery/internal/publicnet"
	"rookery/internal/words"
)

// mediaKit is how files are fetched and converted, as the configuration says.
// With loopback they may come from this machine too.
func mediaKit(cfg *config.Config, version string, c clock.Clock, loopback bool) media.Options {
	g := cfg.GIFs
	o := media.Options{
		Dir:         filepath.Join(cfg.DataDir, "tmp"),
		Fetch:       publicnet.New(publicnet.Options{UserAgent: userAgent(version), AllowLoopback: loopback, Timeout: media.DefaultDownloadTimeout}),
		FFmpeg:      g.FFmpeg,
		NoFFmpeg:    g.FFmpeg == config.FFmpegOff,
		MaxDownload: g.MaxDownload, EncodeTimeout: g.FFmpegTimeout, Now: c.Now,
	}
	return o
}

func (a *App) makeGIFs() error {
	c := a.cfg.GIFs
	sources, err := boards.All(a.cfg, boards.Options{Version: a.Version, Clock: a.clock, Log: a.log})
	if err != nil {
		return err
	}
	if err := a.makeMedia(); err != nil {
		return err
	}
	blocked, err := booru.NewBlocklist(c.Blocklist...)
	if err != nil {
		return err
	}
	a.gifs = gifs.New(gifs.Config{
		Store: a.store, Outbox: a.outbox, Clock: a.clock, Log: a.log.With("feature", gifs.Name), Sources: sources, Media: a.media,
		Word: c.Word, Cooldown: c.Cooldown, Rate: c.Rate, Burst: c.Burst, Queue: c.Queue, NoRepeat: c.NoRepeat, Blocklist: blocked,
		NSFW: a.showsNSFW, NSFWVisibility: c.NSFWVisibility, NoticeAfter: c.NoticeAfter, Parallel: 2,
		ConvertTimeout: c.FFmpegTimeout, RequestTimeout: a.cfg.Outbox.RequestTimeout,
		Language: a.languageOf, Stopped: mydata.Stopped, Refused: a.answerRefused, Trouble: a.boardTrouble, Observe: a.metrics.Picture,
		Settings: a.gifsSettings(),
	})
	a.gifs.Work(a.jobs)
	return nil
}

// showsNSFW tells whether an account shows what is not safe.
func (a *App) showsNSFW(id community.AccountID) bool {
	name := a.nameOf(id)
	for _, acc := range a.cfg.Accounts {
		if acc.Name == name {
			return acc.NSFW
		}
	}
	return false
}

// boardTrouble hears whether an image board answers.
func (a *App) boardTrouble(ctx context.Context, board string, err error) {
	outcome := "answered"
	if err != nil {
		outcome = string(booru.ClassOf(err))
	}
	a.metrics.Search(board, outcome)
	key := "board/" + board
	if err == nil {
		if err := a.operator.Over(ctx, key); err != nil {
			a.log.Warn("a trouble that is over could not be noted", "error", err)
		}
		return
	}
	if e, ok := errors.AsType[*booru.Error](err); ok && e.Class == booru.Denied {
		a.operator.TellNow(ctx, operator.Notice{Key: key, Text: a.operator.Language.Say(words.OperatorBoardDenied, words.Args{"board": board, "reason": e.Error()})})
	}
}

// probeFFmpeg says once at the start what cannot be done without ffmpeg.
func (a *App) probeFFmpeg(ctx context.Context) {
	if a.media == nil || a.cfg.GIFs.FFmpeg == config.FFmpegOff {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	if err := a.media.Probe(ctx); err != nil {
		a.log.Warn("ffmpeg cannot be used: a picture that the server takes only as a film, or smaller, is passed over", "error", err)
	}
}
