package boorusim

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// What the lexer makes of a query decides what a member's text may do.
func TestPhilomenaSyntax(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		// Nothing is searched for.
		"": "none", "  \t\n": "none",
		// Operators.
		"a, b":                     `(and "a" "b")`,
		"a && b AND c":             `(and "a" "b" "c")`,
		"a || b OR c":              `(or "a" "b" "c")`,
		"a, b || c, d":             `(or (and "a" "b") (and "c" "d"))`,
		"a, (b || c)":              `(and "a" (or "b" "c"))`,
		"-a, !b, NOT c":            `(and (not "a") (not "b") (not "c"))`,
		"-(-a)":                    `"a"`,
		"-(a || b)":                `(not (or "a" "b"))`,
		"a^2, (b || c)^1.5":        `(and "a" (or "b" "c"))`,
		"Rainbow   Dash":           `"rainbow dash"`,
		"twilight_sparkle":         `"twilight sparkle"`,
		"artist:a_b":               `"artist:a_b"`,
		"artist: a  b":             `"artist:a b"`,
		"ünïcode, пони, 東方":        `(and "ünïcode" "пони" "東方")`,
		"“fancy” ‘quotes’":         `"\"fancy\" 'quotes'"`,
		"a&&b":                     `"a&&b"`,
		"a ||b":                    `"a ||b"`,
		"a ||":                     `"a ||"`,
		"NOTa":                     `"nota"`,
		"a -b":                     `"a -b"`,
		"a NOT b":                  `"a not b"`,
		"a (b) c":                  `"a (b) c"`,
		"sandbar (mlp (g4))":       `"sandbar (mlp (g4))"`,
		`a \) b`:                   `"a ) b"`,
		`a\, b`:                    `"a, b"`,
		"a ^":                      `"a ^"`,
		"a ~":                      `"a ~"`,
		`\-a`:                      `"-a"`,
		`say "hi, you"`:            `(and "say \"hi" "you\"")`, // quotes within a term are letters
		`"a, b"`:                   `"a, b"`,
		`"-a || (b"`:               `"-a || (b"`,
		`"a \"b\" c"`:              `"a \"b\" c"`,
		`"a \\* b"`:                `"a * b"`,
		`"a`:                       `"\"a"`,
		`"`:                        `"\""`,
		"a*":                       `(like "a*")`,
		"a?**b":                    `(like "a?*b")`,
		`"a*"`:                     `(like "a*")`, // quotes do not take its meaning away
		`a\*`:                      `"a*"`,
		`a\*b*`:                    `(like "a*b*")`, // and beside a wildcard nothing does
		"*":                        "all",
		`"**"`:                     "all",
		"rarity~1":                 `(fuzzy "rarity")`,
		"rarity~0.5":               `(fuzzy "rarity")`,
		"rari*~2":                  `(like "rari*")`,
		`rarity\~1`:                `"rarity~1"`,
		"score.gt:100":             "score.gt:100",
		`"score.gt:100"`:           "score.gt:100", // quotes do not make a tag of a field
		"score:  10~5":             "score.eq:10~5",
		"Score:5":                  `"score:5"`,
		"score.foo:5":              `"score.foo:5"`,
		"oc:luna":                  `"oc:luna"`,
		"width.lte:800, id:5":      "(and width.lte:800 id.eq:5)",
		"my:faves":                 `"my:faves"`, // no field for somebody without a key
		"upvoted_by:x":             `"upvoted by:x"`,
		"uploader:A*":              `(uploader:like "a*")`,
		"faved_by:X":               `faved_by:"x"`,
		"animated:true":            "animated.eq:true",
		"aspect_ratio.gte:1.5":     "aspect_ratio.gte:1.5",
		"filter_id:2":              "",
		"created_at:2019-05":       "created_at.eq:2019-05",
		"created_at.gt:3 days ago": "created_at.gt:3 days ago",
	} {
		e, err := Parse(query)
		if want == "" {
			if err == nil {
				t.Errorf("%q was read", query)
			}
			continue
		}
		if err != nil || e.String() != want {
			t.Errorf("%q is %s, %v, want %s", query, e, err, want)
		}
	}
}

