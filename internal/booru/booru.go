// Package booru asks image boards for animated pictures. It reads what a
// member typed (Parse), writes it in the query language of a board so that no
// text of a member can be anything but a tag there, and reads the board's
// answer. Three kinds of board are known: Philomena (Furbooru, Derpibooru and
// others), Danbooru and e621.
//
// Nothing a board says is taken on trust: the rating of each picture is read
// from the picture itself, one without a clear rating counts as explicit, and
// only pictures that can really be fetched as an animated GIF come back.
//
// It leaves to others who may ask for what, and how often: which member, NSFW
// or not, pauses between two requests, repeats. Blocklist is a tool for the
// caller, who checks the query before Find and each picture after it. Fetching
// the files and saying anything to a member are the caller's as well.
//
// Sources: https://derpibooru.org/pages/api and
// https://derpibooru.org/pages/search_syntax for Philomena,
// https://danbooru.donmai.us/wiki_pages/help:api and help:cheatsheet,
// https://e621.net/help/api and https://e621.net/help/cheatsheet; where those
// are silent, the boards' own parsers, named beside the code that depends on
// them.
package booru

import (
	"context"
	"log/slog"
	"net/http"
	"time"
)

// Term is one tag of a query.
type Term struct {
	Tag string // as Parse makes it: lower case, without control characters, single spaces
	Not bool   // the tag must be absent
}

// Query says which pictures are wanted: those that have every tag without Not
// and none with it. One without terms means any picture.
type Query struct {
	Terms []Term
	// NSFW allows every rating; without it only what is rated safe comes back.
	NSFW bool
}

// Rating says how fit for all a picture is.
type Rating int

// The ratings, from the one that says nothing to the strongest.
const (
	// RatingUnknown: the board told none, or several that contradict each
	// other. It counts as explicit.
	RatingUnknown Rating = iota
	Safe
	Suggestive
	Questionable
	Explicit
)

// Safe is true only for a picture that is known to be fit for all.
func (r Rating) Safe() bool { return r == Safe }

// String names the rating for logs and tests.
func (r Rating) String() string {
	switch r {
	case Safe:
		return "safe"
	case Suggestive:
		return "suggestive"
	case Questionable:
		return "questionable"
	case Explicit:
		return "explicit"
	default:
		return "unknown"
	}
}

// File is one form of a picture.
type File struct {
	URL           string // absolute, http or https
	Type          string // MIME type, told by the board or by the address
	Width, Height int    // pixels; 0 if not known
	Size          int64  // bytes; 0 if not told
}

// Image is a picture as a board knows it.
type Image struct {
	Source string // Name of the Source
	ID     string // the board's own, opaque
	Page   string // address of its page on the board
	// Origin is where the artist published it, http and https addresses only.
	Origin []string
	Rating Rating
	// Tags are all tags of the picture, those of the following lists included,
	// as the board writes them; artists have the namespace "artist:" on every
	// board.
	Tags []string
	// Artists and Characters are without their namespace, artists as people
	// write them. Philomena tells characters only where the tag has one ("oc:",
	// "character:").
	Artists, Characters []string
	// Meta are tags that speak of the file, not of what is seen. Philomena
	// does not tell them apart.
	Meta []string
	// Files has at least one, the largest first; all of them animated GIFs.
	Files []File
}

// Source is an image board.
type Source interface {
	// Name is what the board is called in credits and settings.
	Name() string
	// Find returns up to n pictures for the query, at random over all results;
	// fewer, or none without an error, if the board has no more that fit.
	// Only animated GIFs with files come back, none deleted or merged, none
	// with an excluded tag, and without q.NSFW only those that are rated safe.
	//
	// It waits a little if the board was asked a moment ago. An error is an
	// *Error, whose class says what can be done about it.
	Find(ctx context.Context, q Query, n int) ([]Image, error)
}

// Options say which board to ask and how.
type Options struct {
	Name    string // for credits; empty means the host of BaseURL
	BaseURL string // like "https://furbooru.org"; empty means the default of the constructor

	// Login and Key are an account of the board; both may be empty. Philomena
	// has only the key.
	Login, Key string
	// FilterID and NSFWFilterID are Philomena's filters for the two modes;
	// empty means the default of the account or the board.
	FilterID, NSFWFilterID string
	// TagLimit is how many tags one search of Danbooru may have with this
	// account; 0 means DefaultDanbooruTags.
	TagLimit int

	// UserAgent names the program and how to reach its operator. The boards
	// turn away requests without one.
	UserAgent string
	// Timeout bounds one request, the reading of its answer included; 0 means
	// DefaultTimeout.
	Timeout   time.Duration
	Transport http.RoundTripper // nil means http.DefaultTransport
	Now       func() time.Time  // nil means the machine's clock
	Log       *slog.Logger      // nil means no log; never gets the key
}

// DefaultTimeout is used when Options.Timeout is 0.
const DefaultTimeout = 20 * time.Second

// Base addresses that stand for an empty Options.BaseURL.
const (
	DefaultPhilomena = "https://furbooru.org"
	DefaultDanbooru  = "https://danbooru.donmai.us"
	DefaultE621      = "https://e621.net"
)
