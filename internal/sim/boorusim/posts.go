package boorusim

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// PostQuery is a search of Danbooru or e621 that was understood.
type PostQuery struct {
	Expr
	Order   string // value of order:, or "random" when that was asked for otherwise; empty: newest first
	Random  int    // value of random: (Danbooru): so many at random
	Limit   int    // value of limit:; 0: not given
	Terms   int    // terms that count towards the limit of tags
	Deleted bool   // deleted posts are shown (e621 only; Danbooru always shows them)
}

// metatag makes a condition of name:value; ok is false for a name that no
// board has. A name that is known and means nothing here finds nothing.
func metatag(b Board, name, value string) leaf {
	label := name + ":" + value
	none := leaf{label, func(*doc) bool { return false }}
	values := strings.Split(strings.ToLower(value), ",")
	anyValue := func(fits func(d *doc, v string) bool) leaf {
		return leaf{label, func(d *doc) bool {
			return slices.ContainsFunc(values, func(v string) bool { return fits(d, v) })
		}}
	}
	switch name {
	case "rating":
		return anyValue(func(d *doc, v string) bool {
			letter := d.letter(b)
			return v != "" && letter != "" && v[0] == letter[0]
		})
	case "filetype", "type":
		return anyValue(func(d *doc, v string) bool { return d.Format == v })
	case "is":
		return anyValue(func(d *doc, v string) bool {
			letter := d.letter(b)
			switch v {
			case "sfw":
				return letter == "g" || letter == "s"
			case "nsfw":
				return letter == "q" || letter == "e"
			case "general", "sensitive", "questionable", "explicit":
				return letter == v[:1]
			case "active":
				return !d.hidden()
			case "deleted":
				return d.hidden()
			}
			return v == d.Format
		})
	case "status":
		return leaf{label, func(d *doc) bool {
			switch strings.ToLower(value) {
			case "any", "all":
				return true
			case "active":
				return !d.hidden()
			case "deleted":
				return d.hidden()
			}
			return false
		}}
	case "user":
		return leaf{label, func(d *doc) bool { return d.Uploader != "" && strings.EqualFold(d.Uploader, value) }}
	case "fav", "favoritedby":
		return leaf{label, func(d *doc) bool { return containsFold(d.FavedBy, value) }}
	case "source":
		if strings.EqualFold(value, "none") {
			return leaf{label, func(d *doc) bool { return len(d.Sources) == 0 }}
		}
		if strings.EqualFold(value, "any") {
			return leaf{label, func(d *doc) bool { return len(d.Sources) > 0 }}
		}
		like := wildcard(strings.ToLower(value) + "*")
		return leaf{label, func(d *doc) bool {
			return slices.ContainsFunc(d.Sources, func(s string) bool { return like(strings.ToLower(s)) })
		}}
	case "md5":
		return anyValue(func(d *doc, v string) bool { return md5Of(d.Image) == v })
	case "order", "limit", "random", "randseed":
		return leaf{label, func(*doc) bool { return true }}
	case "id", "width", "height", "score", "favcount", "filesize", "mpixels", "ratio", "duration", "tagcount":
		fits, ok := postRange(value)
		if !ok {
			return none
		}
		return leaf{label, func(d *doc) bool { return fits(postNumber(d, name)) }}
	case "date":
		return leaf{label, func(d *doc) bool { return postDate(d.Created, value) }}
	}
	return none
}

// knownMetatag has those of both boards that a search for pictures meets, and
// others, so that they are not taken for tags.
func knownMetatag(b Board, name string) bool {
	switch name {
	case "rating", "filetype", "status", "user", "fav", "source", "md5", "order", "limit", "id", "width", "height",
		"score", "favcount", "filesize", "mpixels", "ratio", "duration", "date", "age", "tagcount", "parent", "child", "pool",
		"approver", "commenter", "comm", "noter", "noteupdater", "flagger", "comment_count", "arttags", "chartags",
		"copytags", "gentags", "metatags", "upvote", "downvote":
		return true
	case "is", "has", "random", "search", "favgroup", "ordfav", "ordpool", "ordfavgroup", "commentary", "embedded",
		"pixiv", "pixiv_id", "disapproved", "upvotes", "downvotes", "appealer", "artcomm", "note_count", "unaliased":
		return b == Danbooru
	case "type", "randseed", "set", "favoritedby", "description", "note", "delreason", "deletedby", "hassource",
		"hasdescription", "ischild", "isparent", "inpool", "locked", "ratinglocked", "notelocked", "statuslocked",
		"spectags", "voted", "user_id", "hot_from", "change":
		return b == E621
	}
	return false
}