func TestPhilomenaErrors(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		")":                    "Imbalanced parentheses.",
		"(a":                   "Imbalanced parentheses.",
		"()":                   "Imbalanced parentheses.",
		"a)":                   "junk at end of expression: )",
		"foo(":                 "junk at end of expression: (",
		"foo (bar, baz)":       "junk at end of expression: (bar,baz)",
		`"a" b`:                "junk at end of expression: b",
		"a^2b":                 "junk at end of expression: b",
		"a,":                   "Expected a term.",
		",a":                   "Expected a term.",
		"a,,b":                 "Expected a term.",
		"a, || b":              "Expected a term.",
		"-":                    "Expected a term.",
		"--a":                  "Expected a term.",
		"- NOT a":              "Expected a term.",
		"^2":                   "Expected a term.",
		"a^-1":                 "Boost value must be non-negative.",
		"score:x":              "expected an integer, like `3' or `-10', starting at: x",
		"score.gt:1~2":         "multiple ranges specified for score",
		"duration:x":           "expected a real number, like `2.7182818' or `-10', starting at: x",
		"uploader.gt:a":        "range specified for uploader",
		"uploader_id:-1":       "expected a numeric value, like `3' or `10', starting at: -1",
		"animated:yes":         "expected a boolean, like `true' or `false', starting at: yes",
		"created_at:2019-13":   "invalid date format in input, parsed as 2019, 13",
		"created_at:yesterday": "expected a RFC3339 datetime fragment, like `2019-01-01', or relative date, like `3 days ago', starting at: yesterday",
		"gallery_id:x":         "Invalid gallery `x'.",
		"filter_id:9":          "Invalid filter `9`.",
		"filter_id.gt:9":       "range specified for filter_id",
		"a\xff":                "expected end of string, starting at: \xff",
		strings.Repeat("(", 3000) + "a" + strings.Repeat(")", 3000): "Imbalanced parentheses.",
	} {
		_, err := Parse(query)
		var wrong *SyntaxError
		if !errors.As(err, &wrong) || wrong.Message != want {
			t.Errorf("%.60q: %v, want %s", query, err, want)
		}
	}
	if _, err := (Searcher{User: "kim"}).Parse("my:dog"); err == nil || err.Error() != "Unknown `my' value." {
		t.Error(err)
	}
}

func TestPhilomenaMatch(t *testing.T) {
	t.Parallel()
	day := time.Date(2024, 5, 2, 12, 0, 0, 0, time.UTC)
	im := Image{
		ID: 7, Rating: Safe, Artists: []string{"kam"}, Characters: []string{"rainbow dash"}, Aliases: []string{"rd"},
		Tags:  []string{"animated", "gif", "blue eyes", "a*b", `back\slash`, "comma, tag", "c++ (language)"},
		Width: 800, Height: 600, Frames: 10, Upvotes: 150, Downvotes: 20, Faves: 12, Comments: 3, Uploader: "Kim",
		FavedBy: []string{"Lee"}, Description: "A bird, flying home.", Sources: []string{"https://Example.org/1"}, Created: day,
	}
	who := Searcher{User: "kim", Now: func() time.Time { return day.Add(3*24*time.Hour + time.Hour) }, Filters: DefaultFilters()}
	for query, want := range map[string]bool{
		"safe": true, "Rainbow Dash": true, "rainbow_dash": true, "rainbow": false, "rd": true, "artist:kam": true, "kam": false,
		"safe, animated, gif, rainbow dash": true, "safe, explicit": false, "explicit || safe": true, "-explicit": true, "-safe": false,
		"*": true, "rain*": true, "*dash": true, "r?inbow dash": true, "r?nbow dash": false, "rainbw dash~1": true, "rainbw dash~0.5": false,
		"ranibow dahs~2": true, "rainbw dash": false, `a\*b`: true, `"a\*b"`: true, "axb": false, `back\\slash`: true, `"back\\\\slash"`: true,
		`"back\\slash"`: false, `"comma, tag"`: true, "comma, tag": false, "c++ (language)": true,
		"score.gt:100": true, "score:130": true, "score:120~10": true, "score.lt:-5": false, "width.lte:800, height.gte:600": true,
		"pixels:480000": true, "aspect_ratio.gt:1.3": true, "id:7": true, "tag_count:10": true, "faves.lt:12": false, "comment_count.gte:3": true,
		"duration:1": true, "animated:true": true, "animated:false": false, "processed:true": true, "uploader:kim": true,
		"faved_by:lee": true, "faved_by:kim": false, "my:uploads": true, "my:faves": false, "my:upvotes": false, "mime_type:image/gif": true,
		"original_format:gif": true, "original_format:png": false, "source_url:*example.org*": true, "file_name:picture.gif": true, "file_name:Picture*": false,
		"description:flying home": true, "description:home flying": false, "description:fly*": true, "duplicate_id:1": false, "gallery_id:1": false,
		"created_at:2024": true, "created_at:2024-05-02": true, "created_at:2024-05-02T12": true, "created_at:2024-05-02T12:01": false,
		"created_at.gt:2024-05-01": true, "created_at.gt:2024-05-02": false, "created_at.gte:2024-05-02": true, "created_at.lt:2024-05-02": false,
		"created_at.lte:2024-05-02": true, "created_at:2024-05-02 14+02:00": true, "created_at:3 days ago": true, "created_at.gt:3 days ago": false,
		"created_at.lt:2 days ago": true, "first_seen_at.gte:1 week ago": true, "filter_id:1": true, "sha512_hash:x": false, "wilson_score.gt:0.5": true,
		"source_count:1, rating_tag_count:1, character_tag_count:1": true,
	} {
		e, err := who.Parse(query)
		if err != nil {
			t.Errorf("%q: %v", query, err)
		} else if e.Match(im) != want {
			t.Errorf("%q finds it: %v", query, !want)
		}
	}
	if e, _ := Parse(""); e.Match(im) || (Expr{}).Match(im) {
		t.Error("nothing finds something")
	}
}

