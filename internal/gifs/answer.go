package gifs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"rookery/internal/booru"
	"rookery/internal/failpoint"
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
	h := g.at(m.Account)
	in, err := h.room(m)
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
	if ended, answered, err := g.refused(ctx, w, r, c, in); ended {
		return answered, err
	}
	if g.Blocklist != nil {
		if tag, blocked := g.Blocklist.Query(r.Query); blocked {
			return g.say(ctx, w, in, g.language(m).Say(words.GIFsBlocked, words.Args{"tag": in.quiet(tag)}), r.NSFW, c.tries, OutcomeRefused)
		}
	}
	return g.show(ctx, w, r, c, in)
}

// refused settles a request that is not carried out where it was made, as
// things stand now. It reports ended if it did.
func (g *GIFs) refused(ctx context.Context, w turns.Waiting, r booru.Request, c choice, in room) (ended, answered bool, err error) {
	no, err := g.at(w.Mention.Account).refuses(ctx, w.Mention, r.NSFW)
	switch {
	case err != nil:
		return true, false, g.Fail(ctx, w, err, retryAt(err), nil)
	case no == nil:
		return false, false, nil
	case no.say == "":
		return true, false, g.close(ctx, w, inbox.Ignored, no.why)
	}
	answered, err = g.say(ctx, w, in, g.language(w.Mention).Say(no.say, no.args), false, c.tries, OutcomeRefused)
	return true, answered, err
}