// free reports whether a metatag does not count towards the limit of tags:
// UNLIMITED_METATAGS in danbooru's app/logical/post_query.rb. order: and
// random: are not among them.
func free(name string) bool {
	switch name {
	case "status", "rating", "limit", "is", "id", "date", "age", "filesize", "filetype", "parent", "child", "md5",
		"width", "height", "duration", "mpixels", "ratio", "score", "upvote", "downvotes", "favcount", "embedded",
		"tagcount", "pixiv_id", "pixiv":
		return true
	}
	return false
}

func postNumber(d *doc, name string) float64 {
	switch name {
	case "favcount":
		return float64(d.Faves)
	case "filesize":
		return float64(d.Size)
	case "mpixels":
		return float64(d.Width*d.Height) / 1e6
	case "ratio":
		return float64(int(float64(d.Width)/float64(d.Height)*100+0.5)) / 100
	case "tagcount":
		return float64(len(d.posts))
	}
	return numberOf(d, name)
}

// postRange reads 5, 1,2,3, >5, >=5, <5, <=5, 5..10, 5.. and ..10.
func postRange(value string) (fits func(float64) bool, ok bool) {
	parse := func(s string) (float64, bool) {
		s = strings.ToLower(s)
		unit := 1.0
		for _, u := range []struct {
			suffix string
			size   float64
		}{{"mb", 1 << 20}, {"kb", 1 << 10}, {"m", 1 << 20}, {"k", 1 << 10}, {"b", 1}} {
			if rest, ok := strings.CutSuffix(s, u.suffix); ok {
				s, unit = rest, u.size
				break
			}
		}
		if a, b, ok := strings.Cut(s, ":"); ok { // a ratio, like 4:3
			x, err := strconv.ParseFloat(a, 64)
			y, err2 := strconv.ParseFloat(b, 64)
			return float64(int(x/y*100+0.5)) / 100, err == nil && err2 == nil && y != 0
		}
		v, err := strconv.ParseFloat(s, 64)
		return v * unit, err == nil
	}
	for _, op := range []struct{ sign, name string }{{">=", "gte"}, {"<=", "lte"}, {">", "gt"}, {"<", "lt"}} {
		if rest, is := strings.CutPrefix(value, op.sign); is {
			v, ok := parse(rest)
			return func(x float64) bool { return compare(x, op.name, v) }, ok
		}
	}
	if a, b, is := strings.Cut(value, ".."); is {
		from, okA := parse(a)
		to, okB := parse(strings.TrimPrefix(b, "."))
		return func(x float64) bool { return (a == "" || x >= from) && (b == "" || x <= to) },
			(okA || a == "") && (okB || b == "") && a+b != ""
	}
	var all []float64
	for _, s := range strings.Split(value, ",") {
		v, ok := parse(s)
		if !ok {
			return nil, false
		}
		all = append(all, v)
	}
	return func(x float64) bool { return slices.Contains(all, x) }, true
}

// postDate compares a day with a condition like that of postRange.
func postDate(t time.Time, value string) bool {
	day := t.UTC().Format(time.DateOnly)
	for _, op := range []string{">=", "<=", ">", "<"} {
		if rest, is := strings.CutPrefix(value, op); is {
			switch op {
			case ">=":
				return day >= rest
			case "<=":
				return day <= rest
			case ">":
				return day > rest
			}
			return day < rest
		}
	}
	if a, b, is := strings.Cut(value, ".."); is {
		return (a == "" || day >= a) && (b == "" || day <= b)
	}
	return day == value
}

// letter is the rating as Danbooru or e621 has it; empty if there is none.
func (im *Image) letter(b Board) string {
	if im.RawRating != "" {
		return im.RawRating
	}
	switch im.Rating {
	case Unrated:
		return ""
	case Safe:
		if b == E621 {
			return "s"
		}
		return "g"
	case Suggestive:
		if b == E621 {
			return "q"
		}
		return "s"
	case Questionable:
		return "q"
	}
	return "e"
}
