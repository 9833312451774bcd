package booru

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// E621 is a board that runs https://github.com/e621ng/e621ng. Its safe half
// has an address of its own, https://e926.net.
type E621 struct{ *client }

var _ Source = (*E621)(nil)

// e621Tags is how many tags a search may have there; four are ours.
const e621Tags = 40

// e621Grammar: the fields are METATAGS and the names that parse_query takes in
// app/logical/tag_query.rb of the sources. Its scanner takes "-" and "~"
// before a term, groups between parentheses that stand alone, and * as a
// wildcard; a name of a type of file, alone, is a field (METATAG_ALIASES).
var e621Grammar = grammar{
	fields: strings.Fields(`
		id filetype type rating description parent user user_id approver flagger
		deletedby deleter delreason source status pool set fav favoritedby note
		locked upvote votedup upvoted voteup downvote voteddown downvoted
		votedown voted vote width height mpixels ratio filesize duration score
		favcount date age change tagcount commenter comm noter noteupdater
		flagreason flagnote flaggedby md5 order limit child randseed hot_from
		ratinglocked notelocked statuslocked comment_count hassource
		hasdescription isparent ischild hasparent haschild haschildren inpool
		pending_replacements artverified qtags metatags`),
	suffixes: []string{"tags", "_count", "_id"},
	words: strings.Fields(`
		jpg jpeg png apng gif webm mp4 swf webp avif
		long_playtime short_playtime`),
	never: `,#$%\`,
}

// NewE621 checks the options; it does not touch the network. The error says
// what to mend.
func NewE621(o Options) (*E621, error) {
	// A hard limit of two requests a second, and a wish for one
	// (https://e621.net/help/api).
	c, err := newClient(o, DefaultE621, rate.NewLimiter(rate.Every(time.Second), 1))
	if err != nil {
		return nil, err
	}
	return &E621{c}, nil
}

// Find implements Source.
func (e *E621) Find(ctx context.Context, q Query, n int) ([]Image, error) {
	if n <= 0 {
		return nil, nil
	}
	text, bad := e621Query(q)
	if bad != nil {
		return nil, e.sign(bad)
	}
	v := url.Values{"tags": {text}, "limit": {"100"}}
	var found []json.RawMessage
	err := e.get(ctx, "/posts.json", v, e.opt.Login != "", func(body []byte) (err error) {
		found, err = rows(body, "posts")
		return err
	})
	if err != nil {
		return nil, err
	}
	return pick(found, q, n, e.image), nil
}

func e621Query(q Query) (string, *Error) {
	own := []string{"type:gif", "order:random", "animated"}
	if !q.NSFW {
		own = append(own, "rating:s")
	}
	return e621Grammar.query(own, q, e621Tags-4)
}

type e621Post struct {
	ID   text `json:"id"`
	File struct {
		Width  number `json:"width"`
		Height number `json:"height"`
		Ext    text   `json:"ext"`
		Size   number `json:"size"`
		URL    text   `json:"url"`
	} `json:"file"`
	Tags struct {
		General     list `json:"general"`
		Species     list `json:"species"`
		Character   list `json:"character"`
		Artist      list `json:"artist"`
		Contributor list `json:"contributor"`
		Copyright   list `json:"copyright"`
		Lore        list `json:"lore"`
		Meta        list `json:"meta"`
		Invalid     list `json:"invalid"`
	} `json:"tags"`
	Flags struct {
		Deleted bool `json:"deleted"`
	} `json:"flags"`
	Rating  text `json:"rating"`
	Sources list `json:"sources"`
}

// image reads one post; ok is false for what is no picture to show.
func (e *E621) image(raw json.RawMessage) (img Image, ok bool) {
	var p e621Post
	if json.Unmarshal(raw, &p) != nil || p.ID == "" || p.Flags.Deleted || p.File.Ext != "gif" {
		return Image{}, false
	}
	img = Image{
		Source: e.name, ID: string(p.ID), Page: e.base.JoinPath("posts", string(p.ID)).String(),
		Origin: origins(p.Sources), Rating: e621Rating(p.Rating), Characters: p.Tags.Character, Meta: p.Tags.Meta,
	}
	for _, tags := range []list{
		p.Tags.Character, p.Tags.Species, p.Tags.Copyright, p.Tags.General,
		p.Tags.Contributor, p.Tags.Lore, p.Tags.Meta, p.Tags.Invalid,
	} {
		img.Tags = append(img.Tags, tags...)
	}
	for _, a := range p.Tags.Artist {
		img.Tags = append(img.Tags, "artist:"+a)
		// Words about the artist that the board keeps among the names.
		switch a {
		case "conditional_dnp", "sound_warning", "unknown_artist", "anonymous_artist", "epilepsy_warning", "avoid_posting":
		default:
			img.Artists = append(img.Artists, people([]string{a})...)
		}
	}
	if !moves(img.Tags) {
		return Image{}, false
	}
	var files fileList
	files.add(e.base, p.File.URL, p.File.Width, p.File.Height, p.File.Size)
	img.Files = files
	return img, len(files) > 0
}

func e621Rating(r text) Rating {
	switch r {
	case "s":
		return Safe
	case "q":
		return Questionable
	case "e":
		return Explicit
	}
	return RatingUnknown
}
