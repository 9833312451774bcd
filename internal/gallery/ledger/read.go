package ledger

import (
	"context"
	"errors"
	"fmt"

	"rookery/internal/community"
	"rookery/internal/store"
)

func (e *Entry) identify(r *row) {
	e.Guild, e.Channel = community.GuildID(r.guild), community.ChannelID(r.channel)
	e.Source, e.Account = community.PostID(r.source), community.AccountID(r.account)
}

// qualified are the columns of the table under the name g, and the text.
const qualified = `g.seq, g.at, g.event, g.submission, g.subject, g.guild, g.channel, g.source, g.account, g.target,
	g.processor, g.model, g.text_hash, g.media, g.post, g.done_by, g.via, g.note, g.chain, coalesce(t.body, '')`

const from = ` from gallery_ledger g left join gallery_ledger_text t on t.hash = g.text_hash `

// Submission is everything about a submission, oldest first; none is no error.
func (l *Ledger) Submission(ctx context.Context, id string) ([]Entry, error) {
	return list(ctx, l.store, "submission "+id, `where g.submission = $1 order by g.seq`, id)
}

// Subject is everything about a member, oldest first; none is no error.
func (l *Ledger) Subject(ctx context.Context, subject string) ([]Entry, error) {
	return list(ctx, l.store, "subject "+subject, `where g.subject = $1 order by g.seq`, subject)
}

// Post is everything about the submissions that made the post of that address,
// oldest first; none is no error.
func (l *Ledger) Post(ctx context.Context, url string) ([]Entry, error) {
	if url == "" {
		return nil, nil
	}
	return list(ctx, l.store, "post "+url,
		`where g.submission in (select submission from gallery_ledger where post = $1) order by g.seq`, url)
}

func list(ctx context.Context, q Querier, what, where string, args ...any) ([]Entry, error) {
	rows, err := q.Query(ctx, `select `+qualified+from+where, args...)
	entries, err := store.Collect(rows, err, func(r store.Row) (Entry, error) {
		var s row
		var text string
		err := r.Scan(append(s.into(), &text)...)
		if err != nil {
			return Entry{}, err
		}
		return s.entry(text)
	})
	if err != nil {
		return nil, fmt.Errorf("read %s in the consent ledger: %w", what, err)
	}
	return entries, nil
}

// into are the places of the columns, in their order.
func (r *row) into() []any {
	return []any{&r.seq, &r.at, &r.event, &r.submission, &r.subject, &r.guild, &r.channel, &r.source, &r.account, &r.target,
		&r.processor, &r.model, &r.textHash, &r.media, &r.post, &r.by, &r.via, &r.note, &r.chain}
}

// Agreement is the agreement to post that stands for a submission: the latest
// Agreed, if nothing after it ends it (Event.Ends). False without an error: a
// post may not be made or changed.
func (l *Ledger) Agreement(ctx context.Context, q Querier, submission string) (Entry, bool, error) {
	e, ok, err := latest(ctx, q, submission, Agreed, "")
	if err != nil {
		return Entry{}, false, fmt.Errorf("look for the agreement of %s: %w", submission, err)
	}
	return e, ok, nil
}

// AI tells who may be sent the pictures of a submission, and with which model:
// those of the latest AIOn, if neither AIOff nor anything that ends an agreement
// (Event.Ends: Void, Withdrawn, Declined, Expired, Rejected, Deleted, TakenDown,
// Gone, Revoked) came after it. To post, to edit or to approve does not end it. An
// entry AIOn that names no processor allows nothing.
//
// It is to be asked before each call of a model. Whoever asks must also see
// that processor and model are still those in use: a yes is for these alone.
func (l *Ledger) AI(ctx context.Context, q Querier, submission string) (processor, model string, ok bool, err error) {
	e, ok, err := latest(ctx, q, submission, AIOn, AIOff)
	if err != nil {
		return "", "", false, fmt.Errorf("look whether pictures of %s may go to a model: %w", submission, err)
	}
	if !ok || e.Processor == "" {
		return "", "", false, nil
	}
	return e.Processor, e.Model, true, nil
}

// latest is the last entry of the event yes that neither the event no nor the
// end of an agreement follows.
func latest(ctx context.Context, q Querier, submission string, yes, no Event) (Entry, bool, error) {
	// Read from the end, the first event that says anything decides.
	decide := map[Event]bool{yes: true, no: true}
	for _, e := range Events() {
		if e.Ends() {
			decide[e] = true
		}
	}
	const few = 50
	before := int64(1) << 62
	for {
		rows, err := q.Query(ctx, `select seq, event from gallery_ledger where submission = $1 and seq < $2 order by seq desc limit $3`, submission, before, few)
		type step struct {
			seq   int64
			event Event
		}
		steps, err := store.Collect(rows, err, func(r store.Row) (s step, err error) { return s, r.Scan(&s.seq, (*string)(&s.event)) })
		if err != nil {
			return Entry{}, false, err
		}
		for _, s := range steps {
			switch {
			case s.event == yes:
				entries, err := list(ctx, q, "entry", `where g.seq = $1`, s.seq)
				if err == nil && len(entries) != 1 {
					err = errors.New("the entry is gone")
				}
				if err != nil {
					return Entry{}, false, err
				}
				return entries[0], true, nil
			case decide[s.event]:
				return Entry{}, false, nil
			}
			before = s.seq
		}
		if len(steps) < few {
			return Entry{}, false, nil
		}
	}
}
