package fedi

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"

	"rookery/internal/htmltext"
)

// Software is the server's make.
type Software string

// The makes whose ways are known.
const (
	Mastodon        Software = "mastodon" // and its forks
	Akkoma          Software = "akkoma"
	Pleroma         Software = "pleroma"
	GoToSocial      Software = "gotosocial"
	Snac            Software = "snac"
	Misskey         Software = "misskey" // and Sharkey, Firefish, Iceshrimp, Catodon …
	SoftwareUnknown Software = "unknown"
)

// Instance is what a server tells of itself and its limits. A limit the
// server does not tell is Mastodon's default, or 0 for "not known" where
// stated.
type Instance struct {
	Software Software
	Version  string // as the server writes it
	Title    string // its name for people; may be empty
	// Contact is the handle of who runs it, ContactMail their address; either
	// may be empty.
	Contact, ContactMail string
	Rules                []string // its rules, plain text, in its order
	// Domain is what stands after the @ in the handles of the server's own
	// accounts; it can differ from the host of its address.
	Domain string
	// Streaming is the base URL of the websocket API; empty when not told.
	Streaming string

	MaxChars int // of a post with its content warning, as Length counts
	// MaxCharsTold tells that MaxChars is the server's word, not a default.
	MaxCharsTold bool
	URLChars     int // what each web address counts for; 0 for its length
	MaxMedia     int // attachments of a post
	MaxAlt       int // characters of a description

	MIMETypes  []string // accepted; empty when not told
	ImageSize  int64    // bytes
	ImagePixel int64    // width times height; 0 when not told
	GIFPixel   int64    // width times height of a GIF, which no server tells; 0 when there is no other than ImagePixel
	VideoSize  int64    // bytes
	VideoPixel int64    // width times height; 0 when not told
	VideoRate  int64    // frames a second; 0 when not told
}

// Mastodon's defaults, for what a server does not tell.
const (
	defaultMaxChars  = 500
	defaultMaxMedia  = 4
	defaultMaxAlt    = 1500
	defaultImageSize = 16 << 20
	defaultVideoSize = 99 << 20
	// mastodonGIF is what Mastodon takes of a GIF, moving or not: 1280 by 720.
	// It stands in its sources alone (GIF_MATRIX_LIMIT of
	// app/models/concerns/attachmentable.rb).
	mastodonGIF = 921_600
)

type wireInstance struct {
	Domain    text `json:"domain"` // v2
	URI       text `json:"uri"`    // v1
	Version   text `json:"version"`
	Title     text `json:"title"`
	SourceURL text `json:"source_url"`
	URLs      object[struct {
		Streaming text `json:"streaming_api"`
	}] `json:"urls"`
	Contact         object[wireContact]       `json:"contact"`         // v2
	ContactAccount  object[Account]           `json:"contact_account"` // v1
	Email           text                      `json:"email"`           // v1
	Rules           list[wireRule]            `json:"rules"`
	Configuration   object[wireConfiguration] `json:"configuration"`
	MaxTootChars    count                     `json:"max_toot_chars"`       // Pleroma, old GoToSocial, Friendica, forks
	MaxPostChars    count                     `json:"post_character_limit"` // Mitra
	UploadLimit     count                     `json:"upload_limit"`         // Pleroma
	Description     count                     `json:"description_limit"`    // Pleroma
	MaxMedia        count                     `json:"max_media_attachments"`
	PleromaMetadata object[json.RawMessage]   `json:"pleroma"`
}

type wireContact struct {
	Email   text            `json:"email"`
	Account object[Account] `json:"account"`
}

type wireRule struct {
	Text text `json:"text"`
	Hint text `json:"hint"`
}

type wireConfiguration struct {
	URLs object[struct {
		Streaming text `json:"streaming"`
	}] `json:"urls"`
	Statuses object[struct {
		MaxCharacters count  `json:"max_characters"`
		MaxMedia      count  `json:"max_media_attachments"`
		PerURL        *count `json:"characters_reserved_per_url"`
	}] `json:"statuses"`
	Media object[struct {
		Types       list[text] `json:"supported_mime_types"`
		Description count      `json:"description_limit"`
		ImageSize   count      `json:"image_size_limit"`
		ImagePixel  count      `json:"image_matrix_limit"`
		VideoSize   count      `json:"video_size_limit"`
		VideoPixel  count      `json:"video_matrix_limit"`
		VideoRate   count      `json:"video_frame_rate_limit"`
	}] `json:"media_attachments"`
	// GoToSocial gives its MIME types and custom CSS rule here.
	Accounts object[struct {
		CustomCSS json.RawMessage `json:"allow_custom_css"`
	}] `json:"accounts"`
}

