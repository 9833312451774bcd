package persona

import (
	"context"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
)

// unwanted tells how a mention ends that was taken in and gets no answer after
// all, and why; "" if it may have one. What it asks can change while a mention
// waits.
func (p *Persona) unwanted(ctx context.Context, m community.Mention) (end inbox.State, why string, err error) {
	if why, err := p.halted(ctx, nil, m); err != nil || why != "" {
		return inbox.Ignored, why, err
	}
	return p.on(m.Account).unwanted(ctx, m)
}

// halted tells why a mention gets no answer by what is stored here: its author
// has told us to stop, or the guild does not want us there. With a transaction
// it is as of that.
func (p *Persona) halted(ctx context.Context, tx store.Tx, m community.Mention) (why string, err error) {
	if p.Stopped != nil {
		var in inbox.Rows = p.Store
		if tx != nil {
			in = tx
		}
		stopped, err := p.Stopped(ctx, in, Member(m.Post.Author))
		if err != nil {
			return "", err
		}
		if stopped[Member(m.Post.Author)] {
			return "its author has told us to stop", nil
		}
	}
	return p.on(m.Account).welcome(ctx, tx, m)
}

// whoStopped is who of a thread's authors has told us to stop.
func (p *Persona) whoStopped(ctx context.Context, posts []community.Post) (map[string]bool, error) {
	if p.Stopped == nil || len(posts) == 0 {
		return nil, nil
	}
	seen := map[string]bool{}
	var handles []string
	for _, post := range posts {
		if h := Member(post.Author); h != "" && !seen[h] {
			seen[h] = true
			handles = append(handles, h)
		}
	}
	return p.Stopped(ctx, p.Store, handles...)
}
