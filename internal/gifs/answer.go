package gifs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/booru"
	"rookery/internal/community"
	"rookery/internal/failpoint"
	"rookery/internal/fedi"
	"rookery/internal/inbox"
	"rookery/internal/media"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/turns"
	"rookery/internal/words"
)

const (
	// maxPictures is how many pictures are tried for one request, if the
	// server takes none of the first in any form.
	maxPictures = 3
	// slowTries is how often the time for one request may run out.
	slowTries = 2
	// patience is how often the file of one picture is waited for.
	patience = 3
	// shortWait is how long a request waits for its turn in the common bucket
	// while it is held; for longer it is put back.
	shortWait = 5 * time.Second
	// uploadPatience is how often an upload is tried again that the server
	// answers with a failure of its own: some answer so to a file that they
	// cannot read. It is some eight minutes.
	uploadPatience = 8
)

// one answers one request. Its error is trouble that others would meet too;
// what concerns this request alone is settled here.
func (g *GIFs) one(ctx context.Context, w turns.Waiting) (answered bool, err error) {
	failpoint.At("g1-picked")
	m := w.Mention
	if stopped, err := g.stopped(ctx, g.Store, m); err != nil {
		return false, g.Fail(ctx, w, err, time.Time{}, nil)
	} else if stopped {
		return false, g.close(ctx, w, inbox.Ignored, "its author has told us to stop")
	}
	end, free := g.begin(m)
	defer end()
	if !free {
		return false, g.PutBack(ctx, w, g.Clock.Now().Add(g.Cooldown), nil, nil)
	}
	if rest, err := g.restUntil(ctx, m); err != nil {
		return false, g.Fail(ctx, w, err, time.Time{}, nil)
	} else if !rest.IsZero() {
		return false, g.PutBack(ctx, w, rest, nil, nil)
	}
	in, err := g.platform.Limits(m.Account)
	if err != nil {
		return false, errors.Join(err, g.PutBack(ctx, w, time.Time{}, nil, nil))
	}
	if over, err := g.over(ctx, w); err != nil || over {
		return false, err
	}
	c, err := g.chosen(ctx, w.ID)
	if err != nil {
		return false, g.Fail(ctx, w, err, time.Time{}, nil)
	}
	r := g.request(m)
	nsfw := r.NSFW
	if nsfw && (g.NSFW == nil || !g.NSFW(m.Account)) {
		return g.say(ctx, w, in, g.language(m).Say(words.GIFsNSFWOff, nil), false, c.tries, OutcomeRefused)
	}
	if g.Blocklist != nil {
		if tag, blocked := g.Blocklist.Query(r.Query); blocked {
			return g.say(ctx, w, in, g.language(m).Say(words.GIFsBlocked, words.Args{"tag": quiet(tag)}), nsfw, c.tries, OutcomeRefused)
		}
	}
	return g.show(ctx, w, r, c, in)
}

// over settles what needs no picture any more: a post that is gone, a request
// that is too old or has its answer. It reports true if it did.
func (g *GIFs) over(ctx context.Context, w turns.Waiting) (bool, error) {
	m := w.Mention
	self, err := g.platform.Self(m.Account)
	if err != nil {
		return false, errors.Join(err, g.PutBack(ctx, w, time.Time{}, nil, nil))
	}
	_, below, err := g.platform.Thread(ctx, m.Account, m.Post.ID)
	switch fedi.ClassOf(err) {
	case fedi.Gone:
		return true, g.close(ctx, w, inbox.Gone, "the post was deleted")
	case fedi.Invalid, fedi.Unsupported:
		return true, g.Decline(ctx, w, err, nil)
	}
	if err != nil {
		return true, g.Fail(ctx, w, err, retryAt(err), nil)
	}
	// By the server's clock, of which this very answer has told: ours may have
	// jumped.
	if !m.Expires.IsZero() && g.platform.Now(m.Account).After(m.Expires) {
		return true, g.close(ctx, w, inbox.Expired, "it waited too long for an answer")
	}
	for _, post := range below {
		if post.ParentID != m.Post.ID || post.Author.ID != self.ID {
			continue
		}
		// After a restored backup or a take-over the server knows what the
		// database has forgotten. A notice that we know of is no answer.
		if notice, err := g.isNotice(ctx, m.Account, post.ID); err != nil {
			return true, g.Fail(ctx, w, err, time.Time{}, nil)
		} else if notice {
			continue
		}
		if under, err := g.noticeUnderWay(ctx, m); err != nil {
			return true, g.Fail(ctx, w, err, time.Time{}, nil)
		} else if under {
			return true, g.PutBack(ctx, w, g.Clock.Now().Add(time.Minute), nil, nil)
		}
		return true, g.close(ctx, w, inbox.Done, "the thread holds our answer already")
	}
	return false, nil
}

