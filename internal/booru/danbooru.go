package booru

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Danbooru is a board that runs https://github.com/danbooru/danbooru.
type Danbooru struct{ *client }

var _ Source = (*Danbooru)(nil)

// DefaultDanbooruTags is how many tags a search may have without an account or
// with an ordinary one (https://danbooru.donmai.us/wiki_pages/help:users). One
// of them is taken by the order at random, which counts there.
const DefaultDanbooruTags = 2

// danbooruGrammar: the fields are METATAGS of app/logical/post_query_builder.rb
// in the sources, those of older versions too. The parser
// (app/logical/post_query/parser.rb) takes "-" and "~" before a term, groups
// in parentheses, the words and, or, and * as a wildcard.
var danbooruGrammar = grammar{
	fields: strings.Fields(`
		user approver commenter comm noter noteupdater artcomm commentaryupdater
		flagger appealer upvote upvoter downvote downvoter fav ordfav favgroup
		ordfavgroup pool ordpool note comment commentary id rating source status
		filetype type disapproved parent child search embedded md5 is has locked
		width height mpixels ratio score upvotes downvotes favcount filesize
		filesizes duration date age order limit tagcount pixiv_id pixiv
		unaliased exif ai random reacted metadata
		comments deleted_comments active_comments notes deleted_notes
		active_notes flags resolved_flags unresolved_flags children
		deleted_children active_children pools deleted_pools active_pools
		series_pools collection_pools appeals approvals replacements`),
	suffixes: []string{"tags", "_count", "_id"},
	words:    []string{"and", "or", "not"},
	never:    ",",
}

// NewDanbooru checks the options; it does not touch the network. The error
// says what to mend.
func NewDanbooru(o Options) (*Danbooru, error) {
	if o.TagLimit <= 0 {
		o.TagLimit = DefaultDanbooruTags
	}
	// Ten reads a second are allowed; a bot for people needs no such pace.
	c, err := newClient(o, DefaultDanbooru, rate.NewLimiter(rate.Every(500*time.Millisecond), 2))
	if err != nil {
		return nil, err
	}
	return &Danbooru{c}, nil
}

// Find implements Source. A query may have one tag, with the default limit of
// tags; one with more is refused with the reason TooManyTags.
func (d *Danbooru) Find(ctx context.Context, q Query, n int) ([]Image, error) {
	if n <= 0 {
		return nil, nil
	}
	text, bad := danbooruQuery(q, d.opt.TagLimit)
	if bad != nil {
		return nil, d.sign(bad)
	}
	// https://danbooru.donmai.us/wiki_pages/help:api
	v := url.Values{"tags": {text}, "limit": {"100"}}
	var found []json.RawMessage
	err := d.get(ctx, "/posts.json", v, d.opt.Login != "", func(body []byte) (err error) {
		found, err = rows(body)
		return err
	})
	if err != nil {
		return nil, err
	}
	return pick(found, q, n, d.image), nil
}

// danbooruQuery: filetype and rating do not count as tags, order does.
func danbooruQuery(q Query, limit int) (string, *Error) {
	own := []string{"filetype:gif"}
	if !q.NSFW {
		own = append(own, "rating:g")
	}
	return danbooruGrammar.query(append(own, "order:random"), q, limit-1)
}

type danbooruPost struct {
	ID         text   `json:"id"`
	Rating     text   `json:"rating"`
	Ext        text   `json:"file_ext"`
	URL        text   `json:"file_url"`
	Width      number `json:"image_width"`
	Height     number `json:"image_height"`
	Size       number `json:"file_size"`
	Deleted    bool   `json:"is_deleted"`
	Banned     bool   `json:"is_banned"`
	Source     text   `json:"source"`
	Tags       text   `json:"tag_string"`
	Artists    text   `json:"tag_string_artist"`
	Characters text   `json:"tag_string_character"`
	Meta       text   `json:"tag_string_meta"`
	Asset      struct {
		Variants []struct {
			URL    text   `json:"url"`
			Ext    text   `json:"file_ext"`
			Width  number `json:"width"`
			Height number `json:"height"`
		} `json:"variants"`
	} `json:"media_asset"`
}

// image reads one post; ok is false for what is no picture to show. A GIF that
// does not move lacks the tag animated.
func (d *Danbooru) image(raw json.RawMessage) (img Image, ok bool) {
	var p danbooruPost
	if json.Unmarshal(raw, &p) != nil || p.ID == "" || p.Deleted || p.Banned || p.Ext != "gif" {
		return Image{}, false
	}
	img = Image{
		Source: d.name, ID: string(p.ID), Page: d.base.JoinPath("posts", string(p.ID)).String(),
		Origin: origins([]string{string(p.Source)}), Rating: danbooruRating(p.Rating),
		Artists:    people(strings.Fields(string(p.Artists))),
		Characters: strings.Fields(string(p.Characters)), Meta: strings.Fields(string(p.Meta)),
	}
	artists := strings.Fields(string(p.Artists))
	for _, tag := range strings.Fields(string(p.Tags)) {
		if slices.Contains(artists, tag) {
			tag = "artist:" + tag
		}
		img.Tags = append(img.Tags, tag)
	}
	if !moves(img.Tags) && !moves(img.Meta) {
		return Image{}, false
	}
	var files fileList
	files.add(d.base, p.URL, p.Width, p.Height, p.Size)
	if len(files) == 0 {
		return Image{}, false // for paying members, or banned
	}
	for _, v := range p.Asset.Variants {
		if v.Ext == "gif" {
			files.add(d.base, v.URL, v.Width, v.Height, 0)
		}
	}
	slices.SortStableFunc(files[1:], func(a, b File) int { return b.Width*b.Height - a.Width*a.Height })
	img.Files = files
	return img, true
}

// people are names as people write them: Danbooru and e621 put an underscore in
// place of a space, and "(artist)" behind a name that is a word too.
func people(tags []string) []string {
	var out []string
	for _, t := range tags {
		out = append(out, strings.ReplaceAll(strings.TrimSuffix(t, "_(artist)"), "_", " "))
	}
	return out
}

func moves(tags []string) bool {
	return slices.ContainsFunc(tags, func(t string) bool { return t == "animated" || t == "animated_gif" })
}

// danbooruRating: only general is safe. "s" is sensitive since 2022 and was
// safe before: taken as the stronger of the two.
func danbooruRating(r text) Rating {
	switch r {
	case "g":
		return Safe
	case "s":
		return Suggestive
	case "q":
		return Questionable
	case "e":
		return Explicit
	}
	return RatingUnknown
}