// Instance asks the server what it is and what it allows: the v2 document,
// then v1 with its configuration, then the older single fields, then
// Mastodon's defaults (https://docs.joinmastodon.org/methods/instance/). What
// it finds is kept for the client's own use: Software for rates and
// dismissal, MaxChars for the check before a post. Any error but Auth, Rate
// and Transient means that neither document exists.
func (c *Client) Instance(ctx context.Context) (Instance, error) {
	var w wireInstance
	_, err := c.get(ctx, call{path: "/api/v2/instance"}, &w)
	if err != nil {
		// snac's v2 is a web page, Akkoma has none, and a server may break
		// over either; v1 decides.
		w = wireInstance{}
		if cl := ClassOf(err); cl == Auth || cl == Rate || ctx.Err() != nil {
			return Instance{}, err
		}
	}
	if err != nil || !w.Configuration.V.Statuses.OK {
		var old wireInstance
		_, oldErr := c.get(ctx, call{path: "/api/v1/instance"}, &old)
		switch {
		case oldErr != nil && err != nil:
			return Instance{}, oldErr
		case oldErr == nil:
			w = merge(w, old)
		}
	}
	in := w.instance()
	if in.Software == SoftwareUnknown {
		if sw := c.nodeInfo(ctx); sw != "" {
			in.Software = sw
		}
	}
	if in.Software == Mastodon {
		in.GIFPixel = mastodonGIF
	}
	in.URLChars = urlChars(in.Software, w.Configuration.V.Statuses.V.PerURL)
	if in.Domain == "" {
		in.Domain = c.base.Host
	}
	if who := firstAccount(w.Contact.V.Account, w.ContactAccount); who.ID != "" {
		in.Contact = Converter{Domain: in.Domain}.Member(who).Handle
	}
	c.mu.Lock()
	c.instance, c.probed = in, true
	c.mu.Unlock()
	return in, nil
}

// merge fills the gaps of a v2 document from v1.
func merge(v2, v1 wireInstance) wireInstance {
	if v2.Domain != "" {
		v1.Domain = v2.Domain
	}
	if v2.SourceURL != "" {
		v1.SourceURL = v2.SourceURL
	}
	if v1.Version == "" {
		v1.Version = v2.Version
	}
	if v1.Title == "" {
		v1.Title = v2.Title
	}
	if len(v1.Rules) == 0 {
		v1.Rules = v2.Rules
	}
	if v2.Contact.OK {
		v1.Contact = v2.Contact
	}
	if v2.Configuration.V.URLs.OK {
		v1.Configuration.V.URLs = v2.Configuration.V.URLs
	}
	if !v1.Configuration.V.Media.OK {
		v1.Configuration.V.Media = v2.Configuration.V.Media
	}
	return v1
}

func (w wireInstance) instance() Instance {
	st, md := w.Configuration.V.Statuses.V, w.Configuration.V.Media.V
	in := Instance{
		Software:    w.software(),
		Version:     oneLine(string(w.Version)),
		Title:       oneLine(string(w.Title)),
		ContactMail: oneLine(first(w.Contact.V.Email, w.Email)),
		Rules:       w.rules(),
		Domain:      hostOf(first(w.Domain, w.URI)),
		Streaming:   first(w.Configuration.V.URLs.V.Streaming, w.URLs.V.Streaming),
		MaxChars:    int(positive(st.MaxCharacters, w.MaxTootChars, w.MaxPostChars)),
		MaxMedia:    int(positive(st.MaxMedia, w.MaxMedia, defaultMaxMedia)),
		MaxAlt:      int(positive(md.Description, w.Description, defaultMaxAlt)),
		ImageSize:   int64(positive(md.ImageSize, w.UploadLimit, defaultImageSize)),
		VideoSize:   int64(positive(md.VideoSize, w.UploadLimit, defaultVideoSize)),
		ImagePixel:  int64(md.ImagePixel),
		VideoPixel:  int64(md.VideoPixel),
		VideoRate:   int64(md.VideoRate),
	}
	in.MaxCharsTold = in.MaxChars > 0
	if !in.MaxCharsTold {
		in.MaxChars = defaultMaxChars
	}
	for _, t := range md.Types {
		in.MIMETypes = append(in.MIMETypes, string(t))
	}
	return in
}

// urlChars is what a web address counts for. Only Mastodon and its kin
// shorten addresses in the count; Sharkey sends a number that means nothing
// (the length of its own address), GoToSocial sends one and counts every
// character.
func urlChars(sw Software, told *count) int {
	switch sw {
	case Mastodon:
		if told != nil {
			return int(min(*told, 1000))
		}
		return 23
	case SoftwareUnknown:
		if told != nil { // Length takes the greater of this and the true length
			return int(min(*told, 1000))
		}
	}
	return 0
}