func TestFilters(t *testing.T) {
	t.Parallel()
	f := Filter{HiddenTags: []string{"Gore"}, HiddenComplex: "a, b\r\n(c, score.lt:0\n", SpoileredTags: []string{"spider"}}
	for tags, want := range map[string][2]bool{"x": {}, "gore": {true, true}, "a": {}, "a,b": {true, true}, "spider": {false, true}, "c": {}} {
		d := newDoc(&Image{Tags: strings.Split(tags, ",")})
		f := f
		if tags == "a,b" {
			f.HiddenComplex = "a, b\nq"
		}
		if f.hides(Searcher{}, d) != want[0] || f.spoilers(Searcher{}, d) != want[1] {
			t.Errorf("%s: hidden %v, spoilered %v", tags, f.hides(Searcher{}, d), f.spoilers(Searcher{}, d))
		}
	}
	s := Searcher{Now: time.Now, Filters: []Filter{f}}
	if _, err := s.parse("filter_id:0", true); err == nil {
		t.Error("a filter within a filter")
	}
}

func TestDanbooruSyntax(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                          "all",
		"1girl solo":                `(and "1girl" "solo")`,
		"1girl and Solo":            `(and "1girl" "solo")`,
		"a or b":                    `(or "a" "b")`,
		"~a ~b":                     `(or "a" "b")`,
		"~a b":                      `(and "a" "b")`,
		"-a b":                      `(and (not "a") "b")`,
		"-(a b)":                    `(not (and "a" "b"))`,
		"(a or b)":                  `(or "a" "b")`,
		"(saber_(fate))":            `"saber_(fate)"`,
		"saber_(fate)":              `"saber_(fate)"`,
		"b*":                        `(like "b*")`,
		"order:random a rating:g,s": `(and order:random "a" rating:g,s)`,
		`user:"a b" x`:              `(and user:a b "x")`,
		"artist:kam":                `"artist:kam"`,
		":) a":                      `(and ":)" "a")`,
		// Those that cannot be read find nothing.
		"(a": "none", "a )": "none", "or": "none", "a or": "none", "--a": "none", "( )": "none", "-": "none", "~": "none", `user:"a`: "none",
	} {
		q, err := ParseDanbooru(query)
		if err != nil || q.String() != want {
			t.Errorf("%q is %s, %v, want %s", query, q, err, want)
		}
	}
	for query, want := range map[string]string{
		"a b c":                 "You cannot search for more than 2 tags at a time.",
		"a b order:random":      "You cannot search for more than 2 tags at a time.",
		"a b -c*":               "You cannot search for more than 2 tags at a time.",
		"order:id order:random": "'order:' can't be used more than once.",
		"-order:random":         "'order:random' can't be negated.",
		"a or order:random":     "'order:random' can't be used with the 'or' operator.",
	} {
		if _, err := ParseDanbooru(query); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", query, err, want)
		}
	}
	q, err := ParseDanbooru("a a -b rating:g filetype:gif status:active limit:5 width:>100")
	if err != nil || q.Terms != 2 || q.Limit != 5 {
		t.Errorf("%+v, %v", q, err)
	}
}

func TestE621Syntax(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"":                       "all",
		"A b":                    `(and "a" "b")`,
		"-a ~b ~c":               `(and (not "a") (or "b" "c"))`,
		"( a ~b ) -( c d )":      `(and (and "a" (or "b")) (not (and "c" "d")))`,
		"~( a b ) ~( c d )":      `(or (and "a" "b") (and "c" "d"))`,
		"(a) b":                  `(and "(a)" "b")`,
		"( a":                    `(and "(" "a")`,
		"a* b*":                  `(or (like "a*") (like "b*"))`,
		"~a*":                    `(or "a*")`,
		"-a*":                    `(not (like "a*"))`,
		"gif":                    "filetype:gif",
		"type:gif rating:s":      "(and type:gif rating:s)",
		"rating:general a":       `"a"`, // no rating of its own: passed over
		"rating:safe":            "rating:s",
		`user:"a b" c`:           `(and user:a b "c")`,
		"order:random limit:3 a": `"a"`,
		"( order:random a )":     `"a"`,
		"artist:kam":             `"artist:kam"`,
		"fav:":                   `"fav:"`,
		"( )":                    "all",
	} {
		q, err := ParseE621(query)
		if err != nil || q.String() != want {
			t.Errorf("%q is %s, %v, want %s", query, q, err, want)
		}
	}
	if q, _ := ParseE621("a status:deleted order:random limit:3 rating:s rating:e -b"); q.Order != "random" || q.Limit != 3 || !q.Deleted || q.Terms != 4 {
		t.Errorf("%+v", q)
	}
	if _, err := ParseE621(strings.Repeat("a ", 41)); err == nil || err.Error() != "You cannot search for more than 40 tags at a time" {
		t.Error(err)
	}
	if _, err := ParseE621(strings.Repeat("( ", 12) + "a" + strings.Repeat(" )", 12)); err == nil {
		t.Error("groups without an end")
	}
}

