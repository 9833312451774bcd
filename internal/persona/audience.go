package persona

import (
	"context"
	"strings"

	"rookery/internal/community"
)

// unwanted tells why a mention that was taken in gets no answer after all; ""
// if it may. What it asks can change while a mention waits.
func (p *Persona) unwanted(ctx context.Context, m community.Mention) (string, error) {
	if p.Stopped != nil {
		stopped, err := p.Stopped(ctx, p.Store, Member(m.Post.Author))
		if err != nil {
			return "", err
		}
		if stopped[Member(m.Post.Author)] {
			return "its author has told us to stop", nil
		}
	}
	switch p.Audience {
	case Local:
		if strings.Contains(m.Post.Author.Acct, "@") {
			return "its author is not of our server, and the audience is local", nil
		}
	case Followers:
		follows, err := p.platform.FollowsUs(ctx, m.Account, m.Post.Author.ID)
		if err != nil {
			return "", err
		}
		if !follows {
			return "its author does not follow us, and the audience is followers", nil
		}
	}
	return "", nil
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
