package gifs

import (
	"context"
	"errors"

	"rookery/internal/booru"
	"rookery/internal/media"
	"rookery/internal/turns"
)

// errStill is a picture that the board gave out as an animated one.
var errStill = errors.New("the picture does not move")

// errUnfit is a picture of which the server takes no form.
var errUnfit = errors.New("no form of the picture fits the server")

// attach hands over the picture in the best form that the server takes.
func (g *GIFs) attach(ctx context.Context, w turns.Waiting, im booru.Image, in room) (sent attached, outcome string, err error) {
	ladder := g.Media.Ladder(in.media, renditions(im))
	defer ladder.Close()
	h := g.at(w.Mention.Account)
	var refused error
	for {
		f, err := ladder.Next(ctx)
		if errors.Is(err, media.ErrNoMore) {
			return attached{}, "", errors.Join(errUnfit, err, refused)
		}
		// A disk that stays full is no reason to fetch the file all day.
		passes := media.KindOf(err) == media.Transient || media.KindOf(err) == media.NoSpace
		if passes && w.Attempts >= patience && ctx.Err() == nil {
			return attached{}, "", errors.Join(errUnfit, err)
		}
		if err != nil {
			return attached{}, "", err
		}
		if !f.Animated {
			refused = errStill
			continue
		}
		sent := attached{name: "animated-" + string(w.ID) + f.Type.Ext(), alt: alt(g.language(w.Mention), im, in.alt)}
		sent.id, err = h.attach(ctx, w.Mention, uploadKey(w.ID), upload{open: f.Open, size: f.Size, name: sent.name, mime: string(f.Type), alt: sent.alt})
		what := h.fault(err)
		if what == impossible {
			return attached{}, "", errors.Join(errUnfit, err)
		}
		if what == badFile || what == mistaken || what == inside && w.Attempts >= uploadPatience {
			g.Log.Info("the server refuses a form of a picture; the next is tried", "account", w.Mention.Account, "picture", im.Page, "form", f.Info.String(), "error", err)
			refused = err
			continue
		}
		return sent, outcomeOf(f), err
	}
}

// outcomeOf names the form that was taken.
func outcomeOf(f media.File) string {
	if f.Type.Video() {
		return OutcomeMP4
	}
	return OutcomeGIF
}

func renditions(im booru.Image) []media.Rendition {
	var all []media.Rendition
	for _, f := range im.Files {
		all = append(all, media.Rendition{URL: f.URL, Type: media.Type(f.Type), Width: f.Width, Height: f.Height, Size: f.Size})
	}
	return all
}
