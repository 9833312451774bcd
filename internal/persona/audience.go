package persona

import (
	"context"

	"rookery/internal/community"
	"rookery/internal/inbox"
)

// unwanted tells how a mention ends that was taken in and gets no answer after
// all, and why; "" if it may have one. What it asks can change while a mention
// waits.
func (p *Persona) unwanted(ctx context.Context, m community.Mention) (end inbox.State, why string, err error) {
	if p.Stopped != nil {
		stopped, err := p.Stopped(ctx, p.Store, Member(m.Post.Author))
		if err != nil {
			return "", "", err
		}
		if stopped[Member(m.Post.Author)] {
			return inbox.Ignored, "its author has told us to stop", nil
		}
	}
	on := p.on(m.Account)
	if why, err := on.welcome(ctx, nil, m); err != nil || why != "" {
		return inbox.Ignored, why, err
	}
	return on.unwanted(ctx, m)
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