// makes are the names that servers put into their version, like
// "2.7.2 (compatible; Akkoma 3.10.4)", "4.0.0 (not true; really snac/2.52)",
// or into nodeinfo. The more special names stand first: Sharkey writes
// "like Akkoma".
var makes = [...]struct {
	word string
	is   Software
}{
	{"sharkey", Misskey}, {"misskey", Misskey}, {"firefish", Misskey}, {"iceshrimp", Misskey}, {"catodon", Misskey},
	{"calckey", Misskey}, {"foundkey", Misskey}, {"cherrypick", Misskey},
	{"snac", Snac}, {"gotosocial", GoToSocial}, {"akkoma", Akkoma}, {"pleroma", Pleroma}, {"rebased", Pleroma},
	{"glitch", Mastodon}, {"hometown", Mastodon}, {"chuckya", Mastodon}, {"mastodon", Mastodon},
}

func makeOf(s string) Software {
	s = strings.ToLower(s)
	for _, m := range makes {
		if strings.Contains(s, m.word) {
			return m.is
		}
	}
	return SoftwareUnknown
}

// software tells the make from the instance document, as far as it says.
func (w wireInstance) software() Software {
	version := strings.ToLower(string(w.Version))
	if strings.Contains(version, "compatible;") || strings.Contains(version, "really ") {
		// Somebody who says what it really is; an unknown name is unknown.
		_, rest, _ := strings.Cut(version, "(")
		return makeOf(rest)
	}
	if sw := makeOf(version); sw != SoftwareUnknown {
		return sw
	}
	if sw := makeOf(string(w.SourceURL)); sw != SoftwareUnknown {
		return sw
	}
	switch {
	case len(w.Configuration.V.Accounts.V.CustomCSS) > 0, strings.Contains(version, "+git-"):
		return GoToSocial
	case w.PleromaMetadata.OK:
		return Pleroma
	}
	return SoftwareUnknown
}

// nodeInfo asks the server's NodeInfo document (https://nodeinfo.diaspora.software/protocol)
// for its make, where the instance document does not tell; "" when that does
// not help either. Plain Mastodon before 4.0 and old GoToSocial need it.
func (c *Client) nodeInfo(ctx context.Context) Software {
	var index struct {
		Links list[struct {
			Rel  text `json:"rel"`
			Href text `json:"href"`
		}] `json:"links"`
	}
	if _, err := c.get(ctx, call{path: "/.well-known/nodeinfo", noAuth: true}, &index); err != nil {
		return ""
	}
	for _, l := range index.Links {
		u, err := url.Parse(string(l.Href))
		if err != nil || !strings.Contains(string(l.Rel), "nodeinfo.diaspora.software/ns/schema/") || !strings.EqualFold(u.Host, c.base.Host) {
			continue
		}
		var doc struct {
			Software object[struct {
				Name text `json:"name"`
			}] `json:"software"`
		}
		path := "/" + strings.TrimLeft(strings.TrimPrefix(u.EscapedPath(), c.base.EscapedPath()), "/")
		if _, err := c.get(ctx, call{path: path, route: "/nodeinfo", noAuth: true}, &doc); err == nil {
			return makeOf(string(doc.Software.V.Name))
		}
	}
	return ""
}

// rules are the server's rules as plain text; what a member reads below a
// rule is a part of it.
func (w wireInstance) rules() []string {
	const most = 100
	var all []string
	for _, r := range w.Rules[:min(len(w.Rules), most)] {
		if rule := strings.TrimSpace(htmltext.Clean(string(r.Text)) + "\n" + htmltext.Clean(string(r.Hint))); rule != "" {
			all = append(all, rule)
		}
	}
	return all
}

func firstAccount(of ...object[Account]) Account {
	for _, a := range of {
		if a.OK {
			return a.V
		}
	}
	return Account{}
}

func first(vs ...text) string {
	for _, v := range vs {
		if v != "" {
			return string(v)
		}
	}
	return ""
}

func positive(vs ...count) count {
	for _, v := range vs {
		if v > 0 {
			return min(v, 1<<40)
		}
	}
	return 0
}

// hostOf is the host of an address or of a bare host name, in lower case;
// empty if it is neither.
func hostOf(s string) string {
	if !strings.Contains(s, "://") {
		s = "https://" + s
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || strings.ContainsAny(u.Host, " @") {
		return ""
	}
	return strings.ToLower(u.Host)
}
