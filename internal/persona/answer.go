package persona

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rookery/internal/community"
	"rookery/internal/failpoint"
	"rookery/internal/inbox"
	"rookery/internal/llm"
	"rookery/internal/outbox"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// maxDeclined is how often a model may decline, or say nothing to, one mention.
const maxDeclined = 4

// Answer answers waiting mentions of an account until none is due, limit are
// answered (no limit if it is negative), or the model or the server is in
// trouble, which is the error it returns. Nothing is lost by an error.
func (p *Persona) Answer(ctx context.Context, account community.AccountID, limit int) (answered int, err error) {
	answered, err = p.Round(ctx, account, limit, p.one)
	if p.Trouble != nil && ctx.Err() == nil && (llm.ClassOf(err) != "" || answered > 0) {
		p.Trouble(ctx, modelError(err))
	}
	if llm.ClassOf(err) != "" && ctx.Err() == nil {
		if err := p.patienceOver(ctx, account); err != nil {
			p.Log.Warn("who has waited long could not be told", "account", account, "error", err)
		}
	}
	return answered, err
}

// modelError is the error if it is the model's.
func modelError(err error) error {
	if llm.ClassOf(err) == "" {
		return nil
	}
	return err
}

// one answers one mention. Its error is trouble that others would meet too;
// what concerns this mention alone is settled here.
func (p *Persona) one(ctx context.Context, picked turns.Waiting) (answered bool, err error) {
	failpoint.At("3-picked")
	w := waiting{Waiting: picked}
	m := w.Mention
	on := p.on(m.Account)
	if end, why, err := p.unwanted(ctx, m); err != nil {
		return false, p.trouble(ctx, w, err)
	} else if why != "" {
		return false, p.closeUnwanted(ctx, w, end, why)
	}
	self, err := on.Self(m.Account)
	if err != nil {
		return false, errors.Join(err, p.putBack(ctx, w, time.Time{}, nil))
	}
	how, err := on.manner(ctx, m, self)
	if err != nil {
		return false, errors.Join(err, p.putBack(ctx, w, time.Time{}, nil))
	}
	above, below, err := on.thread(ctx, m, self)
	if err != nil {
		return false, p.noThread(ctx, w, err)
	}
	failpoint.At("4-thread-read")
	// By the server's clock, of which this very answer has told: ours may have
	// jumped.
	if !m.Expires.IsZero() && on.Now(m.Account).After(m.Expires) {
		return false, p.close(ctx, w, inbox.Expired, "it waited too long for an answer")
	}
	if done, err := p.answeredBefore(ctx, self, m, below); err != nil {
		return false, p.trouble(ctx, w, err)
	} else if done {
		if under, err := p.patienceUnderWay(ctx, m); err != nil {
			return false, p.trouble(ctx, w, err)
		} else if under {
			return false, p.putBack(ctx, w, p.Clock.Now().Add(time.Minute), nil)
		}
		return false, p.close(ctx, w, inbox.Done, "the thread holds our answer already")
	}
	if goesRound(m, above) {
		return false, p.close(ctx, w, inbox.Ignored, "the thread goes round: this was said in it before")
	}
	said, err := p.ask(ctx, &w, self, above, how)
	if over, ok := asExceeded(err); ok {
		return false, p.overBudget(ctx, w, over)
	}
	if err != nil {
		return false, p.noAnswer(ctx, w, err)
	}
	failpoint.At("5-model-answered")
	texts := how.compose(said)
	if len(texts) == 0 {
		return false, p.noAnswer(ctx, w, errNothingLeft)
	}
	return p.send(ctx, w, how.effect(texts))
}

var (
	errNothingLeft = errors.New("nothing of the model's answer can be said")
	errOwnPrompt   = errors.New("the model recited what it was told to be")
)

// mostPosts is how many posts an answer may take.
func (p *Persona) mostPosts() int {
	if p.Thread {
		return max(p.MaxPosts, 1)
	}
	return 1
}

// answeredBefore looks for a reply of ours to this very post: after a restored
// backup or a take-over the server knows what the database has forgotten. A
// notice that we know of is no answer.
func (p *Persona) answeredBefore(ctx context.Context, self community.Member, m community.Mention, below []community.Post) (bool, error) {
	for _, post := range below {
		if post.ParentID != m.Post.ID || post.Author.ID != self.ID {
			continue
		}
		if notice, err := p.isNotice(ctx, m.Account, post.ID); err != nil || !notice {
			return err == nil, err
		}
	}
	return false, nil
}