// over settles what needs no picture any more: a post that is gone, a request
// that is too old or has its answer. It reports true if it did.
func (g *GIFs) over(ctx context.Context, w turns.Waiting) (bool, error) {
	m := w.Mention
	h := g.at(m.Account)
	self, err := h.self(m.Account)
	if err != nil {
		return true, errors.Join(err, g.PutBack(ctx, w, time.Time{}, nil, nil))
	}
	replies, err := h.replies(ctx, m, self.ID)
	switch h.fault(err) {
	case gone:
		return true, g.close(ctx, w, inbox.Gone, "the post was deleted")
	case mistaken, impossible:
		return true, g.Decline(ctx, w, err, nil)
	}
	if err != nil {
		return true, g.Fail(ctx, w, err, retryAt(err), nil)
	}
	// By the server's clock, of which this very answer has told: ours may have
	// jumped.
	if !m.Expires.IsZero() && h.now(m.Account).After(m.Expires) {
		return true, g.close(ctx, w, inbox.Expired, "it waited too long for an answer")
	}
	for _, post := range replies {
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
	return g.Close(ctx, w, s, reason, func(ctx context.Context, tx store.Tx) error { return g.letGo(ctx, tx, w.Mention.Account, w.ID) })
}

// show finds a picture and replies with it.
func (g *GIFs) show(ctx context.Context, w turns.Waiting, r booru.Request, c choice, in room) (bool, error) {
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
		sent, outcome, err := g.attach(ctx, w, *c.picture, in)
		switch {
		case errors.Is(err, errUnfit):
			g.Log.Info("the server takes a picture in no form", "account", w.Mention.Account, "picture", c.picture.Page, "error", err)
			last = *c.picture
			c.refused, c.picture = append(c.refused, pictureOf(last)), nil
			if len(c.refused) >= maxPictures || g.at(w.Mention.Account).fault(err) == impossible {
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
		return g.reply(ctx, w, *c.picture, sent, r, c, in, outcome)
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
func (g *GIFs) nothing(ctx context.Context, w turns.Waiting, r booru.Request, f finding, c choice, in room) (bool, error) {
	l := g.language(w.Mention)
	var text string
	switch {
	case f.refused != nil && f.refused.Reason == booru.TooManyTags:
		text = l.Say(words.GIFsTooMany, words.Args{"n": f.refused.Most})
	case f.refused != nil && f.refused.Reason == booru.BadTag:
		text = l.Say(words.GIFsUnsayable, words.Args{"tag": in.quiet(f.refused.Tag)})
	case f.allSeen && len(r.Terms) > 0:
		text = l.Say(words.GIFsNothingNew, words.Args{"said": saidBack(r, in)})
	case len(r.Terms) == 0:
		text = l.Say(words.GIFsNothingAny, nil)
	default:
		text = l.Say(words.GIFsNothing, words.Args{"said": saidBack(r, in), "random": g.anyPicture(w.Mention)})
		if !r.NSFW {
			if no, err := g.at(w.Mention.Account).refuses(ctx, w.Mention, true); err == nil && no == nil {
				text += " " + l.Say(words.GIFsSafeOnly, nil)
			}
		}
	}
	return g.say(ctx, w, in, text, r.NSFW, c.tries, OutcomeNothing)
}

// unfit gives the link of a picture that could not be sent.
func (g *GIFs) unfit(ctx context.Context, w turns.Waiting, im booru.Image, r booru.Request, c choice, in room) (bool, error) {
	if ended, answered, err := g.refused(ctx, w, r, c, in); ended {
		return answered, err
	}
	text := g.language(w.Mention).Say(words.GIFsUnfit, words.Args{"url": in.link(im.Page)})
	nsfw := r.NSFW || !im.Rating.Safe()
	return g.send(ctx, w, in, answer{id: w.ID, nsfw: nsfw, text: text, link: nsfw}, c.tries, "", OutcomeUnfit)
}

// reply plans the answer with the picture. Fetching it took its time: whether
// it may be shown is looked at once more.
func (g *GIFs) reply(ctx context.Context, w turns.Waiting, im booru.Image, sent attached, r booru.Request, c choice, in room, outcome string) (bool, error) {
	if ended, answered, err := g.refused(ctx, w, r, c, in); ended {
		return answered, err
	}
	nsfw := r.NSFW || !im.Rating.Safe()
	a := answer{id: w.ID, nsfw: nsfw, picture: &sent, text: credit(g.language(w.Mention), im, len(r.Dropped), nsfw, in)}
	return g.send(ctx, w, in, a, c.tries, pictureOf(im), outcome)
}

// say plans a reply of words alone.
func (g *GIFs) say(ctx context.Context, w turns.Waiting, in room, text string, nsfw bool, tries int, outcome string) (bool, error) {
	return g.send(ctx, w, in, answer{id: w.ID, nsfw: nsfw, text: text}, tries, "", outcome)
}

// send plans the reply and ends the waiting in one commit, then sends it.
func (g *GIFs) send(ctx context.Context, w turns.Waiting, in room, a answer, tries int, picture, outcome string) (bool, error) {
	m := w.Mention
	var claim *outbox.Claim
	var mine bool
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		claim = nil
		if mine, err = g.Held(ctx, tx, w); err != nil || !mine {
			return err
		}
		// A command is answered all the same: "thinking" would stand there for ever.
		if stopped, err := g.stopped(ctx, tx, m); err != nil || stopped && m.Command == nil {
			return errors.Join(err, inbox.Set(ctx, tx, w.ID, inbox.Ignored, "its author has told us to stop"), g.letGo(ctx, tx, m.Account, w.ID))
		}
		if err := errors.Join(inbox.Set(ctx, tx, w.ID, inbox.Answering, ""), g.served(ctx, tx, w, picture)); err != nil {
			return err
		}
		if a.picture == nil {
			if err := g.letGo(ctx, tx, m.Account, w.ID); err != nil {
				return err
			}
		}
		g.observe(tx, outcome)
		e := in.answer(a)
		e.Key, e.Feature, e.Account, e.Again = answerKey(w.ID, tries), Name, m.Account, 2
		if e.Expires.IsZero() || !m.Expires.IsZero() && m.Expires.Before(e.Expires) {
			e.Expires = m.Expires
		}
		claim, err = g.Outbox.PlanAndClaim(ctx, tx, e)
		return err
	})
	if err != nil {
		return false, errors.Join(fmt.Errorf("plan the reply: %w", err), g.PutBack(ctx, w, time.Time{}, nil, nil))
	}
	if !mine || claim == nil {
		return false, nil // its hold had ended and somebody else has it; or it is not wanted any more
	}
	if err := g.Outbox.Deliver(ctx, claim); err != nil {
		// The outbox has it now and will bring it to its end.
		g.Log.Warn("the reply is not out yet", "account", m.Account, "post", m.Post.ID, "error", err)
		if s, ok := errors.AsType[*outbox.SendError](err); ok && s.Outcome == outbox.NotSent && !s.Alone {
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
	if e, ok := errors.AsType[*media.Error](err); ok {
		return e.RetryAt
	}
	if at := fediRetryAt(err); !at.IsZero() {
		return at
	}
	return discordRetryAt(err)
}
