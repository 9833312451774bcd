package gallery

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery/ledger"
	"rookery/internal/store"
)

// What the operator asks on the command line. It needs no platform: what is to
// be sent is sent by the process that serves.

// Errors that tell the operator what to do.
var (
	ErrNoPost    = errors.New("there is no such post: give its address, its id on its server, its delete code, or the id of the submission in the log")
	ErrNoAccount = errors.New("its account is not in the configuration any more, so it cannot be deleted from here: put the account back, or delete the post on its server")
	ErrSeveral   = errors.New("there are several posts of that id: give the address")
	ErrNoMember  = errors.New("there is nothing of that member in the consent ledger: give their id on Discord (a number), or the pseudonym in the ledger; who was forgotten is known by the latter alone")
)

// Deletion is what became of the operator's wish to have a post deleted.
type Deletion struct {
	Submission string
	Link       string // of the post; empty if it has none, or none is known
	Account    community.AccountID
	// Before is how far it was. Posting and Posted: it is being deleted now;
	// Offered, Review and Accepted: it was taken back; else nothing was to be
	// done.
	Before State
}

// DeleteByOperator has a post deleted, or what is not posted yet taken back, as
// a takedown by the operator. ref is the post's address, its id on its server,
// its delete code, or the submission; note is kept in the ledger. Its own errors
// are ErrNoPost, ErrNoAccount and ErrSeveral.
func (g *Gallery) DeleteByOperator(ctx context.Context, ref, note string) (Deletion, error) {
	f, err := g.find(ctx, ref)
	if err != nil {
		return Deletion{}, err
	}
	slices.SortStableFunc(f.all, byUrgency)
	switch {
	case len(f.all) == 0:
		return Deletion{}, ErrNoPost
	case len(f.all) > 1 && urgency(f.all[1].State) == urgency(Posted):
		return Deletion{}, ErrSeveral
	}
	id := f.all[0].ID
	var d Deletion
	err = g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		s, err := lock(ctx, tx, id)
		if errors.Is(err, errNone) {
			return ErrNoPost
		}
		if err != nil {
			return err
		}
		d = Deletion{Submission: s.ID, Link: s.PostURL, Account: s.Target, Before: s.State}
		by := deletion{event: ledger.TakenDown, by: "operator", via: "command line", note: cutRunes(oneLine(note), mostReason)}
		switch s.State {
		case Posting, Posted:
			if g.strange(s) {
				return ErrNoAccount
			}
			return g.remove(ctx, tx, s, by)
		case Offered, Review, Accepted:
			return g.endBy(ctx, tx, s, Withdrawn, ledger.Withdrawn, by)
		case Deleting, Deleted, Declined, Expired, Withdrawn, Rejected:
		}
		return nil
	})
	if err != nil {
		return d, fmt.Errorf("delete %s: %w", ref, err)
	}
	return d, nil
}

// LedgerOfPost is all that the consent ledger holds about what made a post,
// oldest first. ref is as DeleteByOperator takes it; a post that was let go of
// is found by its address, or by the submission. The error is ErrNoPost if there
// is nothing.
func (g *Gallery) LedgerOfPost(ctx context.Context, ref string) ([]ledger.Entry, error) {
	f, err := g.find(ctx, ref)
	if err != nil {
		return nil, err
	}
	if len(f.all) > 1 {
		return nil, ErrSeveral
	}
	ref = plainRef(ref)
	for _, read := range []func() ([]ledger.Entry, error){
		func() ([]ledger.Entry, error) {
			if len(f.all) == 0 {
				return nil, nil
			}
			return g.Ledger.Submission(ctx, f.all[0].ID)
		},
		func() ([]ledger.Entry, error) { return g.Ledger.Post(ctx, store.Storable(ref, longestRef)) },
		func() ([]ledger.Entry, error) { return g.Ledger.Submission(ctx, store.Storable(ref, longestRef)) },
	} {
		if all, err := read(); err != nil || len(all) > 0 {
			return all, err
		}
	}
	return nil, ErrNoPost
}

// LedgerOf is all that the consent ledger holds about a member, oldest first:
// by their id on Discord, a mention of them, their handle there, or the subject
// that the ledger calls them. The error is ErrNoMember if there is nothing.
func (g *Gallery) LedgerOf(ctx context.Context, member string) ([]ledger.Entry, error) {
	member = strings.TrimSpace(member)
	id := strings.TrimSuffix(strings.TrimPrefix(strings.TrimPrefix(member, "<@"), "!"), ">")
	id = strings.TrimSuffix(id, discord.HandleOf(""))
	subject := member
	err := g.Store.QueryRow(ctx, `select subject from gallery_artist where member = $1`, store.Storable(id, 1<<10)).Scan(&subject)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return nil, fmt.Errorf("look up what the ledger calls a member: %w", err)
	}
	all, err := g.Ledger.Subject(ctx, store.Storable(subject, 1<<10))
	if err == nil && len(all) == 0 {
		err = ErrNoMember
	}
	return all, err
}
