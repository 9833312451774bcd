package gallery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/gallery/ledger"
	"rookery/internal/inbox"
	"rookery/internal/store"
)

// What is kept of members, and how it is let go: mydata.Keeper.

// Retention. A post that stands is known for as long as it stands, so that it
// can be deleted; the ledger is kept.
const (
	// KeepEnded is how long it is known that something was not posted, or is
	// deleted.
	KeepEnded = 30 * 24 * time.Hour
	// KeepLetters is how long a letter is kept that the operator has seen to.
	KeepLetters = 396 * 24 * time.Hour
)

// artistOf is a member of Discord by the handle that mydata knows them by;
// false for anybody else.
func artistOf(handle string) (community.MemberID, bool) {
	id, ok := strings.CutSuffix(handle, discord.HandleOf(""))
	return community.MemberID(id), ok && id != ""
}

// ownedBy are a member's submissions in some states, also those from before
// they were forgotten.
func ownedBy(ctx context.Context, tx store.Tx, m inbox.Member, states string) ([]string, error) {
	id, ok := artistOf(m.Handle)
	if !ok {
		return nil, nil
	}
	// Without a pseudonym nobody was forgotten; '' would be everybody who is not.
	r, err := tx.Query(ctx, `select id from gallery_submission where (artist = $1 or forgotten = $2 and $2 <> '') and state in (`+states+`) order by created_at, id`,
		string(id), store.Storable(m.Pseudonym, 1<<10))
	all, err := store.Collect(r, err, func(row store.Row) (s string, err error) { return s, row.Scan(&s) })
	if err != nil {
		return nil, fmt.Errorf("read what a member has shared: %w", err)
	}
	return all, nil
}

// Shares implements mydata.Sharer: what the gallery posts answers nobody.
func (*Gallery) Shares() {}

// Members implements mydata.Lister: an artist may never have written to the bot.
func (g *Gallery) Members(ctx context.Context, tx store.Tx) ([]string, error) {
	r, err := tx.Query(ctx, `select member from gallery_artist union select artist from gallery_submission where artist <> '' union select member from gallery_quiet`)
	all, err := store.Collect(r, err, func(row store.Row) (h string, err error) {
		err = row.Scan(&h)
		return strings.ToLower(discord.HandleOf(community.MemberID(h))), err
	})
	if err != nil {
		return nil, fmt.Errorf("list the members that the gallery knows: %w", err)
	}
	return all, nil
}

// Standing counts the posts of what a member has shared.
func (g *Gallery) Standing(ctx context.Context, tx store.Tx, m inbox.Member, _ []inbox.Record) (int, error) {
	all, err := ownedBy(ctx, tx, m, `'posting', 'posted'`)
	return len(all), err
}

// DeleteAnswers plans the deletion of these posts, takes back what waits to be
// posted or for the member's answer, and returns how many it were in all.
func (g *Gallery) DeleteAnswers(ctx context.Context, tx store.Tx, m inbox.Member, _ []inbox.Record) (int, error) {
	all, err := ownedBy(ctx, tx, m, `'offered', 'review', 'accepted', 'posting', 'posted'`)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, id := range all {
		s, err := lock(ctx, tx, id)
		if err != nil {
			return 0, err
		}
		switch s.State {
		case Posting, Posted:
			if g.strange(s) {
				err = g.tellStrange(ctx, tx, s)
				break
			}
			n++
			err = g.remove(ctx, tx, s, deletion{event: ledger.Deleted, by: s.Subject, via: viaDeletePosts})
		case Offered, Review, Accepted:
			n++
			err = g.withdraw(ctx, tx, s, viaDeletePosts)
		case Deleting, Deleted, Declined, Expired, Withdrawn, Rejected: // meanwhile
		}
		if err != nil {
			return 0, fmt.Errorf("delete %s, which a member has shared: %w", s.ID, err)
		}
	}
	return n, nil
}

// viaDeletePosts is how the ledger has it that a member wrote these words.
const viaDeletePosts = "delete posts"