func TestPostsMatch(t *testing.T) {
	t.Parallel()
	im := Image{ID: 7, Rating: Suggestive, Tags: []string{"blue eyes", "solo"}, Artists: []string{"kam"}, Width: 800, Height: 600, Frames: 30,
		Upvotes: 10, Faves: 3, Size: 3 << 20, Uploader: "kim", FavedBy: []string{"lee"}, Sources: []string{"https://example.org/1"},
		Created: time.Date(2024, 5, 2, 12, 0, 0, 0, time.UTC)}
	for query, want := range map[string]bool{
		"blue_eyes": true, "blue": false, "kam solo": true, "*eyes": true, "-solo": false, "rating:s": true, "rating:sensitive": true, "rating:safe": true,
		"rating:g": false, "rating:q,s": true, "is:sfw": true, "is:nsfw": false, "is:gif": true, "filetype:gif,png": true, "filetype:jpg": false,
		"score:>5": true, "score:10": true, "score:1,2": false, "score:5..": true, "score:..5": false, "score:5...20": true, "width:>=800": true,
		"height:<600": false, "id:7": true, "filesize:3mb": true, "filesize:>2M": true, "mpixels:<1": true, "ratio:4:3": true, "duration:3": true,
		"user:Kim": true, "fav:lee": true, "source:https://example*": true, "source:none": false, "source:any": true, "date:2024-05-02": true,
		"date:>2024-05-01": true, "date:2024-01-01..2024-02-01": false, "status:active": true, "status:deleted": false, "pool:x": false,
		"tagcount:3": true, "score:x": false, "md5:x": false, "favcount:<=3": true,
	} {
		q, err := ParseDanbooru(query)
		if err != nil || q.Match(im) != want {
			t.Errorf("Danbooru: %q finds it: %v, %v", query, !want, err)
		}
	}
	for query, want := range map[string]bool{
		"blue_eyes": true, "type:gif": true, "gif": true, "webm": false, "rating:q": true, "rating:s": false, "-rating:e": true, "~solo ~x": true,
		"~x ~y": false, "x* s*": true, "( solo -x )": true, "-( solo blue_eyes )": false, "score:>5 width:800": true, "~score:>50 ~solo": true,
	} {
		q, err := ParseE621(query)
		if err != nil || q.Match(im) != want {
			t.Errorf("e621: %q finds it: %v, %v", query, !want, err)
		}
	}
}

func FuzzPhilomena(f *testing.F) {
	for _, s := range []string{"a, -b || (c^2)", `"a\\*b", score.gt:3`, "a (b (c)) ~2", "created_at:3 days ago", "((((", `\`, "a\xff", "*"} {
		f.Add(s)
	}
	im := Image{Tags: []string{"a", "b c"}, Rating: Safe}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s)
		if err != nil {
			return
		}
		not, err := Parse("-(" + s + ")")
		if err == nil && e.root != nil && not.Match(im) == e.Match(im) && strings.Count(s, "(") == strings.Count(s, ")") && !strings.ContainsAny(s, `\"`) {
			t.Errorf("%q and its opposite %s both find %v", s, not, e.Match(im))
		}
	})
}

func FuzzPosts(f *testing.F) {
	for _, s := range []string{"a -b ~c ~d", "(a or b) -c*", "( a ~b ) -( c )", `user:"a b" x`, "((((", "order:random", "saber_(x))", "'", "~"} {
		f.Add(s)
	}
	im := Image{Tags: []string{"a", "b c"}}
	f.Fuzz(func(t *testing.T, s string) {
		if q, err := ParseDanbooru(s); err == nil && q.Match(im) && q.root == nil {
			t.Error("nothing finds something")
		}
		if q, err := ParseE621(s); err == nil && q.root == nil {
			t.Errorf("%q is not read", s)
		}
	})
}
