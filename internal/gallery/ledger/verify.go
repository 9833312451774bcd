package ledger

import (
	"context"
	"errors"
	"fmt"

	"rookery/internal/store"
)

// page is how many rows are read at once.
const page = 500

// Head is the end of the ledger: how many entries it has, and the Chain of the
// last, which stands for all of them. Kept elsewhere, it shows later whether
// entries were cut off at the end, which Verify alone cannot see.
func (l *Ledger) Head(ctx context.Context) (entries int64, chain string, err error) {
	err = l.store.QueryRow(ctx, `select seq, chain from gallery_ledger order by seq desc limit 1`).Scan(&entries, &chain)
	if errors.Is(err, store.ErrNoRows) {
		return 0, "", nil
	}
	if err != nil {
		return 0, "", fmt.Errorf("read the end of the consent ledger: %w", err)
	}
	return entries, chain, nil
}

// Verify reads the whole ledger and sees that no row was altered, put in or cut
// out, and that every text is the one that was shown. It returns ErrBroken,
// wrapped, for the first row that is wrong. It may run while others write.
func (l *Ledger) Verify(ctx context.Context) error {
	before, last := "", int64(0)
	for {
		rows, err := l.store.Query(ctx, `select `+qualified+from+`where g.seq > $1 order by g.seq limit $2`, last, page)
		type pair struct {
			row
			text string
		}
		read, err := store.Collect(rows, err, func(r store.Row) (p pair, err error) {
			return p, r.Scan(append(p.into(), &p.text)...)
		})
		if err != nil {
			return fmt.Errorf("verify the consent ledger: %w", err)
		}
		for _, p := range read {
			if why := p.wrong(last, before, p.text); why != "" {
				return fmt.Errorf("%w: entry %d %s", ErrBroken, last+1, why)
			}
			before, last = p.chain, p.seq
		}
		if len(read) < page {
			return nil
		}
	}
}

// wrong says what is wrong with a row that follows the row last.
func (r *row) wrong(last int64, before, text string) string {
	switch {
	case r.seq != last+1:
		return "is missing"
	case r.link(before) != r.chain:
		return "is not what was written, or the one before it is not"
	case r.textHash != "" && hashOf(text) != r.textHash:
		return "has lost its text, or has another"
	}
	return ""
}
