package gallery

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/store"
	"rookery/internal/words"
)

// mostLetter bounds what is kept of a letter, in runes.
const mostLetter = 5_000

// letters takes what is written to the accounts that show the gallery: requests
// to take something down, mistakes in descriptions, thanks. The operator reads
// them; nobody answers by itself.
type letters struct{ *Gallery }

var _ inbox.Ageless = letters{}

// Letters is the gallery's part in what its accounts on the Fediverse are
// mentioned for: every mention that no other feature wants is kept for the
// operator, and the operator is told.
func (g *Gallery) Letters() inbox.Feature { return letters{g} }

// Name implements inbox.Feature.
func (letters) Name() string { return Name }

// Wants implements inbox.Feature.
func (letters) Wants(community.Mention) (bool, string) { return true, "" }

// Ageless implements inbox.Ageless: a request to take something down is none
// the less after a week without power.
func (letters) Ageless() bool { return true }

// Accept implements inbox.Feature.
func (l letters) Accept(ctx context.Context, tx store.Tx, id inbox.ID, m community.Mention) error {
	text := strings.TrimSpace(m.Post.Text)
	if cw := strings.TrimSpace(m.Post.CW); cw != "" {
		text = strings.TrimSpace("[" + cw + "] " + text)
	}
	for _, a := range m.Post.Media {
		text += "\n" + strings.TrimSpace(a.URL+" "+oneLine(a.Description))
	}
	text = cutRunes(strings.TrimSpace(text), mostLetter)
	author, link := strings.ToLower(m.Post.Author.Handle), m.Post.URL
	if link == "" {
		link = m.Post.URI
	}
	at := m.Notified
	if at.IsZero() {
		at = m.Post.At
	}
	direct := int64(0)
	if m.Post.Visibility == community.Direct {
		direct = 1
	}
	_, err := tx.Exec(ctx, `insert into gallery_letter (id, account, author, url, direct, words, at) values ($1, $2, $3, $4, $5, $6, $7) on conflict (id) do nothing`,
		string(id), string(m.Account), store.Storable(author, 1<<10), store.Storable(link, 4<<10), direct, store.Storable(text, 8*mostLetter), at.UnixMilli())
	if err != nil {
		return fmt.Errorf("keep a letter: %w", err)
	}
	if l.Tell != nil {
		a, _ := l.account(m.Account)
		// Who it is from, where it is, which says who, and what it says is in
		// the inbox alone: notices are kept, and logged.
		args := words.Args{"account": handleOf(a), "id": string(id)}
		key := words.GalleryOperatorLetter
		if direct == 1 {
			key = words.GalleryOperatorLetterDirect
		}
		if err := l.Tell(ctx, tx, "gallery/letter/"+string(id), func(l words.Language) string { return l.Say(key, args) }); err != nil {
			return err
		}
	}
	return inbox.Set(ctx, tx, id, inbox.Done, "a letter for the operator")
}

// Wake implements inbox.Feature; Accept has done it all.
func (letters) Wake(context.Context, store.Tx, community.AccountID) error { return nil }

// Letter is what somebody has written to an account that shows the gallery.
type Letter struct {
	ID      string
	Account community.AccountID // ours
	Author  string              // handle, in small letters
	URL     string              // of the post; may be empty
	Direct  bool                // only we can read it
	Words   string              // plain text, the addresses of its media at the end
	At      time.Time           // when our server told of it
	Done    time.Time           // zero: it is open
}

// ErrNoLetter says that there is no letter of that id.
var ErrNoLetter = errors.New("there is no letter of that id")

// ReadLetters lists letters, the oldest first: those that are open, or all.
func (g *Gallery) ReadLetters(ctx context.Context, open bool) ([]Letter, error) {
	where := ``
	if open {
		where = ` where done_at = 0`
	}
	r, err := g.Store.Query(ctx, `select id, account, author, url, direct, words, at, done_at from gallery_letter`+where+` order by at, id`)
	all, err := store.Collect(r, err, func(row store.Row) (l Letter, err error) {
		var direct, at, done int64
		err = row.Scan(&l.ID, (*string)(&l.Account), &l.Author, &l.URL, &direct, &l.Words, &at, &done)
		l.Direct, l.At, l.Done = direct == 1, time.UnixMilli(at), timeOf(done)
		return l, err
	})
	if err != nil {
		return nil, fmt.Errorf("read the letters: %w", err)
	}
	return all, nil
}

// LetterDone notes that the operator has seen to a letter; once more changes
// nothing. The error is ErrNoLetter if there is none.
func (g *Gallery) LetterDone(ctx context.Context, id string) error {
	err := g.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		n, err := tx.Exec(ctx, `update gallery_letter set done_at = case when done_at = 0 then $2 else done_at end where id = $1`, id, g.Clock.Now().UnixMilli())
		if err == nil && n == 0 {
			return ErrNoLetter
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("letter %s: %w", id, err)
	}
	return nil
}