// ask reserves what the answer may cost and asks the model. What it then has
// cost is noted with the mention, to be counted when it is settled.
func (p *Persona) ask(ctx context.Context, w *waiting, self community.Member, above []community.Post, how manner) (string, error) {
	// A conversation that was too large for the model is halved each time.
	limit := max(p.MaxPromptChars>>min(w.Declined, 4), min(p.MaxPromptChars, 2_000))
	who, err := p.spender(ctx, w.Mention)
	if err != nil {
		return "", err
	}
	s := setting{self: self, how: how}
	if how.call != nil {
		s.called = how.call(append(slices.Clone(above), w.Mention.Post))
	}
	if s.stopped, err = p.whoStopped(ctx, above); err != nil {
		return "", err
	}
	s.pages = p.readPages(ctx, w.Mention, above, s)
	conversation := p.prompt(s, w.Mention, above, how.chars, limit)
	most := p.most(conversation)
	if err := p.reserve(ctx, *w, who, most); err != nil {
		return "", err
	}
	w.reserved = p.Budget != nil
	ctx, cancel := context.WithTimeout(ctx, p.ModelTimeout)
	defer cancel()
	answer, err := p.Model.Complete(ctx, conversation)
	w.used = used(most, answer, err)
	if err != nil {
		return "", err
	}
	if recites(answer.Text, p.systemOf(s, how.chars)) {
		return "", errOwnPrompt
	}
	if answer.Truncated {
		runes := []rune(answer.Text)
		return shorten(runes, len(runes)), nil
	}
	return answer.Text, nil
}

// send plans the reply and ends the waiting in one commit, then sends it.
func (p *Persona) send(ctx context.Context, w waiting, reply outbox.Effect) (bool, error) {
	m := w.Mention
	reply.Key, reply.Feature, reply.Account, reply.Expires = keyPrefix+string(w.ID), Name, m.Account, m.Expires
	var claim *outbox.Claim
	var mine bool
	err := p.Store.Write(ctx, func(ctx context.Context, tx store.Tx) (err error) {
		claim = nil
		if mine, err = p.Held(ctx, tx, w.Waiting); err != nil || !mine {
			return err
		}
		// The model took its time: who has told us to stop meanwhile, or a guild
		// that has turned us off, gets no answer any more.
		why, err := p.halted(ctx, tx, m)
		if err != nil {
			return err
		}
		state := inbox.Answering
		if why != "" {
			state = inbox.Ignored
		}
		if err := inbox.Set(ctx, tx, w.ID, state, why); err != nil {
			return err
		}
		if w.reserved {
			if err := errors.Join(p.charge(ctx, tx, w), p.Budget.Settle(ctx, tx, reservation(w))); err != nil {
				return err
			}
		}
		if why != "" {
			return nil
		}
		claim, err = p.Outbox.PlanAndClaim(ctx, tx, reply)
		return err
	})
	if err != nil {
		return false, errors.Join(fmt.Errorf("plan the answer: %w", err), p.putBack(ctx, w, time.Time{}, nil))
	}
	if !mine || claim == nil {
		return false, nil // its lease had ended and somebody else has it; or it is not wanted any more
	}
	if err := p.Outbox.Deliver(ctx, claim); err != nil {
		// The outbox has it now and will bring it to its end.
		p.Log.Warn("the answer is not out yet", "account", m.Account, "post", m.Post.ID, "error", err)
		if s, ok := errors.AsType[*outbox.SendError](err); ok && s.Outcome == outbox.NotSent && !s.Alone {
			return true, err // the server is in trouble; the others would meet it too
		}
	}
	return true, nil
}

// noThread settles a thread that could not be read.
func (p *Persona) noThread(ctx context.Context, w waiting, err error) error {
	switch is := p.on(w.Mention.Account).fault(err); {
	case is.gone:
		return p.close(ctx, w, inbox.Gone, "the post was deleted")
	case is.hopeless:
		return p.decline(ctx, w, err)
	}
	return p.trouble(ctx, w, err)
}

// noAnswer settles a model that gave none.
func (p *Persona) noAnswer(ctx context.Context, w waiting, err error) error {
	class := llm.ClassOf(err)
	switch {
	case class == llm.Refused, class == llm.Empty, class == llm.TooLarge, errors.Is(err, errNothingLeft), errors.Is(err, errOwnPrompt):
		return p.decline(ctx, w, err)
	}
	return p.trouble(ctx, w, err)
}

// askedFor is when a server or the model's endpoint asked to be tried again,
// by our clock; zero if it did not say. Once in the longest back-off it is
// asked in any case: what it said may be wrong, or mended since.
func (p *Persona) askedFor(err error) time.Time {
	var at time.Time
	if e, ok := errors.AsType[*llm.Error](err); ok {
		at = e.RetryAt
	} else {
		for _, on := range []platform{p.fediverse, p.discord} {
			if is := on.fault(err); at.IsZero() {
				at = is.retryAt
			}
		}
	}
	if latest := p.Clock.Now().Add(turns.LongestWait); at.After(latest) {
		return latest
	}
	return at
}
