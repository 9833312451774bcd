package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"time"

	"rookery/internal/store"
)

// turn is the number of the lock under which one writer at a time takes the
// next place in the chain, on PostgreSQL.
const turn int64 = 0x67_6c_65_64_67_65_72 // "gledger"

// Write adds an entry in the caller's transaction: it stands if, and only if,
// what the caller did stands. On PostgreSQL nobody else writes to the ledger
// until that transaction ends, so it is best among its last statements. An
// unknown event, or an entry without submission or subject, is an error.
func (l *Ledger) Write(ctx context.Context, tx store.Tx, e Entry) error {
	if err := l.write(ctx, tx, e); err != nil {
		return fmt.Errorf("write %s of %s to the consent ledger: %w", e.Event, e.Submission, err)
	}
	return nil
}

func (l *Ledger) write(ctx context.Context, tx store.Tx, e Entry) error {
	r, err := l.row(e)
	if err != nil {
		return err
	}
	if l.store.Dialect() == store.Postgres {
		// What follows must see what the writer before has committed, so the
		// lock is a statement of its own. SQLite has one writer.
		if _, err := tx.Exec(ctx, `select pg_advisory_xact_lock($1)`, turn); err != nil {
			return err
		}
	}
	before := ""
	err = tx.QueryRow(ctx, `select seq, chain from gallery_ledger order by seq desc limit 1`).Scan(&r.seq, &before)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return err
	}
	r.seq++
	if e.Text != "" {
		_, err := tx.Exec(ctx, `insert into gallery_ledger_text (hash, body) values ($1, $2) on conflict (hash) do nothing`, r.textHash, e.Text)
		if err != nil {
			return err
		}
	}
	r.chain = r.link(before)
	_, err = tx.Exec(ctx, `insert into gallery_ledger (`+columns+`)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`, r.values()...)
	return err
}

// row is an entry as it is stored.
type row struct {
	seq, at          int64
	event            string
	submission       string
	subject          string
	guild, channel   string
	source, account  string
	target           string
	processor, model string
	textHash         string
	media            string
	post             string
	by, via, note    string
	chain            string
}

const columns = `seq, at, event, submission, subject, guild, channel, source, account, target,
	processor, model, text_hash, media, post, done_by, via, note, chain`

func (r *row) values() []any {
	return []any{r.seq, r.at, r.event, r.submission, r.subject, r.guild, r.channel, r.source, r.account, r.target,
		r.processor, r.model, r.textHash, r.media, r.post, r.by, r.via, r.note, r.chain}
}

func (l *Ledger) row(e Entry) (*row, error) {
	if !slices.Contains(Events(), e.Event) {
		return nil, errors.New("there is no such event")
	}
	if e.Submission == "" || e.Subject == "" {
		return nil, errors.New("it needs a submission and a subject")
	}
	if len(e.Text) > MaxText || store.Storable(e.Text, MaxText) != e.Text {
		return nil, ErrText
	}
	if len(e.Media) > MaxMedia {
		return nil, fmt.Errorf("%d media are more than %d", len(e.Media), MaxMedia)
	}
	media := slices.Clone(e.Media)
	for i := range media {
		m := &media[i]
		m.Name, m.SHA256, m.Alt = field(m.Name), field(m.SHA256), field(m.Alt)
	}
	if media == nil {
		media = []Medium{}
	}
	list, err := json.Marshal(media)
	if err != nil {
		return nil, err
	}
	r := &row{
		at: l.clock.Now().UnixMilli(), event: string(e.Event), submission: field(e.Submission), subject: field(e.Subject),
		guild: field(string(e.Guild)), channel: field(string(e.Channel)), source: field(string(e.Source)), account: field(string(e.Account)),
		target: field(e.Target), processor: field(e.Processor), model: field(e.Model),
		media: string(list), post: field(e.Post), by: field(e.By), via: field(e.Via), note: field(e.Note),
	}
	if e.Text != "" {
		r.textHash = hashOf(e.Text)
	}
	return r, nil
}

func field(s string) string { return store.Storable(s, maxField) }

func hashOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// link is the row's hash: SHA-256 over the chain of the row before (empty for
// the first) and then every column but chain, in the order of the table, each
// as its length in bytes in decimal digits, a colon and the value; numbers are
// decimal digits. The text is in it by its own hash.
func (r *row) link(before string) string {
	h := sha256.New()
	put(h, before)
	for _, v := range r.values()[:len(r.values())-1] {
		switch v := v.(type) {
		case int64:
			put(h, strconv.FormatInt(v, 10))
		case string:
			put(h, v)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

func put(h hash.Hash, s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }

// entry is the row as callers see it, with the text that belongs to it.
func (r *row) entry(text string) (Entry, error) {
	e := Entry{
		Seq: r.seq, At: time.UnixMilli(r.at).UTC(), Event: Event(r.event), Submission: r.submission, Subject: r.subject,
		Target: r.target, Processor: r.processor, Model: r.model, Text: text, Post: r.post, By: r.by, Via: r.via, Note: r.note, Chain: r.chain,
	}
	e.identify(r)
	if err := json.Unmarshal([]byte(r.media), &e.Media); err != nil {
		return e, fmt.Errorf("read the media of entry %d: %w", r.seq, err)
	}
	if len(e.Media) == 0 {
		e.Media = nil
	}
	return e, nil
}
