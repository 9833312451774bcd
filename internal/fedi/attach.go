package fedi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"rookery/internal/community"
	"rookery/internal/failpoint"
	"rookery/internal/store"
)

const (
	// Between two looks at a file that the server works on: the first pause,
	// by how much each is longer than the last, and the longest.
	firstLook   = 500 * time.Millisecond
	lookGrowth  = 1.5
	longestLook = 5 * time.Second
	// processingTime is how long a server may work on a file in one Attach.
	processingTime = 3 * time.Minute
	// keepMedia is how long it is known what was uploaded. Servers throw
	// away what no post attaches after a day.
	keepMedia = 30 * 24 * time.Hour
)

// Attach makes a file ready to be attached to a post and returns the id for
// PostPayload.MediaIDs. Key is the feature's own name for the file of that
// post, at most once in use: a second call with it, after a crash or an error,
// goes on with what was uploaded if the server still has it, and else uploads
// again. It blocks for the upload and for at most three minutes of the
// server's work on it, and asks no more often than the server's limits allow.
//
// Its errors are *Error, ErrNotConnected or the store's. Class RejectedMedia:
// this form of the file is refused, try another (with the same key if you
// like: nothing is kept under it); Unsupported: the server takes no files;
// Transient and Rate: call again, not before RetryAt.
func (f *Fedi) Attach(ctx context.Context, account community.AccountID, key string, u Upload) (id string, err error) {
	if f.Outbox.Rehearse != nil {
		return "rehearsed-" + key, nil // nothing reaches a server
	}
	l, err := f.sender(account)
	if err != nil {
		return "", err
	}
	had, err := f.uploaded(ctx, account, key)
	if err != nil {
		return "", err
	}
	if had.id != "" {
		id, err := l.attachAgain(ctx, key, had)
		if id != "" || err != nil {
			return id, l.helped(err)
		}
	}
	m, err := l.client.UploadMedia(ctx, u)
	if err != nil {
		return "", l.helped(err)
	}
	failpoint.At("g6-uploaded")
	had = uploadedMedia{id: m.ID, ready: m.URL != ""}
	// Even if the caller has just gone: the next one need not upload again.
	if err := f.noteUpload(context.WithoutCancel(ctx), account, key, had); err != nil {
		return "", err
	}
	failpoint.At("g7-upload-noted")
	if had.ready {
		return had.id, nil
	}
	id, err = l.processed(ctx, key, had.id)
	return id, l.helped(err)
}

// Discard makes that the id under a key is not used again: its post stands, or
// never will, or the server said that it has lost it (NoMedia).
func (f *Fedi) Discard(ctx context.Context, tx store.Tx, key string) error {
	if _, err := tx.Exec(ctx, `delete from fedi_media where key = $1`, key); err != nil {
		return fmt.Errorf("discard the upload %s: %w", key, err)
	}
	return nil
}

// pruneBatch keeps one transaction short: others wait for the writer.
const pruneBatch = 500

// Prune forgets what was uploaded more than 30 days ago.
func (f *Fedi) Prune(ctx context.Context) error {
	before := f.Clock.Now().Add(-keepMedia).UnixMilli()
	for {
		var n int64
		err := f.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) (err error) {
			n, err = tx.Exec(ctx, `delete from fedi_media where key in
				(select key from fedi_media where uploaded_at < $1 order by uploaded_at limit $2)`, before, int64(pruneBatch))
			return err
		})
		if err != nil {
			return fmt.Errorf("forget old uploads: %w", err)
		}
		if n < pruneBatch {
			return nil
		}
	}
}

// uploadedMedia is what is known of an upload.
type uploadedMedia struct {
	id    string // empty for none
	ready bool   // as far as we were told
}

func (f *Fedi) uploaded(ctx context.Context, account community.AccountID, key string) (uploadedMedia, error) {
	var (
		m     uploadedMedia
		ready int64
	)
	err := f.Store.QueryRow(ctx, `select media_id, ready from fedi_media where key = $1 and account = $2`, key, string(account)).Scan(&m.id, &ready)
	if err != nil && !errors.Is(err, store.ErrNoRows) {
		return m, fmt.Errorf("look up the upload %s: %w", key, err)
	}
	m.ready = ready != 0
	return m, nil
}

