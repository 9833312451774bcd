package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2/unstable"

	"rookery/internal/community"
)

func gifsSection(g *GIFs) section {
	return section{name: "gifs", elsewhere: map[string]string{
		"nsfw": "it belongs in [[account]]; on Discord each guild turns it on itself, with /settings",
	}, fields: []field{
		text("word", &g.Word, "gif", "word", "The word that begins a request to an account that does other things too. One that does nothing else needs none.", isRequestWord),
		duration("cooldown", &g.Cooldown, 20*time.Second, 0, 24*time.Hour, `Least time between two pictures for one member. "0s" means none.`),
		perSecond("rate", &g.Rate, 1, "Pictures a second, for all members together."),
		whole("burst", &g.Burst, 3, 1, 100, "So many pictures may be sent at once before rate counts."),
		whole("queue", &g.Queue, 5, 1, 100, "So many requests of one member may wait; what is more gets a notice."),
		duration("no_repeat", &g.NoRepeat, 24*time.Hour, 0, 30*24*time.Hour, `So long an account does not show a picture again. "0s" means that it may.`),
		texts("blocklist", &g.Blocklist, 1000, "Tags that are never looked for nor shown, beside the list that ships.", isBlockedTag),
		choice("nsfw_visibility", string(community.Unlisted), "The widest audience of an NSFW picture. It never has a wider one than its request.",
			[]string{string(community.Unlisted), string(community.Followers), string(community.Direct)},
			func(s string) { g.NSFWVisibility = community.Visibility(s) }),
		megabytes("max_download_mb", &g.MaxDownload, 40, 1, 500, "Largest picture that is fetched from a board, in megabytes."),
		text("ffmpeg", &g.FFmpeg, "ffmpeg", "program", `The program that makes smaller GIFs and videos of what is too large for the server: its name or path, or "off".`, isProgram),
		duration("ffmpeg_timeout", &g.FFmpegTimeout, 2*time.Minute, 100*time.Millisecond, 30*time.Minute, "Longest time that it may take for one picture."),
		duration("notice_after", &g.NoticeAfter, 5*time.Minute, 100*time.Millisecond, 24*time.Hour, "A request that waits longer than this gets one direct message that it is kept."),
	}}
}

func (d *draft) boardSections() section {
	s := boardSection(new(GIFSource), new(source))
	s.next = func(t *table) (section, func()) {
		b, key := new(GIFSource), new(source)
		return boardSection(b, key), func() {
			d.cfg.GIFs.Sources = append(d.cfg.GIFs.Sources, *b)
			d.boardKeys = append(d.boardKeys, key)
			d.boards = append(d.boards, t)
		}
	}
	return s
}

// boardKinds are the words for a source's "kind".
func boardKinds() []string { return []string{Philomena, Danbooru, E621} }

// boardURL is the best known board of a kind.
func boardURL(kind string) string {
	return map[string]string{
		Philomena: "https://furbooru.org",
		Danbooru:  "https://danbooru.donmai.us",
		E621:      "https://e621.net",
	}[kind]
}

func boardSection(b *GIFSource, key *source) section {
	return section{name: "gifs.source", many: true, secrets: secretWords("key", "api_key", "apikey", "token", "secret", "password"), fields: []field{
		choice("kind", "", "The software of the board that pictures come from. Required.", boardKinds(), func(s string) { b.Kind = s }),
		text("url", &b.URL, "", "URL", "Address of the board. Without it Furbooru, Danbooru or e621, by the kind.", isBoard),
		digits("filter_id", &b.FilterID, "Number of the board's filter for safe pictures. Without it the board's default. Only for the kind philomena; so for the next."),
		digits("nsfw_filter_id", &b.NSFWFilterID, "Number of the filter for NSFW pictures."),
		text("login", &b.Login, "", "text", "Name of your account at the board, if you have one: it is asked with that and the key. Not for the kind philomena, where the key is enough.", isLogin),
		text("key_env", &key.env, "", "name of a variable", "Variable that holds that account's API key.", isVariable),
		text("key_file", &key.file, "", "path", "File that holds it, instead of a variable.", isPath),
		text("contact", &b.Contact, "", "text", "How those who run the board reach you, which they are told with every request. Required for the kind e621.", isContact),
	}}
}

// perSecond is a rate of which 0 is not one.
func perSecond(key string, to *float64, def float64, doc string) field {
	const low, high = 0.001, 100
	*to = def
	return field{Key{key, "number", strconv.FormatFloat(def, 'g', -1, 64), doc}, func(v *value) string {
		if v.kind != unstable.Integer && v.kind != unstable.Float {
			return wrongKind(v, "a number")
		}
		f, err := strconv.ParseFloat(strings.ReplaceAll(v.text, "_", ""), 64)
		switch {
		case err == nil && f == 0:
			return fmt.Sprintf(`0 would never send a picture: for none at all take "%s" out of does in [[account]]`, FeatureGIFs)
		case err != nil || math.IsNaN(f) || f < low || f > high:
			return fmt.Sprintf("%s is out of range: from %g to %d", clip(v.text), low, high)
		}
		*to = f
		return ""
	}}
}

// megabytes is a whole number of them in the file, and bytes in to.
func megabytes(key string, to *int64, def, low, high int, doc string) field {
	var n int
	f := whole(key, &n, def, low, high, doc)
	*to = int64(def) << 20
	read := f.read
	f.read = func(v *value) string {
		bad := read(v)
		if bad == "" {
			*to = int64(n) << 20
		}
		return bad
	}
	return f
}

// digits is the number of something, of which nothing is counted: it is a
// text, but may be written without quotes.
func digits(key string, to *string, doc string) field {
	return field{Key{key, "whole number", "", doc}, func(v *value) string {
		if v.kind != unstable.Integer && v.kind != unstable.String {
			return wrongKind(v, "a whole number")
		}
		if len(v.text) > 18 || strings.Trim(v.text, "0123456789") != "" || strings.TrimLeft(v.text, "0") != v.text || v.text == "" {
			return shown(v.text) + " is not such a number: write its digits alone, as the board shows them, like 12345"
		}
		*to = v.text
		return ""
	}}
}
