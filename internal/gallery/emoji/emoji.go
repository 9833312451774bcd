// Package emoji writes a guild's custom emoji in the two forms that whoever
// runs an instance can take in: a folder with a pack.json for Akkoma and
// Pleroma, and a .tar.gz for Mastodon's tootctl.
//
//   - Akkoma, Pleroma: the folder goes into static/emoji of the instance; what
//     pack.json holds is written down in
//     https://docs.akkoma.dev/stable/development/API/pleroma_api/ and read by
//     https://akkoma.dev/AkkomaGang/akkoma/src/branch/develop/lib/pleroma/emoji/pack.ex.
//   - Mastodon: tootctl emoji import takes the .png and .gif files of an
//     archive, whose names are the shortcodes
//     (https://docs.joinmastodon.org/admin/tootctl/#emoji-import); what a
//     shortcode and a picture may be says
//     https://github.com/mastodon/mastodon/blob/main/app/models/custom_emoji.rb.
//
// It leaves to others which emoji there are, and whether a guild may give them
// away.
package emoji

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// Source is an emoji as it is named where it comes from.
type Source struct {
	Name     string
	Animated bool
	URL      string
}

// Getter fetches an address; publicnet.Client is one. The body is closed here.
type Getter interface {
	Get(ctx context.Context, address string) (*http.Response, error)
}

// Config says what is written, and where.
type Config struct {
	// Dir is the folder that both forms are written into. It is made; if it is
	// there already it has to be empty.
	Dir     string
	Name    string // of the pack; brought into a form that is fit for a file
	Sources []Source

	// What pack.json says of the pack. Share lets other instances fetch it.
	Description, License, Homepage string
	Share                          bool

	Fetch   Getter
	Timeout time.Duration // of one picture; 0 means 30 s
}

// Limits. The first two are Mastodon's; Akkoma and Pleroma have none.
const (
	mastodonBytes = 256 << 10 // a picture has less than this
	mastodonName  = 128       // characters of a shortcode
	// mostBytes is the most that is fetched of a picture. Discord takes
	// 256 KiB; what it makes of an animated one may be larger.
	mostBytes = 4 << 20
	// mostEmoji is more than a guild can have.
	mostEmoji = 5000
)

// Result is what was written. Its paths are whole.
type Result struct {
	Dir     string
	Pack    string // the folder for Akkoma and Pleroma
	Archive string // the file for Mastodon; empty if nothing is in it
	Written []Written
	Skipped []Skipped
}

// Written is an emoji that is in the pack.
type Written struct {
	Name string // its shortcode
	Was  string // its name where it came from
	File string // in the pack
	Size int64  // bytes
	// NotMastodon says why it is not in the archive; empty if it is.
	NotMastodon Reason
}

// Skipped is an emoji that is in neither form.
type Skipped struct {
	Name string // where it came from
	Why  Reason
	Err  error // for a log
}

// Reason says why an emoji was left out.
type Reason string

// The reasons.
const (
	NotFetched Reason = "not_fetched" // it did not come; another time it may
	NotPicture Reason = "not_picture" // what came is no PNG, GIF or WebP
	TooLarge   Reason = "too_large"   // for Mastodon: not less than 256 KiB; for both: more than is fetched
	WebP       Reason = "webp"        // tootctl imports PNG and GIF alone
)

var (
	// ErrNotEmpty says that Config.Dir holds something.
	ErrNotEmpty = errors.New("the folder is not empty")
	// ErrNothing says that there was no emoji to write.
	ErrNothing = errors.New("nothing was written")
)

// Export fetches the emoji and writes both forms, whole or not at all. What
// cannot be taken is left out, and told in the Result. The same emoji make the
// same files, byte by byte, and every user of the machine may read them.
//
// Its errors say what to do; they wrap ErrNotEmpty, ErrNothing, or that of ctx.
// A Result that comes with ErrNothing tells what was left out.
func Export(ctx context.Context, c Config) (r Result, err error) {
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if r.Dir, err = filepath.Abs(c.Dir); err != nil {
		return r, fmt.Errorf("find %s: %w", c.Dir, err)
	}
	if err := vacant(r.Dir); err != nil {
		return r, err
	}
	switch n := len(c.Sources); {
	case n == 0:
		return r, fmt.Errorf("there are no emoji of its own in the guild: %w", ErrNothing)
	case n > mostEmoji:
		return r, fmt.Errorf("there are %d emoji, and %d are the most: %w", n, mostEmoji, ErrNothing)
	}
	if err := os.MkdirAll(filepath.Dir(r.Dir), folderMode); err != nil {
		return r, fmt.Errorf("make the folder: %w", err)
	}
	draft, err := os.MkdirTemp(filepath.Dir(r.Dir), ".emoji-*") // beside it: a renaming does not cross file systems
	if err != nil {
		return r, fmt.Errorf("write into %s: %w", filepath.Dir(r.Dir), err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(draft)) }()
	if err := c.write(ctx, draft, &r); err != nil {
		return r, err
	}
	return r, place(draft, r.Dir)
}

// vacant looks whether the packs can be put there.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("write into %s: name a folder that does not exist yet: %w", dir, err)
	case len(entries) > 0:
		return fmt.Errorf("%s holds files, and none is overwritten: name a folder that does not exist yet: %w", dir, ErrNotEmpty)
	}
	return nil
}

// place gives the folder its name, if nobody has it and it is not in use.
func place(draft, dir string) error {
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // only an empty one goes
		return fmt.Errorf("%s has come into use meanwhile, and nothing is overwritten: name another folder: %w", dir, err)
	}
	if err := os.Rename(draft, dir); err != nil {
		return fmt.Errorf("write %s: %w", dir, err)
	}
	return nil
}