// close ends a request without a reply.
func (g *GIFs) close(ctx context.Context, w turns.Waiting, s inbox.State, reason string) error {
	return g.Close(ctx, w, s, reason, func(ctx context.Context, tx store.Tx) error { return g.letGo(ctx, tx, w.ID) })
}

// show finds a picture and replies with it.
func (g *GIFs) show(ctx context.Context, w turns.Waiting, r booru.Request, c choice, in fedi.Instance) (bool, error) {
	if c.picture != nil && !g.fit(*c.picture, r.NSFW) {
		c.picture = nil // the operator has changed what may be shown
	}
	if c.picture != nil { // by an earlier try, or process
		mine, err := g.take(ctx, w, pictureOf(*c.picture))
		if err != nil {
			return false, g.Fail(ctx, w, err, time.Time{}, nil)
		}
		if mine {
			defer g.free(w.Mention.Account, pictureOf(*c.picture))
		} else {
			c.picture = nil // another request has shown it meanwhile
		}
	}
	var last booru.Image // that could not be sent
	for {
		if c.picture == nil {
			f, err := g.search(ctx, w, r, c)
			if err != nil {
				return false, err
			}
			if f.picture == nil {
				if f.trouble != nil {
					return false, g.Fail(ctx, w, f.trouble, retryAt(f.trouble), nil)
				}
				if last.Page != "" {
					return g.unfit(ctx, w, last, r, c, in)
				}
				return g.nothing(ctx, w, r, f, c, in)
			}
			failpoint.At("g2-searched")
			defer g.free(w.Mention.Account, pictureOf(*f.picture))
			c.picture = f.picture
			if err := g.choose(ctx, w, c); err != nil {
				return false, g.Fail(ctx, w, err, time.Time{}, nil)
			}
		}
		failpoint.At("g3-chosen")
		id, outcome, err := g.attach(ctx, w, *c.picture, r.NSFW, in)
		switch {
		case errors.Is(err, errUnfit):
			g.Log.Info("the server takes a picture in no form", "account", w.Mention.Account, "picture", c.picture.Page, "error", err)
			last = *c.picture
			c.refused, c.picture = append(c.refused, pictureOf(last)), nil
			if len(c.refused) >= maxPictures || fedi.ClassOf(err) == fedi.Unsupported {
				return g.unfit(ctx, w, last, r, c, in)
			}
			if err := g.choose(ctx, w, c); err != nil {
				return false, g.Fail(ctx, w, err, time.Time{}, nil)
			}
			continue
		case errors.Is(ctx.Err(), context.DeadlineExceeded) && w.Attempts >= slowTries:
			// The time for one request is over, again: this machine will not make
			// a form that fits before it is too old.
			return g.unfit(context.WithoutCancel(ctx), w, *c.picture, r, c, in)
		case media.KindOf(err) == media.Transient && ctx.Err() == nil:
			// The file's own host is in trouble: it is this request's alone.
			return false, g.PutBack(ctx, w, latest(retryAt(err), g.Clock.Now().Add(turns.Backoff(w.Attempts))), err, nil)
		case err != nil:
			return false, g.Fail(ctx, w, err, retryAt(err), nil)
		}
		failpoint.At("g10-attached")
		return g.reply(ctx, w, *c.picture, id, r, c, in, outcome)
	}
}

// overRate is a request whose turn in the common bucket is some time away.
type overRate struct{ next time.Time }

// Error implements error.
func (e *overRate) Error() string {
	return "other requests come first: the common limit of pictures a second is reached"
}

// search takes one of the common bucket, and looks.
func (g *GIFs) search(ctx context.Context, w turns.Waiting, r booru.Request, c choice) (finding, error) {
	now := g.Clock.Now()
	slot := g.limit.ReserveN(now, 1)
	if wait := slot.DelayFrom(now); wait > shortWait {
		slot.CancelAt(now)
		return finding{}, errors.Join(&overRate{now.Add(wait)}, g.PutBack(ctx, w, now.Add(wait), nil, nil))
	} else if wait > 0 {
		ready, stop := g.Clock.After(wait)
		defer stop()
		select {
		case <-ready:
		case <-ctx.Done():
			return finding{}, g.Fail(ctx, w, ctx.Err(), time.Time{}, nil)
		}
	}
	return g.find(ctx, w, r.Query, c.refused), nil
}

