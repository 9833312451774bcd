package gallery

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rookery/internal/budget"
	"rookery/internal/discord"
	"rookery/internal/failpoint"
	"rookery/internal/gallery/ledger"
	"rookery/internal/llm"
	"rookery/internal/media"
	"rookery/internal/store"
	"rookery/internal/words"
)

const (
	// stillSide is how large a picture is that a model is shown: at low detail
	// OpenAI's see no more (https://platform.openai.com/docs/guides/images-vision).
	stillSide = 512
	// stillBytes bounds it.
	stillBytes = 512 << 10
	// againWithin is how long a failure that may pass may have taken for the
	// model to be asked once more; with the second try it takes a minute in all.
	againWithin = 30 * time.Second
)

// mayBeDescribed gives a submission back if its artist has said yes to a model
// that is not the one in use any more, or if the ledger knows of no such yes.
// Nothing has gone anywhere then.
func (w *worker) mayBeDescribed(ctx context.Context, s *submission) error {
	if !s.AI || s.undescribedPictures() == 0 {
		return nil
	}
	ok, err := w.saidYes(ctx, w.Store, s)
	if err != nil || ok {
		return err
	}
	return &back{note: words.GalleryWorkAIChanged}
}

// saidYes asks the ledger whether pictures of a submission may go to the model
// that is in use, and to who runs it.
func (w *worker) saidYes(ctx context.Context, q ledger.Querier, s *submission) (bool, error) {
	a, ok := w.account(s.Target)
	if w.Model == nil || !ok || !a.AI {
		return false, nil
	}
	processor, model, ok, err := w.Ledger.AI(ctx, q, s.ID)
	return ok && processor == w.processorName() && model == w.ModelName, err
}

// describeWhilePosting has the model describe a picture that nobody has, if the
// artist has said yes to that. It never stands in the way of the post: a picture
// that the model did not describe goes without.
func (w *worker) describeWhilePosting(ctx context.Context, s *submission, m *medium, f media.File) error {
	if !s.AI || m.by() != byNobody || m.Tried > 0 || !m.picture() || !f.Type.Image() {
		return nil
	}
	text, err := w.look(ctx, s, m, f, ledger.Described, func(ctx context.Context, tx store.Tx, e ledger.Entry) error {
		now, err := w.asAgreed(ctx, tx, s)
		if err != nil {
			return err
		}
		if ok, err := w.saidYes(ctx, tx, now); err != nil {
			return err
		} else if !ok {
			return &back{note: words.GalleryWorkAIChanged}
		}
		return w.Ledger.Write(ctx, tx, e)
	})
	if err != nil {
		return err
	}
	err = w.noteMedium(ctx, s, m, func(m *medium) {
		m.Model = text
		if text == "" {
			m.Tried++
		}
	})
	failpoint.At("y7-described")
	return err
}

// look shows the model a picture, once consent has written into the ledger, in
// its transaction, that this is done. The text is empty if the model did not
// say anything that can be used, for whatever reason. The error is consent's,
// the database's, or ctx's.
func (w *worker) look(ctx context.Context, s *submission, m *medium, f media.File, event ledger.Event, consent func(ctx context.Context, tx store.Tx, e ledger.Entry) error) (string, error) {
	picture, hash, err := w.still(ctx, f)
	if err != nil {
		return "", w.withoutWords(ctx, s, m, err)
	}
	shown := conversation(picture, w.prompt(s))
	most := w.most(shown)
	key := uploadKey(s.ID, m.N)
	var over *budget.Exceeded
	err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		over = nil
		if w.Budget != nil {
			if err := w.Budget.Reserve(ctx, tx, key, w.spender(s), most); errors.As(err, &over) {
				return nil // that it was exceeded is noted there
			} else if err != nil {
				return err
			}
		}
		e := w.entry(s, event)
		e.By, e.Processor, e.Model = "", w.processorName(), w.ModelName
		e.Media = []ledger.Medium{{N: m.N, SHA256: m.SHA256, Alt: string(byModel)}}
		e.Note = "sent: sha256 " + hash
		return consent(ctx, tx, e)
	})
	if err == nil && over != nil {
		return "", w.withoutWords(ctx, s, m, over)
	}
	if err != nil {
		return "", err
	}
	answer, used, asking := w.ask(ctx, s, picture, shown, most)
	// What was spent is spent, whatever becomes of it. It is no reply to anybody:
	// a member's replies do not become fewer.
	if w.Budget != nil {
		err := w.Store.WriteRelaxed(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
			if err := w.Budget.Charge(ctx, tx, key, used); err != nil {
				return err
			}
			return w.Budget.Release(ctx, tx, key)
		})
		if err != nil {
			return "", fmt.Errorf("note what a description has cost: %w", err)
		}
	}
	if asking != nil {
		return "", w.withoutWords(ctx, s, m, asking)
	}
	return unquoted(answer), nil
}

