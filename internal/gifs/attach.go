package gifs

import (
	"context"
	"errors"
	"net/http"

	"rookery/internal/booru"
	"rookery/internal/fedi"
	"rookery/internal/media"
	"rookery/internal/turns"
)

// errStill is a picture that the board gave out as an animated one.
var errStill = errors.New("the picture does not move")

// errUnfit is a picture of which the server takes no form.
var errUnfit = errors.New("no form of the picture fits the server")

// attach uploads the picture in the best form that the server takes, and
// returns the medium's id.
func (g *GIFs) attach(ctx context.Context, w turns.Waiting, im booru.Image, nsfw bool, in fedi.Instance) (id, outcome string, err error) {
	ladder := g.Media.Ladder(limitsOf(in), renditions(im))
	defer ladder.Close()
	var refused error
	for {
		f, err := ladder.Next(ctx)
		if errors.Is(err, media.ErrNoMore) {
			return "", "", errors.Join(errUnfit, err, refused)
		}
		// A disk that stays full is no reason to fetch the file all day.
		passing := media.KindOf(err) == media.Transient || media.KindOf(err) == media.NoSpace
		if passing && w.Attempts >= patience && ctx.Err() == nil {
			return "", "", errors.Join(errUnfit, err)
		}
		if err != nil {
			return "", "", err
		}
		if !f.Animated {
			refused = errStill
			continue
		}
		id, err := g.platform.Attach(ctx, w.Mention.Account, uploadKey(w.ID), fedi.Upload{
			Open: f.Open, Size: f.Size, Name: "animated-" + string(w.ID) + f.Type.Ext(), Type: string(f.Type),
			Description: alt(g.language(w.Mention), im, in),
		})
		if fedi.ClassOf(err) == fedi.Unsupported {
			return "", "", errors.Join(errUnfit, err)
		}
		if fedi.ClassOf(err) == fedi.RejectedMedia || fedi.ClassOf(err) == fedi.Invalid || w.Attempts >= uploadPatience && failsInside(err) {
			g.Log.Info("the server refuses a form of a picture; the next is tried", "account", w.Mention.Account, "picture", im.Page, "form", f.Info.String(), "error", err)
			refused = err
			continue
		}
		return id, outcomeOf(f), err
	}
}

// failsInside tells an upload that the server has answered with a failure of
// its own.
func failsInside(err error) bool {
	e, ok := errors.AsType[*fedi.Error](err)
	return ok && e.Class == fedi.Transient && e.Status == http.StatusInternalServerError
}

// outcomeOf names the form that was taken.
func outcomeOf(f media.File) string {
	if f.Type.Video() {
		return OutcomeMP4
	}
	return OutcomeGIF
}

func limitsOf(in fedi.Instance) media.Limits {
	l := media.Limits{ImageBytes: in.ImageSize, ImagePixels: in.ImagePixel, GIFPixels: in.GIFPixel,
		VideoBytes: in.VideoSize, VideoPixels: in.VideoPixel, VideoRate: int(in.VideoRate)}
	for _, t := range in.MIMETypes {
		l.Types = append(l.Types, media.Type(t))
	}
	return l
}

func renditions(im booru.Image) []media.Rendition {
	var all []media.Rendition
	for _, f := range im.Files {
		all = append(all, media.Rendition{URL: f.URL, Type: media.Type(f.Type), Width: f.Width, Height: f.Height, Size: f.Size})
	}
	return all
}
