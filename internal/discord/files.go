package discord

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/store"
)

const (
	chunkSize = 256 << 10
	// maxAttached bounds a file; it is the most that any guild takes.
	maxAttached = 100 << 20
	// fileKept is how long a file waits for its message.
	fileKept   = 7 * 24 * time.Hour
	pruneBatch = 50
)

// Upload is a file to be attached to a message of ours.
type Upload struct {
	// Open returns the file's bytes, from the start each time it is called.
	Open func() (io.ReadCloser, error)
	Size int64  // bytes; exactly what Open's reader gives
	Name string // of the file, told to Discord
	Type string // MIME type
}

// ErrFileSize says that a file has another size than it was said to have, or
// one that no guild takes.
var ErrFileSize = errors.New("the file does not have the size that it should")

// Attach keeps a file until the message whose File has that key is sent: its
// bytes are in the database when it returns, 256 KiB at a time in memory. Key is
// the feature's own name for the file of that message; a second call with it
// takes the first one's place. Its errors are ErrFileSize, the reader's or the
// store's.
func (d *Discord) Attach(ctx context.Context, account community.AccountID, key string, u Upload) error {
	if u.Size <= 0 || u.Size > maxAttached {
		return fmt.Errorf("attach %s (%d bytes): %w", key, u.Size, ErrFileSize)
	}
	if d.Outbox != nil && d.Outbox.Rehearse != nil {
		return nil // nothing reaches Discord
	}
	r, err := u.Open()
	if err != nil {
		return fmt.Errorf("attach %s: %w", key, err)
	}
	defer func() { _ = r.Close() }()
	if err := d.keepFile(ctx, account, key, u, r); err != nil {
		return fmt.Errorf("attach %s: %w", key, err)
	}
	return nil
}

func (d *Discord) keepFile(ctx context.Context, account community.AccountID, key string, u Upload, r io.Reader) error {
	id, chunks := outbox.NewKey(), (u.Size+chunkSize-1)/chunkSize
	err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		_, err := tx.Exec(ctx, `insert into discord_file (id, key, account, name, type, size, chunks, complete, attached_at)
			values ($1, $2, $3, $4, $5, $6, $7, 0, $8)`,
			id, key, string(account), store.Storable(u.Name, 1<<10), store.Storable(u.Type, 200), u.Size, chunks, d.Clock.Now().UnixMilli())
		return err
	})
	if err != nil {
		return err
	}
	buf := make([]byte, min(u.Size, chunkSize))
	left := u.Size
	for n := range chunks {
		part := buf[:min(left, chunkSize)]
		if _, err := io.ReadFull(r, part); err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				err = ErrFileSize
			}
			return errors.Join(err, d.dropFile(ctx, id))
		}
		left -= int64(len(part))
		err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Exec(ctx, `insert into discord_file_chunk (file, n, bytes) values ($1, $2, $3)`, id, n, part)
			return err
		})
		if err != nil {
			return errors.Join(err, d.dropFile(ctx, id))
		}
	}
	if n, _ := io.ReadFull(r, make([]byte, 1)); n > 0 {
		return errors.Join(ErrFileSize, d.dropFile(ctx, id))
	}
	return d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
		if err := discard(ctx, tx, `key = $1 and id <> $2`, key, id); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `update discord_file set complete = 1 where id = $1`, id)
		return err
	})
}

// dropFile lets go of a file that was not completed.
func (d *Discord) dropFile(ctx context.Context, id string) error {
	return d.Store.WriteRelaxed(context.WithoutCancel(ctx), func(ctx context.Context, tx store.Tx) error {
		return discard(ctx, tx, `id = $1`, id)
	})
}

// discard deletes the files that a condition names.
func discard(ctx context.Context, tx store.Tx, where string, args ...any) error {
	if _, err := tx.Exec(ctx, `delete from discord_file_chunk where file in (select id from discord_file where `+where+`)`, args...); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `delete from discord_file where `+where, args...)
	return err
}

// Discard lets go of the file under a key: its message stands, or never will.
func (d *Discord) Discard(ctx context.Context, tx store.Tx, key string) error {
	if err := discard(ctx, tx, `key = $1`, key); err != nil {
		return fmt.Errorf("discard the file %s: %w", key, err)
	}
	return nil
}

// Prune lets go of files that have waited for a week, for their messages are not
// sent any more, and of conversations that have been quiet for a month.
func (d *Discord) Prune(ctx context.Context) error {
	return errors.Join(d.pruneFiles(ctx), d.pruneSeen(ctx), d.pruneBegun(ctx))
}

func (d *Discord) pruneFiles(ctx context.Context) error {
	before := d.Clock.Now().Add(-fileKept).UnixMilli()
	for {
		var n int64
		err := d.Store.WriteRelaxed(ctx, func(ctx context.Context, tx store.Tx) error {
			rows, err := tx.Query(ctx, `select id from discord_file where attached_at < $1 order by attached_at limit $2`, before, int64(pruneBatch))
			ids, err := store.Collect(rows, err, func(r store.Row) (id string, err error) { return id, r.Scan(&id) })
			if err != nil {
				return err
			}
			n = int64(len(ids))
			for _, id := range ids {
				if err := discard(ctx, tx, `id = $1`, id); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("let go of old files: %w", err)
		}
		if n < pruneBatch {
			return nil
		}
	}
}

// kept is a complete file.
type kept struct {
	id, contentType string
	size, chunks    int64
}

// keptFile finds the file under a key. One that is no more is a refusal.
func (d *Discord) keptFile(ctx context.Context, key string) (kept, error) {
	var k kept
	err := d.Store.QueryRow(ctx, `select id, type, size, chunks from discord_file where key = $1 and complete = 1`, key).
		Scan(&k.id, &k.contentType, &k.size, &k.chunks)
	if errors.Is(err, store.ErrNoRows) {
		return k, &outbox.SendError{Outcome: outbox.Rejected, Reason: ReasonNoFile, Err: fmt.Errorf("the file %s is no more", key)}
	}
	if err != nil {
		return k, &outbox.SendError{Outcome: outbox.NotSent, Err: fmt.Errorf("look for the file %s: %w", key, err)}
	}
	return k, nil
}

// chunks reads a kept file, one chunk in memory at a time.
type chunks struct {
	ctx  context.Context
	d    *Discord
	file kept
	next int64
	part []byte
}

// Read implements io.Reader.
func (c *chunks) Read(p []byte) (int, error) {
	if len(c.part) == 0 {
		if c.next == c.file.chunks {
			return 0, io.EOF
		}
		err := c.d.Store.QueryRow(c.ctx, `select bytes from discord_file_chunk where file = $1 and n = $2`, c.file.id, c.next).Scan(&c.part)
		if err != nil {
			return 0, fmt.Errorf("read a kept file: %w", err)
		}
		if len(c.part) == 0 {
			return 0, io.ErrUnexpectedEOF
		}
		c.next++
	}
	n := copy(p, c.part)
	c.part = c.part[n:]
	return n, nil
}
