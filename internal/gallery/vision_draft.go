package gallery

import (
	"context"
	"errors"

	"rookery/internal/discord"
	"rookery/internal/failpoint"
	"rookery/internal/gallery/ledger"
	"rookery/internal/store"
)

// draftTries is how often the drafts of one submission are begun; what one try
// has made stays.
const draftTries = 3

// draftAll has the model write drafts for the pictures of an offer that nobody
// has described, if the artist has said yes to sending them now, and tells them.
// The last try tells them in any case.
func (w *worker) draftAll(ctx context.Context, id string, last bool) error {
	s, err := get(ctx, w.Store, id)
	if err != nil {
		return ignoreNone(err)
	}
	urls, err := w.draftable(ctx, s)
	failed := 0
	for i := range s.Media {
		m := &s.Media[i]
		if err != nil || m.By != byNobody || m.Draft != "" || m.Left != "" || !m.picture() {
			continue
		}
		ok, drafting := w.draftOne(ctx, s, m, urls[m.ID])
		err = drafting
		if !ok {
			failed++
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil && !errors.Is(err, errOver) {
		if !last {
			return err
		}
		w.Log.Warn("no drafts could be written", "submission", s.ID, "error", err)
	}
	if err != nil {
		failed = max(failed, 1)
	}
	failpoint.At("y12-drafted")
	return w.drafted(ctx, s, failed)
}

// draftable are the addresses of the files of an offer whose artist has said
// yes to drafts; errOver if they have not, or the message is another by now.
func (w *worker) draftable(ctx context.Context, s *submission) (map[string]string, error) {
	if s.State != Offered {
		return nil, errOver
	}
	if ok, err := w.draftsWanted(ctx, s); err != nil {
		return nil, err
	} else if !ok {
		return nil, errOver
	}
	o, err := w.discord.Read(ctx, s.Account, s.Source)
	switch discord.ClassOf(err) {
	case "":
	case discord.Gone, discord.Forbidden, discord.Invalid:
		return nil, errOver
	default:
		return nil, err
	}
	if s.Hidden || o.Hidden {
		return w.refreshed(ctx, s)
	}
	if digestOf(o) != s.Digest {
		return nil, errOver // the offer is about to show it anew
	}
	k, err := w.Settings.kinds(ctx, s.Guild)
	urls := map[string]string{}
	for _, m := range mediaOf(o, k) {
		urls[m.ID] = m.URL
	}
	return urls, err
}

// draftsWanted asks the ledger whether the artist has said yes to sending the
// pictures to the model in use now, before anything is posted, and has not taken
// that back.
func (w *worker) draftsWanted(ctx context.Context, s *submission) (bool, error) {
	if ok, err := w.saidYes(ctx, w.Store, s); err != nil || !ok {
		return false, err
	}
	entries, err := w.Ledger.Submission(ctx, s.ID)
	if err != nil {
		return false, err
	}
	for i := len(entries) - 1; i >= 0; i-- {
		switch e := entries[i]; {
		case e.Event == ledger.AIOff, e.Event.Ends():
			return false, nil
		case e.Event == ledger.AIOn && e.Note == draftsToo:
			return e.Processor == w.processorName() && e.Model == w.ModelName, nil
		}
	}
	return false, nil
}

// draftOne has the model describe one picture. Not ok: there is no draft of it.
// An error concerns the others too.
func (w *worker) draftOne(ctx context.Context, s *submission, m *medium, url string) (ok bool, err error) {
	if url == "" {
		return false, nil
	}
	f, err := w.Media.Download(ctx, url, 0)
	if err != nil {
		return false, w.withoutWords(ctx, s, m, err)
	}
	defer w.throwAway(f)
	if !f.Type.Image() {
		return false, nil
	}
	shown := *m
	if shown.SHA256, err = f.SHA256(); err != nil {
		return false, err
	}
	open := func(ctx context.Context, tx store.Tx) (*submission, error) {
		now, err := lock(ctx, tx, s.ID)
		if err == nil && (now.State != Offered || m.N > len(now.Media) || now.Media[m.N-1].ID != m.ID) {
			err = errOver
		}
		return now, err
	}
	text, err := w.look(ctx, s, &shown, f, ledger.Drafted, func(ctx context.Context, tx store.Tx, e ledger.Entry) error {
		now, err := open(ctx, tx)
		if err != nil {
			return err
		}
		if yes, err := w.saidYes(ctx, tx, now); err != nil {
			return err
		} else if !yes {
			return errOver
		}
		return w.Ledger.Write(ctx, tx, e)
	})
	if err != nil || text == "" {
		return false, err
	}
	err = w.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		now, err := open(ctx, tx)
		if err != nil {
			return err
		}
		n := now.Media[m.N-1]
		n.Draft = text
		return n.insert(ctx, tx, s.ID)
	})
	return err == nil, err
}
