package gifs

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"rookery/internal/booru"
	"rookery/internal/turns"
)

// candidates are asked for at once: enough that one of them is not blocked and
// was not shown lately.
const candidates = 50

// settled is how often trouble of one board is waited for when another has
// answered that it has nothing.
const settled = 3

// finding is what a search at the boards came to; at most one of its parts is
// set.
type finding struct {
	picture *booru.Image
	allSeen bool         // there are pictures, but all were shown lately
	refused *booru.Error // no board can be asked that
	trouble error        // others would meet it too
}

// find looks for a picture at one board after the other, in an order by
// chance, until one has a picture that may be shown.
func (g *GIFs) find(ctx context.Context, w turns.Waiting, q booru.Query, not []string) (f finding) {
	sources := slices.Clone(g.Sources)
	rand.Shuffle(len(sources), func(i, j int) { sources[i], sources[j] = sources[j], sources[i] })
	asked, allSeen := false, false
	var refused *booru.Error
	var trouble error
	for _, s := range sources {
		found, err := s.Find(ctx, q, candidates)
		if ctx.Err() != nil {
			return finding{trouble: errors.Join(ctx.Err(), err)}
		}
		if g.Trouble != nil && booru.ClassOf(err) != booru.Refused {
			g.Trouble(ctx, s.Name(), err)
		}
		switch e, ok := errors.AsType[*booru.Error](err); {
		case ok && e.Class == booru.Refused:
			refused = e
			continue
		case err != nil:
			trouble = later(trouble, err)
			continue
		}
		asked = true
		picture, seen, err := g.pick(ctx, w, found, q.NSFW, not)
		if err != nil || picture != nil {
			return finding{picture: picture, trouble: err}
		}
		allSeen = allSeen || seen
	}
	switch {
	case trouble != nil && !(asked && w.Attempts >= settled):
		return finding{trouble: trouble}
	case !asked && refused != nil:
		return finding{refused: refused}
	}
	return finding{allSeen: allSeen}
}

// later is the one of two failures that has to be waited for less.
func later(a, b error) error {
	if a == nil || askedFor(b).Before(askedFor(a)) {
		return b
	}
	return a
}

// pick is the first of what was found that may be shown, and claimed for this
// request. seen tells that some were left out only because they were shown
// lately.
func (g *GIFs) pick(ctx context.Context, w turns.Waiting, found []booru.Image, nsfw bool, not []string) (picture *booru.Image, seen bool, err error) {
	for _, im := range found {
		// The board was asked for this; what it answers is not taken on trust.
		if !g.fit(im, nsfw) || slices.Contains(not, pictureOf(im)) || len(im.Files) == 0 {
			continue
		}
		ok, err := g.take(ctx, w, pictureOf(im))
		if err != nil {
			return nil, false, err
		}
		if ok {
			return &im, false, nil
		}
		seen = true
	}
	return nil, seen, nil
}

// fit tells whether a picture may be shown at all.
func (g *GIFs) fit(im booru.Image, nsfw bool) bool {
	if !nsfw && !im.Rating.Safe() {
		return false
	}
	if g.Blocklist == nil {
		return true
	}
	_, blocked := g.Blocklist.Image(im)
	return !blocked
}

// askedFor is when somebody asked to be tried again; zero if nobody did.
func askedFor(err error) time.Time {
	return retryAt(err)
}
