package gallery

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/fedi"
	"rookery/internal/gallery/ledger"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

// AdoptedPost is a post that another program has made for a member, and of
// which that program was asked by them.
type AdoptedPost struct {
	Account community.AccountID // our application on Discord
	Target  community.AccountID // the account on the Fediverse that posted it
	Guild   community.GuildID   // may be empty; then its moderators cannot take it down
	Thread  community.ChannelID // where it came from; may be empty
	Author  community.MemberID  // whose it is
	Ack     string              // id of the message in the thread that names the post; may be empty
	Post    community.PostID
	URL     string    // of the post; may be empty
	URI     string    // likewise
	At      time.Time // when it was posted; zero: not known
}

// Adopt takes a post over, so that its author, the moderators and the operator
// find and delete it as if it had been made here. It reports false, and changes
// nothing, if it was taken over before, or was made here.
func (g *Gallery) Adopt(ctx context.Context, p AdoptedPost) (bool, error) {
	if p.Account == "" || p.Target == "" || p.Author == "" || p.Post == "" {
		return false, fmt.Errorf("take over the post %q: an account, the author or the post itself is not known", p.Post)
	}
	fresh, err := g.adopt(ctx, p)
	if errors.Is(err, outbox.ErrTaken) && p.Ack != "" {
		p.Ack = "" // it may be the message alone that is another's
		fresh, err = g.adopt(ctx, p)
	}
	if errors.Is(err, outbox.ErrTaken) {
		return false, nil // it was made here
	}
	if err != nil {
		return false, fmt.Errorf("take over the post %s: %w", p.Post, err)
	}
	return fresh, nil
}

func (g *Gallery) adopt(ctx context.Context, p AdoptedPost) (fresh bool, err error) {
	id := adoptedID(p)
	err = g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		fresh = false
		if _, err := get(ctx, tx, id); !errors.Is(err, errNone) {
			return err
		}
		post := outbox.Effect{Key: (&submission{ID: id}).postKey(), Feature: Name, Kind: fedi.PostKind, Account: p.Target, Lane: postLane(id), Payload: struct{}{}}
		if err := g.Outbox.Adopt(ctx, tx, post, string(p.Post)); err != nil {
			return err
		}
		if p.Ack != "" && p.Thread != "" {
			ack := outbox.Effect{Key: offerKey(id), Feature: Name, Kind: discord.MessageKind, Account: p.Account, Payload: struct{}{}}
			if err := g.Outbox.Adopt(ctx, tx, ack, string(discord.PostOf(p.Thread, p.Ack))); err != nil {
				return err
			}
		}
		s, err := g.adopted(ctx, tx, id, p)
		if err != nil {
			return err
		}
		if err := s.insert(ctx, tx); err != nil {
			return err
		}
		e := g.entry(s, ledger.Adopted)
		e.By, e.Via, e.Note = "", "command line", "posted by the program before this one; consent was given there; post "+string(p.Post)
		fresh = true
		return g.Ledger.Write(ctx, tx, e)
	})
	return fresh, err
}

// adoptedID is the same for the same post, however often it is taken over.
func adoptedID(p AdoptedPost) string {
	sum := sha256.Sum256([]byte("adopted\n" + string(p.Target) + "\n" + string(p.Thread) + "\n" + string(p.Post)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// adopted is the submission that stands for a post of another program.
func (g *Gallery) adopted(ctx context.Context, tx store.Tx, id string, p AdoptedPost) (*submission, error) {
	subject, err := subjectOf(ctx, tx, p.Author)
	if err != nil {
		return nil, err
	}
	now, at := g.Clock.Now(), p.At
	if at.IsZero() {
		at = now
	}
	s := &submission{
		ID: id, Account: p.Account, Guild: p.Guild, Channel: p.Thread, Spot: string(p.Thread), Artist: p.Author, Subject: subject,
		// A thread of the program before was one submission. What it began with
		// in a forum has the thread's own id.
		Source: discord.PostOf(p.Thread, string(p.Thread)),
		State:  Posted, Target: p.Target, Code: g.makeCode(), Post: p.Post, PostURL: p.URL, PostURI: p.URI, Created: at, Agreed: at, Changed: now,
	}
	var taken int64
	err = tx.QueryRow(ctx, `select count(*) from gallery_submission where source = $1`, string(s.Source)).Scan(&taken)
	if err != nil {
		return nil, fmt.Errorf("look for another submission of the thread: %w", err)
	}
	s.Adopted = true
	if taken > 0 || p.Thread == "" {
		s.Source = community.PostID("adopted:" + id)
	}
	if p.URL == "" {
		s.Next = now // its address is asked for
	}
	return s, nil
}
