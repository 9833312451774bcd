package app_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"rookery/internal/app/apptest"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// blow is when the program is killed on the way of a submission. The zero value
// is never.
type blow struct {
	at string // a step of failpoint, with ":n" for the n-th time
	on wire   // in place of it: when a request gets no answer
	// often tells that the program comes by that step in other work too: it must
	// have been at rest when it was started for the step.
	often bool
	down  bool // in place of both: it is dead already when something happens
	lost  int  // uploads that it costs
	looks int  // so often the server is still at work on each file
}

// wire makes a request go unanswered, and returns what waits for that.
type wire func(g *apptest.Gallery) (reached func())

func (b blow) never() bool { return b.at == "" && b.on == nil && !b.down }

// onFedi and onDiscord have a request get no answer.
func onFedi(f fedisim.Fault) wire {
	return func(g *apptest.Gallery) func() {
		in := g.Fedi.Inject(f)
		return func() {
			g.WaitFor("a request that gets no answer", func(*fedisim.Server) bool { return in.Hits() > 0 })
		}
	}
}

func onDiscord(f discordsim.Fault) wire {
	return func(g *apptest.Gallery) func() {
		in := g.Discord.Inject(f)
		return func() {
			g.Wait("a request that gets no answer", func(*discordsim.Server) bool { return in.Hits() > 0 })
		}
	}
}

// onModel has the model think for ever.
func onModel(g *apptest.Gallery) func() {
	g.Model.Inject(llmsim.Fault{Kind: llmsim.Hang})
	return func() {
		g.WaitForModel("a question that gets no answer", func(s *llmsim.Server) bool { return s.Stats().Open > 0 })
	}
}

// second lets the first request through.
func second(f fedisim.Fault) fedisim.Fault {
	n := 0
	return f.If(func(*http.Request) bool { n++; return n == 2 })
}

// posted is about the acknowledgement.
func posted(f discordsim.Fault) discordsim.Fault {
	return f.On("PATCH", oneMessage).If(func(x discordsim.Exchange) bool { return strings.Contains(string(x.Body), "Posted: ") })
}

const (
	oneMessage = "/channels/*/messages/*"
	messages   = "/channels/*/messages"
	answers    = "/webhooks/*/*/messages/*"
)

// offerBlows are those from a message to its offer.
func offerBlows() []blow {
	return []blow{
		{at: "y1-offered"},
		{at: "y3-offer-stands"},
		{at: "6-claimed", often: true},
		{at: "7-answered-by-server", often: true},
		{at: "8-confirmed", often: true},
		{on: onDiscord(discordsim.Hang().On("POST", messages))},
		{on: onDiscord(discordsim.Hang().Stored().On("POST", messages))},
		{on: onDiscord(discordsim.Late().On("POST", messages))},
		{down: true},
	}
}

// postBlows are those from the offer to the acknowledgement. Of the effects the
// first is the offer, then come the posts, the word that they are under way, and
// the acknowledgement.
func postBlows() []blow {
	return []blow{
		{at: "d3-press-committed"}, // "AI: off", which turns it on
		{at: "d4-press-acknowledged"},
		{at: "y2-agreed"},
		{at: "d3-press-committed:2"},
		{at: "d4-press-acknowledged:2"},
		{at: "y4-picked"},
		{at: "y5-read"},
		{at: "y6-downloaded"},
		{at: "y7-described"},
		{at: "y8-uploaded", looks: 1},
		{at: "g6-uploaded", lost: 1},
		{at: "g7-upload-noted:2"},
		{at: "g8-processing", looks: 1},
		{at: "g9-processed", looks: 1},
		{at: "y9-composed"},
		{at: "y10-planned"},
		{at: "6-claimed:3", often: true},
		{at: "8-confirmed:3", often: true},
		{at: "8-confirmed:4", often: true},
		{at: "7-answered-by-server:4", often: true},
		{at: "y11-posted"},
		{on: onDiscord(posted(discordsim.Hang()))},
		{on: onDiscord(posted(discordsim.Hang().Stored()))},
		{on: onFedi(fedisim.Hang().On("POST", uploads))},
		{on: onFedi(fedisim.Hang().Stored().On("POST", uploads)), lost: 1},
		{on: onFedi(fedisim.Hang().On("GET", looks)), looks: 1},
		{on: onFedi(fedisim.Hang().On("POST", posting))},
		{on: onFedi(fedisim.Hang().Stored().On("POST", posting))},
		{on: onFedi(second(fedisim.Hang().On("POST", posting)))},
		{on: onFedi(second(fedisim.Hang().Stored().On("POST", posting)))},
		{on: onDiscord(discordsim.Hang().On("PATCH", oneMessage))},
		{on: onDiscord(discordsim.Hang().Stored().On("PATCH", oneMessage))},
		{on: onDiscord(discordsim.Hang().On("GET", oneMessage))},
		{on: onModel},
	}
}

