package config

import (
	"time"

	"rookery/internal/community"
)

// FeatureGIFs is the name in an account's "does" of the feature that shows
// animated pictures on request.
const FeatureGIFs = "gifs"

// FFmpegOff is the value of GIFs.FFmpeg that means: never.
const FFmpegOff = "off"

// GIFs is how pictures are shown on request.
type GIFs struct {
	Word           string               // begins a request to an account that does other things too; small letters
	Cooldown       time.Duration        // between two pictures for one member; 0: none
	Rate           float64              // pictures a second, for all members together
	Burst          int                  // so many at once, before Rate counts
	Queue          int                  // requests of one member that may wait
	NoRepeat       time.Duration        // so long an account does not show a picture again; 0: it may
	Blocklist      []string             // tags that are never shown, beside the list that ships
	NSFWVisibility community.Visibility // the widest that an NSFW picture is shown; never wider than the request
	MaxDownload    int64                // bytes of one picture
	FFmpeg         string               // name in the PATH or absolute path of the program, or FFmpegOff
	FFmpegTimeout  time.Duration        // of one conversion
	NoticeAfter    time.Duration        // a request that waits longer gets a message that it is kept
	Sources        []GIFSource          // at least one; in the order of the file
}

// The kinds of image boards that pictures come from.
const (
	Philomena = "philomena"
	Danbooru  = "danbooru"
	E621      = "e621"
)

// GIFSource is an image board that pictures come from.
type GIFSource struct {
	Kind         string // Philomena, Danbooru or E621
	URL          string // scheme and host alone
	FilterID     string // Philomena's filter for pictures that are safe; empty: the board's default
	NSFWFilterID string // and for the others
	Login        string // Danbooru, E621: whose Key it is; set together with Key there
	Key          Secret // not set: asked as anybody
	Contact      string // how the board reaches the operator, part of the User-Agent
}
