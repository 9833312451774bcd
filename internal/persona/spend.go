package persona

import (
	"context"
	"errors"
	"strings"
	"unicode/utf8"

	"rookery/internal/budget"
	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/llm"
	"rookery/internal/store"
	"rookery/internal/turns"
)

// Member is the name under which a member's use of the budget is counted.
func Member(m community.Member) string { return strings.ToLower(m.Handle) }

func (p *Persona) spender(ctx context.Context, m community.Mention) (budget.Spender, error) {
	replies, err := p.on(m.Account).replies(ctx, m)
	return budget.Spender{Feature: Name, Account: m.Account, Member: Member(m.Post.Author),
		Guild: string(m.Post.Place.Guild), MemberReplies: replies}, err
}

// reservation is the key of a mention's place in the budget: that of its
// answer, so that another try has the same one.
func reservation(w waiting) string { return keyPrefix + string(w.ID) }

// most is what asking for an answer may use at most, as far as that can be
// told before.
func (p *Persona) most(conversation []llm.Message) budget.Tokens {
	chars := 0
	for _, m := range conversation {
		chars += weight(m.Text)
	}
	return budget.Tokens{Prompt: budget.Estimate(chars), Completion: int64(p.MaxTokens)}
}

// weight is the length of a text for an estimate of its tokens: the tokens of
// most models hold about four letters of English, but two of other scripts.
func weight(text string) int {
	runes := utf8.RuneCountInString(text)
	ascii := 0
	for i := range len(text) {
		if text[i] < utf8.RuneSelf {
			ascii++
		}
	}
	return ascii + 2*(runes-ascii)
}

// reserve sets aside what the answer may use. Its error is a *budget.Exceeded
// if that is more than is left.
func (p *Persona) reserve(ctx context.Context, w waiting, who budget.Spender, most budget.Tokens) error {
	if p.Budget == nil {
		return nil
	}
	var over *budget.Exceeded
	err := p.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		over = nil
		err := p.Budget.Reserve(ctx, tx, reservation(w), who, most)
		if errors.As(err, &over) {
			return nil // that it was exceeded is noted there
		}
		return err
	})
	if over != nil {
		return over
	}
	return err
}

// used is what an answer has cost: the endpoint's own count, else an estimate
// of what went there and came back. A request that failed on its way may have
// cost something too, which nobody tells; that is not counted.
func used(most budget.Tokens, a llm.Answer, err error) budget.Tokens {
	switch {
	case a.PromptTokens > 0 || a.CompletionTokens > 0:
		return budget.Tokens{Prompt: int64(a.PromptTokens), Completion: int64(a.CompletionTokens)}
	case err == nil, llm.ClassOf(err) == llm.Refused, llm.ClassOf(err) == llm.Empty:
		return budget.Tokens{Prompt: most.Prompt, Completion: budget.Estimate(weight(a.Text))}
	}
	return budget.Tokens{}
}

// charge counts what an answer has cost, whatever becomes of it.
func (p *Persona) charge(ctx context.Context, tx store.Tx, w waiting) error {
	if p.Budget == nil || w.used == (budget.Tokens{}) {
		return nil
	}
	return p.Budget.Charge(ctx, tx, reservation(w), w.used)
}

// release gives back what a mention has reserved and not used: it gets no
// answer, or not now.
func (p *Persona) release(ctx context.Context, tx store.Tx, w waiting) error {
	if p.Budget == nil || !w.reserved {
		return nil
	}
	if err := p.charge(ctx, tx, w); err != nil {
		return err
	}
	return p.Budget.Release(ctx, tx, reservation(w))
}

// overBudget ends a mention for which nothing is left today. Its member is
// told, once a day; they may ask again tomorrow.
func (p *Persona) overBudget(ctx context.Context, w waiting, over *budget.Exceeded) error {
	if over.Passing() {
		// Others hold what is left, and may give some of it back.
		return p.putBack(ctx, w, p.Clock.Now().Add(turns.Backoff(w.Attempts)), over)
	}
	reason := "the budget is used up: " + over.Error()
	return p.Close(ctx, w.Waiting, inbox.Declined, reason, p.releasing(w, func(ctx context.Context, tx store.Tx) error {
		return p.notify(ctx, tx, w.Mention, p.budgetNotice(w.Mention, over))
	}))
}

func asExceeded(err error) (*budget.Exceeded, bool) {
	var over *budget.Exceeded
	return over, errors.As(err, &over)
}