// deleteBlows are those from "Delete it" to the word that it is done.
func deleteBlows() []blow {
	gone := func() fedisim.Fault { return fedisim.Hang().On("DELETE", posting) }
	return []blow{
		{at: "z1-delete-planned"},
		{at: "z2-deleted"},
		{at: "d3-press-committed:2", often: true},
		{at: "d4-press-acknowledged:2", often: true},
		{on: onFedi(gone())},
		{on: onFedi(gone().Stored())},
		{on: onFedi(second(gone()))},
		{on: onFedi(second(gone().Stored()))},
		{on: onDiscord(discordsim.Hang().On("PATCH", answers))},
		{on: onDiscord(discordsim.Hang().Stored().On("PATCH", answers))},
		{on: onDiscord(discordsim.Hang().On("DELETE", oneMessage))},
		{on: onDiscord(discordsim.Hang().Stored().On("DELETE", oneMessage))},
		{at: "6-claimed:2", often: true},
		{at: "8-confirmed:4", often: true},
	}
}

// wish is what an artist wants of a submission.
type wish int

const (
	described wish = iota // by the model, as they post
	drafted               // by the model, before they post
	left                  // by nobody: no picture may go to the model
)

// life is one submission with what it meets.
type life struct {
	wish             wish
	offer, post, end blow
	command          bool // it is deleted with the command
}

// lives are enough to meet each blow, and those of which nothing may go to the
// model.
func lives() []life {
	var all []life
	for _, b := range postBlows() {
		all = append(all, life{post: b})
	}
	all = append(all,
		life{wish: drafted, post: blow{at: "y12-drafted"}},
		life{wish: left, post: blow{at: "y2-agreed"}},
		life{wish: left, post: blow{at: "y8-uploaded:2"}})
	offers, ends := offerBlows(), deleteBlows()
	for i := range all {
		l := &all[i]
		if len(offers) > 0 && !l.post.often {
			l.offer, offers = offers[0], offers[1:]
		}
		if len(ends) > 0 {
			l.end, ends = ends[0], ends[1:]
		}
	}
	all[0].command = true // "z1-delete-planned"
	return all
}

// TestGalleryKilledPostsOnce kills the real program at every step of a submission
// and of a deletion, while it waits for each of its servers, and at random; its
// successor must leave exactly one post, and one message that tells the truth.
func TestGalleryKilledPostsOnce(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "failpoint")
	const worlds = 5
	kills := 8
	if testing.Short() {
		kills = 4
	}
	all := map[string]func(*testing.T){}
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		for n := range worlds {
			all[fmt.Sprint(d, " ", n+1)] = func(t *testing.T) {
				k := newGalleryKills(t, binary, storetest.Config(t, d))
				var mine []life
				for i, l := range lives() {
					if i%worlds == n {
						mine = append(mine, l)
					}
				}
				for i, l := range mine {
					next := blow{}
					if i+1 < len(mine) {
						next = mine[i+1].offer
					}
					k.live(l, next)
				}
				// A kill from outside may come a moment late, after an upload whose answer is
				// lost with it: it is made again, which nobody sees.
				k.finish(2)
			}
		}
		all[fmt.Sprint(d, " at random")] = func(t *testing.T) {
			killGalleryAtRandom(t, newGalleryKills(t, binary, storetest.Config(t, d)), kills)
		}
	}
	sideBySide(t, all)
}

// TestGalleryStepsAreAllKilledAt keeps a new step from being forgotten.
func TestGalleryStepsAreAllKilledAt(t *testing.T) {
	t.Parallel()
	met := map[string]bool{}
	for _, l := range lives() {
		for _, b := range []blow{l.offer, l.post, l.end} {
			step, _, _ := strings.Cut(b.at, ":")
			met[step] = true
		}
	}
	files, err := filepath.Glob(filepath.Join("..", "gallery", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	marks := regexp.MustCompile(`failpoint\.At\("([^"]+)"\)`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range marks.FindAllStringSubmatch(string(text), -1) {
			if !met[m[1]] {
				t.Errorf("%s: nothing kills the program at %s", name, m[1])
			}
		}
	}
}
