package booru

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"
	"pgregory.net/rapid"

	"rookery/internal/sim/boorusim"
)

// The boards' own languages, as the simulator reads them, are the judges here:
// it was written from the boards' sources without a look at this package.

// vocabulary are tags that pictures have, among them many that would be
// something else if they were not sent as tags.
var vocabulary = []string{
	"cute", "sad", "rainbow dash", "fluffy_tail", "dancing", "explosion",
	"a || b", "a && b", "not cute", "and", "or", "OR", "AND", "NOT", "cute^2", "cute~2", "cute~", "*", "cut*", "c?te", "?",
	"(cute)", "(cute", "cute)", "( cute )", ":)", ":3", "-cute", "!cute", "~cute", `back\slash`, `\`, `c\*`, "it's", "100%", "c#",
	"score.gt:100", "score:500", "id:1", "my:faves", "uploader:me", "user:me", "faved_by:me", "fav:me", "width.gt:1", "created_at:2024",
	"rating:e", "rating:s", "rating:g", "filetype:png", "type:png", "order:id", "status:deleted", "description:words", "animated:false",
	"nier:automata", "re:zero", "oc:blue", "oc:some_one", "species:fox", "png", "webm", "кот", "рыжий кот", "🦊", "ﬁn", "ä",
}

// others are what a member may type besides: operators, and tags no picture has.
var others = []string{
	",", " , ", "-", "--", "||", "&&", " OR ", " AND ", "NOT ", "!", "(", ")", "^2", "~0.5", "*", "?", `\`, `\"`, `"`, "“", "”", ":", "~", "@rook ", "nsfw ", "random ",
	"safe", "explicit", "animated", "gif", "unknown", "id:1 ", "score.gt:1", "my:faves", "order:random", "rating:explicit", "user:me", "x:\"", "artist:", "oc:", "-rating:s", "~cute",
	"\u200b", "\u202e", "\x00", "\n", "ſ", "Ｒ", "：", "＊", "（",
}

// typed draws what a member types.
func typed(t *rapid.T) string {
	piece := rapid.Custom(func(t *rapid.T) string {
		word := rapid.OneOf(rapid.SampledFrom(vocabulary), rapid.SampledFrom(vocabulary), rapid.SampledFrom(others), rapid.StringN(0, 4, 8)).Draw(t, "word")
		switch rapid.IntRange(0, 5).Draw(t, "form") {
		case 0, 1:
			word = `"` + word + `"`
		case 2:
			word = `-"` + word + `"`
		case 3:
			word = "-" + word
		}
		return word
	})
	glue := rapid.SampledFrom([]string{" ", " ", ", ", ""}).Draw(t, "glue")
	return strings.Join(rapid.SliceOfN(piece, 0, 5).Draw(t, "pieces"), glue)
}

// picture draws one of a board. Its fields are such that a search for a field
// that slipped through would find it or lose it.
func picture(t *rapid.T) boorusim.Image {
	im := boorusim.Image{
		Rating: rapid.SampledFrom([]boorusim.Rating{
			boorusim.Safe, boorusim.Safe, boorusim.Safe, boorusim.Suggestive, boorusim.Questionable, boorusim.Explicit, boorusim.Grimdark, boorusim.Unrated,
		}).Draw(t, "rating"),
		Tags:   rapid.SliceOfNDistinct(rapid.SampledFrom(vocabulary), 0, 25, rapid.ID).Draw(t, "tags"),
		Format: rapid.SampledFrom([]string{"gif", "gif", "gif", "gif", "png"}).Draw(t, "format"),
		Frames: rapid.SampledFrom([]int{4, 4, 4, 1}).Draw(t, "frames"),
		Width:  2, Height: 2, Size: 1000, Upvotes: 500, Uploader: "me", FavedBy: []string{"me"}, Description: "words",
	}
	if moving(im) {
		im.Meta = []string{"animated"}
	}
	if im.Format == "gif" {
		im.Tags = append(im.Tags, "gif")
	}
	return im
}

func moving(im boorusim.Image) bool { return im.Format == "gif" && im.Frames > 1 }

// onPhilomena and underscored are the names of a picture's tags on the boards.
func onPhilomena(tag string) string {
	tag = strings.ToLower(tag)
	if strings.HasPrefix(tag, "oc:") || strings.HasPrefix(tag, "artist:") {
		return tag
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(tag, "_", " ")), " ")
}

func onOthers(tag string) string {
	tag = strings.ToLower(tag)
	for _, space := range []string{"oc:", "species:", "artist:"} {
		if name, ok := strings.CutPrefix(tag, space); ok {
			tag = name
			break
		}
	}
	return strings.Join(strings.Fields(tag), "_")
}

// fits is the whole of what a query means.
func fits(q Query, im boorusim.Image, name func(string) string, stored func(string) string) bool {
	if !moving(im) || !q.NSFW && im.Rating != boorusim.Safe {
		return false
	}
	has := map[string]bool{}
	if stored("a b") == "a b" && im.Rating != boorusim.Unrated { // a tag on Philomena alone
		has[string(im.Rating)] = true
	}
	for _, tag := range slices.Concat(im.Tags, im.Meta) {
		has[stored(tag)] = true
	}
	for _, term := range q.Terms {
		if has[name(term.Tag)] == term.Not && (term.Not || !implied(term)) {
			return false
		}
	}
	return true
}

// stored is how Danbooru and e621 keep a tag: a namespace is a part of it.
func stored(tag string) string { return strings.Join(strings.Fields(strings.ToLower(tag)), "_") }

func TestPhilomenaQueriesFindExactlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		said := typed(t)
		q := Parse(said).Query
		text, bad := philomenaQuery(q)
		if bad != nil && strings.Trim(bad.Tag, "_ ") == "" {
			return
		}
		if bad != nil {
			t.Fatalf("%q cannot be asked: %v", said, bad)
		}
		for _, who := range []boorusim.Searcher{{}, {User: "me"}} {
			expr, err := who.Parse(text)
			if err != nil {
				t.Fatalf("%q is sent as %s: %v", said, text, err)
			}
			for _, im := range rapid.SliceOfN(rapid.Custom(picture), 1, 8).Draw(t, "pictures") {
				if got, want := expr.Match(im), fits(q, im, onPhilomena, onPhilomena); got != want {
					t.Fatalf("%q is sent as %s, read as %s: finds %v, want %v: %+v", said, text, expr, got, want, im)
				}
			}
		}
	})
}

func TestDanbooruAndE621QueriesFindExactlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	boards := []struct {
		name  string
		query func(Query) (string, *Error)
		parse func(string) (boorusim.PostQuery, error)
		safe  func(boorusim.Image) bool
		never []string // words of the vocabulary that mean something else alone
	}{
		{
			"danbooru",
			func(q Query) (string, *Error) { return danbooruQuery(q, DefaultDanbooruTags) },
			boorusim.ParseDanbooru,
			// That it moves is looked for in the answer: the tag would be one too many.
			moving, nil,
		},
		{"e621", e621Query, boorusim.ParseE621, nil, nil},
	}
	for _, b := range boards {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			rapid.Check(t, func(t *rapid.T) {
				said := typed(t)
				q := Parse(said).Query
				if b.name == "danbooru" && len(q.Terms) > 1 {
					q.Terms = q.Terms[:1]
				}
				text, bad := b.query(q)
				if bad != nil {
					if bad.Class != Refused || bad.Reason != BadTag || !slices.ContainsFunc(q.Terms, func(t Term) bool { return t.Tag == bad.Tag }) {
						t.Fatalf("%q: %+v", said, bad)
					}
					return
				}
				asked++
				post, err := b.parse(text)
				if err != nil {
					t.Fatalf("%q is sent as %s: %v", said, text, err)
				}
				if post.Order != "random" || post.Limit != 0 || post.Random != 0 || b.name == "e621" && post.Deleted {
					t.Fatalf("%q is sent as %s, read as %+v", said, text, post)
				}
				for _, im := range rapid.SliceOfN(rapid.Custom(picture), 1, 8).Draw(t, "pictures") {
					got := post.Match(im)
					if b.safe != nil {
						got = got && b.safe(im)
					}
					if want := fits(q, im, onOthers, stored); got != want {
						t.Fatalf("%q is sent as %s, read as %s: finds %v, want %v: %+v", said, text, post, got, want, im)
					}
				}
			})
			if asked < 20 {
				t.Errorf("only %d searches could be asked", asked)
			}
		})
	}
}

// world is a board with pictures of every kind, and what is fit to be shown
// from it by ID.
func world(t *testing.T, board boorusim.Board) (*boorusim.Server, map[string]boorusim.Image) {
	t.Helper()
	srv, err := boorusim.Start(boorusim.Config{Board: board, Seed: 7, NoLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
	})
	fit := map[string]boorusim.Image{}
	for i := range 48 {
		im := rapid.Custom(picture).Example(i)
		im.ID = int64(i + 1)
		shown := true
		switch i % 12 {
		case 3:
			im.Deleted, im.Stale, shown = true, true, false
		case 5:
			im.DuplicateOf, im.Stale, shown = 1, true, false
		case 7:
			im.NoThumbnails, shown = true, board != boorusim.Philomena
		case 9:
			im.NoRepresentations, shown = true, false
		case 11:
			im.Rating = boorusim.Safe
			im.Tags = append(im.Tags, "explicit") // of two minds
		}
		srv.Add(im)
		if shown {
			fit[strconv.Itoa(i+1)] = im
		}
	}
	return srv, fit
}

func open(t *testing.T, srv *boorusim.Server, kind string) Source {
	t.Helper()
	o := Options{Name: kind, BaseURL: srv.URL(), UserAgent: agent, FilterID: "2"}
	src := constructors[kind](t, o)
	switch s := src.(type) { // the board's own limit is not what is tried here
	case *Philomena:
		s.limit = rate.NewLimiter(rate.Inf, 1)
	case *Danbooru:
		s.limit = rate.NewLimiter(rate.Inf, 1)
	case *E621:
		s.limit = rate.NewLimiter(rate.Inf, 1)
	}
	return src
}

func TestFindFindsExactlyWhatWasAskedFor(t *testing.T) {
	t.Parallel()
	for kind, board := range map[string]boorusim.Board{"philomena": boorusim.Philomena, "danbooru": boorusim.Danbooru, "e621": boorusim.E621} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			srv, fit := world(t, board)
			src := open(t, srv, kind)
			name, keeps := onPhilomena, onPhilomena
			if kind != "philomena" {
				name, keeps = onOthers, stored
			}
			found := 0
			rapid.Check(t, func(t *rapid.T) {
				said := typed(t)
				q := Parse(said).Query
				if kind == "danbooru" && len(q.Terms) > 1 {
					q.Terms = q.Terms[:1]
				}
				images, err := src.Find(t.Context(), q, 50)
				if e, ok := errors.AsType[*Error](err); ok && e.Class == Refused && e.Reason == BadTag && (kind != "philomena" || strings.Trim(e.Tag, "_ ") == "") {
					return
				}
				if err != nil {
					t.Fatalf("%q: %v", said, err)
				}
				var want []string
				for id, im := range fit {
					// Philomena's tags tell the rating; elsewhere they do not.
					twoMinds := kind == "philomena" && im.Rating == boorusim.Safe && slices.Contains(im.Tags, "explicit")
					if fits(q, im, name, keeps) && (q.NSFW || !twoMinds) {
						want = append(want, id)
					}
				}
				got := ids(images)
				slices.Sort(got)
				slices.Sort(want)
				if !slices.Equal(got, want) {
					t.Fatalf("%q found %v, want %v; sent %+v", said, got, want, lastSearch(srv))
				}
				found += len(got)
				for _, img := range images {
					if img.Files[0].URL == "" || !strings.HasPrefix(img.Files[0].URL, srv.CDN()) || img.Page != fmt.Sprintf("%s/%s/%s", srv.URL(), map[bool]string{true: "images", false: "posts"}[kind == "philomena"], img.ID) {
						t.Fatalf("picture %+v", img)
					}
				}
			})
			if found < 50 {
				t.Errorf("only %d pictures were found in all", found)
			}
		})
	}
}

func TestPicturesAreDrawnFromAllResults(t *testing.T) {
	t.Parallel()
	for kind, board := range map[string]boorusim.Board{"philomena": boorusim.Philomena, "danbooru": boorusim.Danbooru, "e621": boorusim.E621} {
		srv, err := boorusim.Start(boorusim.Config{Board: board, Seed: 11, NoLimits: true})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = srv.Close() })
		for range 120 {
			srv.Add(boorusim.Image{Size: 1000, Rating: boorusim.Safe, Tags: []string{"gif"}, Meta: []string{"animated"}})
		}
		src := open(t, srv, kind)
		seen := map[string]bool{}
		for range 12 {
			images, err := src.Find(t.Context(), Query{}, 50)
			if err != nil {
				t.Fatal(err)
			}
			for _, id := range ids(images) {
				seen[id] = true
			}
		}
		if len(seen) < 110 {
			t.Errorf("%s: %d of 120 pictures were ever found", kind, len(seen))
		}
	}
}

func TestFaultsOfBoards(t *testing.T) {
	t.Parallel()
	for kind, want := range map[boorusim.Kind]Class{
		boorusim.RateLimited: Rate, boorusim.ServerError: Busy, boorusim.Challenge: Busy, boorusim.BadGateway: Busy, boorusim.Unavailable: Busy,
		boorusim.Forbidden: Denied, boorusim.HTMLPage: Broken, boorusim.Garbage: Broken, boorusim.EmptyBody: Broken, boorusim.Deep: Broken,
		boorusim.HugeJSON: Broken, boorusim.Reset: Unreachable, boorusim.CutOff: Unreachable, boorusim.Truncated: Broken,
		boorusim.Elsewhere: Broken, boorusim.NoResults: "", boorusim.Nulls: "",
	} {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			srv, _ := world(t, boorusim.Philomena)
			srv.Inject(boorusim.Fault{Kind: kind, Times: boorusim.Always, To: "http://192.0.2.1/", Size: 16 << 20, RetryAfter: time.Minute})
			images, err := open(t, srv, "philomena").Find(t.Context(), Query{}, 50)
			if ClassOf(err) != want || len(images) > 0 {
				t.Errorf("%d pictures and %v, want class %q", len(images), err, want)
			}
		})
	}
	srv, _ := world(t, boorusim.Philomena)
	srv.Inject(boorusim.Fault{Kind: boorusim.WrongTypes, Times: boorusim.Always})
	if _, err := open(t, srv, "philomena").Find(t.Context(), Query{}, 50); err != nil && ClassOf(err) != Broken {
		t.Errorf("wrong types: %v", err)
	}
}

// TestTheBoardsOwnLimits: at our pace no board ever says that it is too much.
func TestTheBoardsOwnLimits(t *testing.T) {
	t.Parallel()
	srv, err := boorusim.Start(boorusim.Config{Board: boorusim.E621})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = srv.Close() })
	src := constructors["e621"](t, Options{BaseURL: srv.URL(), UserAgent: agent})
	for range 3 {
		if _, err := src.Find(t.Context(), Query{}, 1); err != nil {
			t.Fatal(err)
		}
	}
}

func lastSearch(srv *boorusim.Server) string {
	all := srv.Searches()
	if len(all) == 0 {
		return "nothing"
	}
	return all[len(all)-1].Search
}