// ForgetMember lets go of everything that is kept of a member: what is not
// posted yet is taken back, who made what stands is not known any more, and
// nobody knows whom the ledger means. Their posts stay, and can be deleted by
// who has the delete code, by the operator, and by the member themselves, whom
// the pseudonym tells when they ask again.
func (g *Gallery) ForgetMember(ctx context.Context, tx store.Tx, m inbox.Member, _ []inbox.Record) error {
	if _, err := tx.Exec(ctx, `delete from gallery_letter where author = $1`, store.Storable(m.Handle, 1<<10)); err != nil {
		return fmt.Errorf("forget what a member wrote: %w", err)
	}
	id, ok := artistOf(m.Handle)
	if !ok {
		return nil
	}
	r, err := tx.Query(ctx, `select id from gallery_submission where artist = $1 order by created_at, id`, string(id))
	all, err := store.Collect(r, err, func(row store.Row) (s string, err error) { return s, row.Scan(&s) })
	if err != nil {
		return fmt.Errorf("read what a member has shared: %w", err)
	}
	for _, sub := range all {
		if err := g.forgetArtist(ctx, tx, sub, m.Pseudonym); err != nil {
			return fmt.Errorf("forget who shared %s: %w", sub, err)
		}
	}
	for _, sql := range []string{
		`delete from gallery_artist where member = $1`,
		`delete from gallery_quiet where member = $1`,
		// That they may not share stays: else whoever is blocked would be
		// forgotten first. It says nothing but that.
		`update gallery_block set by = '' where by = $1`,
	} {
		if _, err := tx.Exec(ctx, sql, string(id)); err != nil {
			return fmt.Errorf("forget a member: %w", err)
		}
	}
	return nil
}

// forgetArtist takes a member out of one submission.
func (g *Gallery) forgetArtist(ctx context.Context, tx store.Tx, id, pseudonym string) error {
	s, err := lock(ctx, tx, id)
	if err != nil {
		return err
	}
	if s.State.live() {
		if err := g.withdraw(ctx, tx, s, "forget me"); err != nil {
			return err
		}
	}
	if s.State == Posted {
		// It stands on the strength of what was agreed to; nothing more is done
		// on the strength of it.
		e := g.entry(s, ledger.Revoked)
		e.Via, e.Note = "forget me", "the member is forgotten; the post stands"
		if err := g.Ledger.Write(ctx, tx, e); err != nil {
			return err
		}
	}
	s.Artist, s.ArtistName, s.Credit = "", "", ""
	if s.State != Deleting { // else once that is done: who asked waits for the answer
		s.scrub()
		s.Drafting, s.Asked = nil, nil
	}
	if err := s.save(ctx, tx, g.Clock.Now()); err != nil {
		return err
	}
	// What the moderators were asked shows what the member wrote.
	if err := errors.Join(s.storeMedia(ctx, tx), g.refreshReview(ctx, tx, s)); err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `update gallery_submission set forgotten = $2 where id = $1`, s.ID, store.Storable(pseudonym, 1<<10))
	return err
}

// PurgeGuild lets go of what is kept for a guild that the bot was removed from:
// who may not share there, and who does not want to be asked. What was shared
// from it stays known as long as it stands.
func (g *Gallery) PurgeGuild(ctx context.Context, tx store.Tx, guild community.GuildID) error {
	for _, sql := range []string{`delete from gallery_block where guild = $1`, `delete from gallery_quiet where guild = $1`} {
		if _, err := tx.Exec(ctx, sql, string(guild)); err != nil {
			return fmt.Errorf("forget what the gallery keeps for guild %s: %w", guild, err)
		}
	}
	return nil
}

// pruneBatch keeps one transaction short: others wait for the writer.
const pruneBatch = 200

// Prune lets go of what has been kept long enough.
func (g *Gallery) Prune(ctx context.Context) error {
	now := g.Clock.Now()
	for {
		var n int64
		err := g.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
			r, err := tx.Query(ctx, `select id from gallery_submission where state in ('deleted', 'declined', 'expired', 'withdrawn', 'rejected') and changed_at < $1
				order by changed_at, id limit $2`, now.Add(-KeepEnded).UnixMilli(), int64(pruneBatch))
			ids, err := store.Collect(r, err, func(row store.Row) (id string, err error) { return id, row.Scan(&id) })
			if err != nil {
				return err
			}
			n = int64(len(ids))
			for _, id := range ids {
				for _, sql := range []string{`delete from gallery_medium where submission = $1`, `delete from gallery_submission where id = $1`} {
					if _, err := tx.Exec(ctx, sql, id); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("forget what was not shared: %w", err)
		}
		if n < pruneBatch {
			break
		}
	}
	err := g.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `delete from gallery_letter where done_at > 0 and done_at < $1`, now.Add(-KeepLetters).UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("forget old letters: %w", err)
	}
	return nil
}