// withoutWords notes why a picture goes without a description; only the end of
// ctx is an error.
func (w *worker) withoutWords(ctx context.Context, s *submission, m *medium, why error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.Log.Warn("a picture is not described", "submission", s.ID, "medium", m.N, "error", why)
	return nil
}

// still is a picture as a model is shown it, and its hash.
func (w *worker) still(ctx context.Context, f media.File) (llm.Image, string, error) {
	ctx, cancel := context.WithTimeout(ctx, w.ConvertTimeout)
	defer cancel()
	small, err := w.Media.Still(ctx, f, stillSide, stillBytes)
	if err != nil {
		return llm.Image{}, "", err
	}
	if small.Path != f.Path {
		defer w.throwAway(small)
	}
	hash, err := small.SHA256()
	if err != nil {
		return llm.Image{}, "", err
	}
	r, err := small.Open()
	if err != nil {
		return llm.Image{}, "", err
	}
	data, err := io.ReadAll(io.LimitReader(r, stillBytes))
	return llm.Image{Type: string(small.Type), Data: data}, hash, errors.Join(err, r.Close())
}

// spender is on whose account a description goes.
func (w *worker) spender(s *submission) budget.Spender {
	return budget.Spender{Feature: Name, Account: s.Target, Member: discord.HandleOf(s.Artist), Guild: string(s.Guild)}
}

// ask asks the model for a description: once more if it failed for a reason
// that may pass, and once more, for a shorter one, if it was cut off.
func (w *worker) ask(ctx context.Context, s *submission, picture llm.Image, shown []llm.Message, most budget.Tokens) (text string, used budget.Tokens, err error) {
	began := w.Clock.Now()
	complete := func(conversation []llm.Message, within time.Duration) (llm.Answer, error) {
		ctx, cancel := context.WithTimeout(ctx, within)
		defer cancel()
		a, err := w.Model.Complete(ctx, conversation)
		u := usedBy(most, a, err)
		used.Prompt, used.Completion = used.Prompt+u.Prompt, used.Completion+u.Completion
		return a, err
	}
	a, err := complete(shown, w.ModelTimeout)
	if class := llm.ClassOf(err); (class == llm.Transient || class == llm.Rate) && ctx.Err() == nil && w.Clock.Now().Sub(began) < againWithin {
		a, err = complete(shown, min(w.ModelTimeout, againWithin))
	}
	if err != nil {
		return "", used, err
	}
	if !a.Truncated {
		return a.Text, used, nil
	}
	shorter, err := complete(conversation(picture, w.prompt(s)+" "+shorterPlease), w.ModelTimeout)
	switch {
	case err == nil && !shorter.Truncated:
		return shorter.Text, used, nil
	case err == nil:
		a = shorter
	}
	return wholeSentences(a.Text), used, nil
}

// usedBy is what an answer has cost: the endpoint's own count, else an estimate
// of what went there and came back.
func usedBy(most budget.Tokens, a llm.Answer, err error) budget.Tokens {
	switch {
	case a.PromptTokens > 0 || a.CompletionTokens > 0:
		return budget.Tokens{Prompt: int64(a.PromptTokens), Completion: int64(a.CompletionTokens)}
	case err == nil, llm.ClassOf(err) == llm.Refused, llm.ClassOf(err) == llm.Empty:
		return budget.Tokens{Prompt: most.Prompt, Completion: budget.Estimate(2 * len([]rune(a.Text)))}
	}
	return budget.Tokens{}
}