func (f *Fedi) noteUpload(ctx context.Context, account community.AccountID, key string, m uploadedMedia) error {
	err := f.Store.Write(ctx, func(ctx context.Context, tx store.Tx) error {
		ready := int64(0)
		if m.ready {
			ready = 1
		}
		_, err := tx.Exec(ctx, `insert into fedi_media (key, account, media_id, ready, uploaded_at) values ($1, $2, $3, $4, $5)
			on conflict (key) do update set account = excluded.account, media_id = excluded.media_id, ready = excluded.ready, uploaded_at = excluded.uploaded_at`,
			key, string(account), m.id, ready, f.Clock.Now().UnixMilli())
		return err
	})
	if err != nil {
		return fmt.Errorf("note the upload %s: %w", key, err)
	}
	return nil
}

// settleUpload notes that a file is ready, or lets go of one that cannot be
// used.
func (f *Fedi) settleUpload(ctx context.Context, key, id string, usable bool) error {
	sql := `update fedi_media set ready = 1 where key = $1 and media_id = $2`
	if !usable {
		sql = `delete from fedi_media where key = $1 and media_id = $2`
	}
	err := f.Store.Write(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, sql, key, id)
		return err
	})
	if err != nil {
		return fmt.Errorf("note what became of the upload %s: %w", key, err)
	}
	return nil
}

// attachAgain goes on with an earlier upload. Neither an id nor an error: it
// is of no use any more.
func (l *login) attachAgain(ctx context.Context, key string, had uploadedMedia) (string, error) {
	_, ready, err := l.client.Media(ctx, had.id)
	switch ClassOf(err) {
	case "":
	case Unsupported:
		if had.ready {
			return had.id, nil // nobody says that it has gone
		}
		return "", nil
	case Gone, RejectedMedia, Invalid:
		l.log.Debug("an upload is of no use any more", "key", key, "error", err)
		return "", nil
	default:
		return "", err
	}
	if ready {
		return had.id, nil
	}
	return l.processed(ctx, key, had.id)
}

// processed waits until the server has finished its work on a file, and
// returns its id.
func (l *login) processed(ctx context.Context, key, id string) (string, error) {
	working := &Error{Class: Transient, Method: http.MethodGet, Path: oldMedia + "/" + id, Message: "the server still works on the file"}
	until := l.f.Clock.Now().Add(processingTime)
	var trouble error // of the last look
	for pause, lost := firstLook, 0; ; pause = min(time.Duration(float64(pause)*lookGrowth), longestLook) {
		now := l.f.Clock.Now()
		next := now.Add(pause)
		if at, ok := l.heldUntil(trouble); ok {
			next = at
		}
		switch {
		case trouble != nil && next.After(until):
			return "", trouble
		case !now.Before(until):
			return "", working
		case next.After(until):
			next = until
		}
		if !sleep(ctx, l.f.Clock, next.Sub(now)) {
			working.Err = ctx.Err()
			return "", working
		}
		_, ready, err := l.client.Media(ctx, id)
		switch ClassOf(err) {
		case "":
			trouble = nil
			if ready {
				failpoint.At("g9-processed")
				return id, l.f.settleUpload(ctx, key, id, true)
			}
			failpoint.At("g8-processing")
		case Unsupported:
			// Nobody can say when it is ready: the post will tell.
			return id, l.f.settleUpload(ctx, key, id, true)
		case Transient, Rate:
			trouble = err
		case Gone:
			// A copy of its database may be a little behind.
			if lost++; lost < 3 {
				continue
			}
			return "", errors.Join(asTransient(err), l.f.settleUpload(ctx, key, id, false))
		case RejectedMedia, Invalid:
			return "", errors.Join(err, l.f.settleUpload(ctx, key, id, false))
		default:
			return "", err
		}
	}
}

// asTransient makes of a loss what may be tried again.
func asTransient(err error) error {
	if e, ok := errors.AsType[*Error](err); ok {
		e.Class = Transient
	}
	return err
}
