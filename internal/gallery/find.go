package gallery

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"rookery/internal/community"
	"rookery/internal/store"
)

// found is what somebody meant.
type found struct {
	all  []*submission // mostly one; ids may be the same on two servers
	code bool          // it was named by its delete code
}

// longestRef bounds what is looked for, in bytes.
const longestRef = 2_000

// find looks for what somebody names: by a delete code, by the address of the
// post, of a part of it, or by its id on its server, or by the submission.
// Finding nothing is no error.
func (g *Gallery) find(ctx context.Context, ref string) (found, error) {
	ref = plainRef(ref)
	if ref == "" || len(ref) > longestRef {
		return found{}, nil
	}
	if code := normalCode(ref); code != "" {
		all, err := g.where(ctx, `code = $1`, code)
		if err != nil || len(all) > 0 {
			return found{all, true}, err
		}
	}
	if u, ok := addressOf(ref); ok {
		all, err := g.findAddress(ctx, u)
		return found{all: all}, err
	}
	all, err := g.findID(ctx, ref)
	if err != nil || len(all) > 0 {
		return found{all: all}, err
	}
	all, err = g.where(ctx, `id = $1`, store.Storable(ref, longestRef))
	return found{all: all}, err
}

// plainRef takes off what people and clients put around an address or a code.
func plainRef(ref string) string {
	for {
		was := ref
		ref = strings.TrimSpace(ref)
		if open := strings.Index(ref, "]("); strings.HasPrefix(ref, "[") && open > 0 && strings.HasSuffix(ref, ")") {
			ref = ref[open+2 : len(ref)-1]
		}
		ref = strings.TrimSuffix(strings.TrimPrefix(ref, "<"), ">")
		ref = strings.Trim(ref, "`\"'“”„«»|*")
		if ref == was {
			return ref
		}
	}
}

// addressOf is a reference as an address; false if it is none.
func addressOf(ref string) (*url.URL, bool) {
	if !strings.Contains(ref, "/") {
		return nil, false
	}
	if !strings.Contains(ref, "://") {
		ref = "https://" + ref
	}
	u, err := url.Parse(ref)
	if err != nil || !strings.Contains(u.Host, ".") && !strings.Contains(u.Host, ":") && u.Hostname() != "localhost" {
		return nil, false
	}
	u.Host = strings.ToLower(u.Host)
	return u, true
}

// findAddress looks for a post by its address: the one that its server told, or
// any that ends with its id and is of the same server, like
// https://art.example/@gallery/ID, /notice/ID, /objects/ID, /notes/ID, or
// /deck/@gallery/ID.
func (g *Gallery) findAddress(ctx context.Context, u *url.URL) ([]*submission, error) {
	bare := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimRight(u.Path, "/"), RawPath: strings.TrimRight(u.RawPath, "/")}
	for _, address := range []string{u.String(), bare.String(), bare.String() + "/"} {
		all, err := g.where(ctx, `post_url = $1 or post_uri = $1`, store.Storable(address, longestRef))
		if err != nil || len(all) > 0 {
			return all, err
		}
	}
	parts := strings.FieldsFunc(u.Path, func(r rune) bool { return r == '/' })
	slices.Reverse(parts) // the id is at the end, or nearly
	for _, part := range parts[:min(len(parts), 3)] {
		all, err := g.findID(ctx, part)
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(s *submission) bool { return !g.on(s, u.Host) })
		if len(all) > 0 {
			return all, nil
		}
	}
	return nil, nil
}

// on tells whether a submission's post is on a server, as far as its host is
// known.
func (g *Gallery) on(s *submission, host string) bool {
	a, _ := g.account(s.Target)
	_, home, _ := cutLast(a.Handle, "@")
	hosts := slices.DeleteFunc([]string{home, hostOf(s.PostURL), hostOf(s.PostURI)}, func(h string) bool { return h == "" })
	return len(hosts) == 0 || slices.ContainsFunc(hosts, func(h string) bool { return strings.EqualFold(h, host) })
}

// findID looks for a post, or a part of one, by its id on its server.
func (g *Gallery) findID(ctx context.Context, id string) ([]*submission, error) {
	id = store.Storable(id, longestRef)
	all, err := g.where(ctx, `post = $1 and post <> ''`, id)
	if err != nil || len(all) > 0 {
		return all, err
	}
	r, err := g.Store.Query(ctx, `select distinct target from gallery_submission where target <> ''`)
	targets, err := store.Collect(r, err, func(row store.Row) (a community.AccountID, err error) { return a, row.Scan((*string)(&a)) })
	if err != nil {
		return nil, fmt.Errorf("look for a post: %w", err)
	}
	for _, target := range targets {
		key, ok, err := g.Outbox.KeyOf(ctx, target, id)
		if err != nil {
			return nil, err
		}
		of, is := strings.CutPrefix(key, "gallery/post/")
		if !ok || !is {
			continue
		}
		of, _, _ = strings.Cut(of, "/")
		s, err := get(ctx, g.Store, of)
		if errors.Is(err, errNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, nil
}

// where reads the submissions for which a condition on their rows holds, the
// latest first, a hundred at most.
func (g *Gallery) where(ctx context.Context, where string, args ...any) ([]*submission, error) {
	r, err := g.Store.Query(ctx, `select `+columns+` from gallery_submission where `+where+` order by created_at desc, id limit 100`, args...)
	all, err := store.Collect(r, err, scanSubmission)
	if err != nil {
		return nil, fmt.Errorf("look for what was shared: %w", err)
	}
	for _, s := range all {
		if err := s.readMedia(ctx, g.Store); err != nil {
			return nil, err
		}
	}
	return all, nil
}