// nothing says that there is no picture, and what was looked for.
func (g *GIFs) nothing(ctx context.Context, w turns.Waiting, r booru.Request, f finding, c choice, in fedi.Instance) (bool, error) {
	l := g.language(w.Mention)
	var text string
	switch {
	case f.refused != nil && f.refused.Reason == booru.TooManyTags:
		text = l.Say(words.GIFsTooMany, words.Args{"n": f.refused.Most})
	case f.refused != nil && f.refused.Reason == booru.BadTag:
		text = l.Say(words.GIFsUnsayable, words.Args{"tag": quiet(f.refused.Tag)})
	case f.allSeen && len(r.Terms) > 0:
		text = l.Say(words.GIFsNothingNew, words.Args{"said": saidBack(r)})
	case len(r.Terms) == 0:
		text = l.Say(words.GIFsNothingAny, nil)
	default:
		text = l.Say(words.GIFsNothing, words.Args{"said": saidBack(r), "random": g.Word + " random"})
		if !r.NSFW && g.NSFW != nil && g.NSFW(w.Mention.Account) {
			text += " " + l.Say(words.GIFsSafeOnly, nil)
		}
	}
	return g.say(ctx, w, in, text, r.NSFW, c.tries, OutcomeNothing)
}

// unfit gives the link of a picture that could not be sent.
func (g *GIFs) unfit(ctx context.Context, w turns.Waiting, im booru.Image, r booru.Request, c choice, in fedi.Instance) (bool, error) {
	text := g.language(w.Mention).Say(words.GIFsUnfit, words.Args{"url": im.Page})
	return g.say(ctx, w, in, text, r.NSFW || !im.Rating.Safe(), c.tries, OutcomeUnfit)
}

// reply plans the post with the picture.
func (g *GIFs) reply(ctx context.Context, w turns.Waiting, im booru.Image, id string, r booru.Request, c choice, in fedi.Instance, outcome string) (bool, error) {
	m, nsfw := w.Mention, r.NSFW || !im.Rating.Safe()
	p := g.post(m, nsfw, in)
	p.Parts = []string{credit(g.language(m), m, im, len(r.Dropped), p.CW, in)}
	p.MediaIDs = []string{id}
	return g.send(ctx, w, p, c.tries, pictureOf(im), outcome)
}

// say plans a reply of words alone.
func (g *GIFs) say(ctx context.Context, w turns.Waiting, in fedi.Instance, text string, nsfw bool, tries int, outcome string) (bool, error) {
	p := g.post(w.Mention, nsfw, in)
	p.Parts = []string{addressee(w.Mention) + text}
	return g.send(ctx, w, p, tries, "", outcome)
}

// post is a reply without its words.
func (g *GIFs) post(m community.Mention, nsfw bool, in fedi.Instance) fedi.PostPayload {
	p := fedi.PostPayload{CW: warning(m.Post.CW, in), Sensitive: m.Post.Sensitive || nsfw, Visibility: g.visibility(m.Post.Visibility, nsfw),
		InReplyTo: m.Post.ID, Language: string(g.language(m)), Dismiss: m.Notification}
	if nsfw {
		p.CW = nsfwWarning(m.Post.CW, in)
	}
	return p
}

// send plans the reply and ends the waiting in one commit, then sends it.
func (g *GIFs) send(ctx context.Context, w turns.Waiting, p fedi.PostPayload, tries int, picture, outcome string) (bool, error) {
	m := w.Mention
	var claim *outbox.Claim
	var mine bool
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		claim = nil
		if mine, err = g.Held(ctx, tx, w); err != nil || !mine {
			return err
		}
		if err := errors.Join(inbox.Set(ctx, tx, w.ID, inbox.Answering, ""), g.served(ctx, tx, w, picture)); err != nil {
			return err
		}
		if len(p.MediaIDs) == 0 {
			if err := g.letGo(ctx, tx, w.ID); err != nil {
				return err
			}
		}
		g.observe(tx, outcome)
		claim, err = g.Outbox.PlanAndClaim(ctx, tx, outbox.Effect{
			Key: answerKey(w.ID, tries), Feature: Name, Kind: fedi.PostKind, Account: m.Account, Expires: m.Expires, Again: 2, Payload: p,
		})
		return err
	})
	if err != nil {
		return false, errors.Join(fmt.Errorf("plan the reply: %w", err), g.PutBack(ctx, w, time.Time{}, nil, nil))
	}
	if !mine {
		return false, nil // its hold had ended and somebody else has it
	}
	if err := g.Outbox.Deliver(ctx, claim); err != nil {
		// The outbox has it now and will bring it to its end.
		g.Log.Warn("the reply is not out yet", "account", m.Account, "post", m.Post.ID, "error", err)
		if s, ok := errors.AsType[*outbox.SendError](err); ok && s.Outcome == outbox.NotSent {
			return true, err // the server is in trouble; the others would meet it too
		}
	}
	return true, nil
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// retryAt is when somebody asked to be tried again; zero if nobody did.
func retryAt(err error) time.Time {
	if e, ok := errors.AsType[*booru.Error](err); ok {
		return e.RetryAt
	}
	if e, ok := errors.AsType[*fedi.Error](err); ok {
		return e.RetryAt
	}
	if e, ok := errors.AsType[*media.Error](err); ok {
		return e.RetryAt
	}
	return time.Time{}
}
