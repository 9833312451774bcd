package gallery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// Kept implements mydata.Reporter: what is known of a member here, besides the
// posts that stand. On Discord they are known by what they share, on the
// Fediverse by what they wrote to the account.
func (g *Gallery) Kept(ctx context.Context, tx store.Tx, m inbox.Member, l words.Language) ([]string, error) {
	k := kept{ctx: ctx, tx: tx, l: l}
	if id, ok := artistOf(m.Handle); ok {
		k.count(words.GalleryKeptWaiting, `select count(*) from gallery_submission where artist = $1 and state in ('offered', 'review', 'accepted')`, string(id))
		k.count(words.GalleryKeptEnded, `select count(*) from gallery_submission where artist = $1 and state in ('deleted', 'declined', 'expired', 'withdrawn', 'rejected')`, string(id))
		k.artist(string(id))
		k.count(words.GalleryKeptQuiet, `select count(*) from gallery_quiet where member = $1`, string(id))
		k.count(words.GalleryKeptBlocked, `select count(*) from gallery_block where member = $1`, string(id))
		k.count(words.GalleryKeptBlockedBy, `select count(*) from gallery_block where by = $1`, string(id))
	}
	k.letters(m.Handle)
	if k.err != nil {
		return nil, fmt.Errorf("see what the gallery keeps of a member: %w", k.err)
	}
	return k.lines, nil
}

// kept collects lines until an error.
type kept struct {
	ctx   context.Context
	tx    store.Tx
	l     words.Language
	lines []string
	err   error
}

// one reads one row; false means that there is none.
func (k *kept) one(sql, arg string, to ...any) bool {
	if k.err != nil {
		return false
	}
	err := k.tx.QueryRow(k.ctx, sql, store.Storable(arg, 1<<10)).Scan(to...)
	if errors.Is(err, store.ErrNoRows) {
		return false
	}
	k.err = err
	return err == nil
}

func (k *kept) say(key words.Key, a words.Args) { k.lines = append(k.lines, k.l.Say(key, a)) }

// count adds a line if there is anything to count.
func (k *kept) count(key words.Key, sql, arg string) {
	var n int64
	if k.one(sql, arg, &n) && n > 0 {
		k.say(key, words.Args{"n": n, "kept": inDays(KeepEnded)})
	}
}

// artist adds what a member has said of themselves, and what the ledger calls
// them.
func (k *kept) artist(id string) {
	var subject, name, links string
	if !k.one(`select subject, name, links from gallery_artist where member = $1`, id, &subject, &name, &links) {
		return
	}
	credit, err := readLinks(links)
	if err != nil {
		k.err = err
		return
	}
	if name != "" {
		credit = append([]string{name}, credit...)
	}
	if len(credit) > 0 {
		k.say(words.GalleryKeptCredit, words.Args{"credit": strings.Join(credit, ", ")})
	}
	k.say(words.GalleryKeptLedger, words.Args{"pseudonym": subject})
}

// letters adds what somebody wrote to the accounts.
func (k *kept) letters(handle string) {
	var n, first int64
	if k.one(`select count(*), coalesce(min(at), 0) from gallery_letter where author = $1`, handle, &n, &first) && n > 0 {
		k.say(words.GalleryKeptLetters, words.Args{"n": n, "since": k.l.Date(time.UnixMilli(first).UTC()), "kept": inDays(KeepLetters)})
	}
}

// inDays is a time as a number of days, in whichever language it is said.
func inDays(d time.Duration) words.Phrase {
	return words.Phrase{Key: words.CommonDays, Args: words.Args{"n": int64(d / (24 * time.Hour))}}
}
