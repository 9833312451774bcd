package app_test

import (
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/app/apptest"
	"rookery/internal/failpoint"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// unhurried are lines for [gifs] with which nobody waits for their turn.
const unhurried = "cooldown = \"0s\"\nrate = 100\nburst = 100\nqueue = 100\nnotice_after = \"1h\"\n"

const (
	uploads = "/api/v2/media"
	looks   = "/api/v1/media"
	posting = "/api/v1/statuses"
)

// moment is when the program is killed on a picture's way.
type moment struct {
	name     string
	ask      string                 // what is asked for; "": anything
	lines    string                 // for [gifs]; "": no ffmpeg
	looks    int                    // so often the server is still at work on the file
	prepare  func(w *apptest.World) // before the start
	reached  func(w *apptest.World) // waits for the moment; nil: a step of failpoint
	uploads  int                    // files that the server takes for the request; 0: one
	searches int                    // asked of the board for it; 0: one
	temp     bool                   // a temporary file is left behind
}

// moments are all of failpoint.PictureSteps, and those that show on the wire.
func moments(t *testing.T) []moment {
	var all []moment
	for _, step := range failpoint.PictureSteps {
		m := moment{name: step}
		switch step {
		case "g2-searched":
			m.searches = 2
		case "g4-fetched":
			m.temp = true
		case "g5-converted":
			if _, err := exec.LookPath("ffmpeg"); err != nil {
				t.Log("ffmpeg is not installed: the step " + step + " is left out")
				continue
			}
			m.ask, m.lines, m.temp = "vast", "ffmpeg = \"ffmpeg\"\n", true
		case "g6-uploaded":
			m.uploads, m.temp = 2, true
		case "g7-upload-noted":
			m.temp = true
		case "g8-processing", "g9-processed":
			m.looks, m.temp = 1, true
		}
		all = append(all, m)
	}
	atBoard := func(m moment, f boorusim.Fault) {
		f.Kind = boorusim.Hang
		m.prepare = func(w *apptest.World) { w.Board.Inject(f) }
		m.reached = func(w *apptest.World) {
			w.WaitForBoard("a request that gets no answer", func(s *boorusim.Server) bool {
				came := s.Requests()
				return len(came) > 0 && came[len(came)-1].Fault == boorusim.Hang
			})
		}
		all = append(all, m)
	}
	on := func(m moment, f fedisim.Fault) {
		var in *fedisim.Injected
		m.prepare = func(w *apptest.World) { in = w.Fedi.Inject(f) }
		m.reached = func(w *apptest.World) {
			w.WaitFor("a request that gets no answer", func(*fedisim.Server) bool { return in.Hits() == 1 })
		}
		all = append(all, m)
	}
	atBoard(moment{name: "the board searches", searches: 2}, boorusim.Fault{})
	atBoard(moment{name: "the file comes"}, boorusim.Fault{Files: true})
	on(moment{name: "uploaded, and lost", temp: true}, fedisim.Hang().On("POST", uploads))
	on(moment{name: "the server works on the file", looks: 1, temp: true}, fedisim.Hang().On("GET", looks))
	on(moment{name: "sent, and lost"}, fedisim.Hang().On("POST", posting))
	on(moment{name: "sent, and stored later"}, fedisim.Late(300*time.Millisecond, false).On("POST", posting))
	on(moment{name: "uploaded, no answer", uploads: 2, temp: true}, fedisim.Hang().Stored().On("POST", uploads))
	on(moment{name: "sent, no answer"}, fedisim.Hang().Stored().On("POST", posting))
	return all
}

// TestPictureKilledAtEachStepIsSentOnce kills the real program at every step of
// a request for a picture, and while it waits for each of its servers; its
// successor must leave exactly one reply with exactly one picture, and no file.
func TestPictureKilledAtEachStepIsSentOnce(t *testing.T) {
	t.Parallel()
	binary := apptest.Build(t, "failpoint")
	const worlds = 4
	all := map[string]func(*testing.T){}
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		for n := range worlds {
			all[fmt.Sprint(d, " ", n+1)] = func(t *testing.T) {
				w := pictureWorld(t, binary, storetest.Config(t, d), 40)
				ada := w.Fedi.AddAccount("ada")
				w.Configure(`first_run = "backlog"`)
				var asked []fedisim.Post
				for i, m := range moments(t) {
					if i%worlds == n {
						asked = append(asked, killedAt(t, w, ada, m))
					}
				}
				finish(t, w)
				onePictureEach(t, w, asked)
			}
		}
	}
	sideBySide(t, all)
}

// sideBySide runs tests at the same time in the place of one: they wait more
// than they work.
func sideBySide(t *testing.T, tests map[string]func(*testing.T)) {
	t.Helper()
	var wg sync.WaitGroup
	for name, test := range tests {
		wg.Go(func() { t.Run(name, test) })
	}
	wg.Wait()
}

// killedAt kills the program at a moment, and lets another do the rest.
func killedAt(t *testing.T, w *apptest.World, ada *fedisim.Account, m moment) fedisim.Post {
	t.Helper()
	if m.ask == "" {
		m.ask = "dancing"
	}
	w.GIFs = unhurried + "ffmpeg = \"off\"\n"
	if m.lines != "" {
		w.GIFs = unhurried + m.lines
	}
	w.Configure(`first_run = "backlog"`)
	w.Fedi.Processing(m.looks)
	searches := len(w.Board.Searches())
	q := ada.Post("@elelem gif " + m.ask)
	if m.reached == nil {
		if code := w.Start([]string{"run"}, "ROOKERY_FAILPOINT="+m.name).Wait(); code != -1 {
			t.Fatalf("%s: the program ended with %d and was not killed", m.name, code)
		}
	} else {
		m.prepare(w)
		p := w.Start([]string{"run"})
		m.reached(w)
		p.Kill()
	}
	left := w.Temp()
	if m.temp == (len(left) == 0) {
		t.Errorf("%s: the killed program has left the files %v", m.name, left)
	}
	w.EndHolds()
	p := w.Start([]string{"run"})
	barrier := ada.Post("@elelem and after that?")
	w.WaitFor("the replies after "+m.name, func(*fedisim.Server) bool { return w.Answered(q.ID) && w.Answered(barrier.ID) })
	for _, name := range left {
		if slices.Contains(w.Temp(), name) {
			t.Errorf("%s: the file %s is still there after the next start", m.name, name)
		}
	}
	if code := p.Stop(); code != 0 {
		t.Fatalf("%s: exit code %d", m.name, code)
	}
	if left := w.Temp(); len(left) > 0 {
		t.Errorf("%s: the files %v are left at the end", m.name, left)
	}
	if n := len(w.Board.Searches()) - searches; n != max(m.searches, 1) {
		t.Errorf("%s: %d searches, not %d", m.name, n, max(m.searches, 1))
	}
	if n := len(uploadsFor(w, q)); n != max(m.uploads, 1) {
		t.Errorf("%s: the server has %d files of the request, not %d", m.name, n, max(m.uploads, 1))
	}
	return q
}

// pictureWorld has n small pictures that anything finds, and one that has to
// be made smaller.
func pictureWorld(t *testing.T, binary string, c store.Config, n int) *apptest.World {
	t.Helper()
	w := apptest.New(t, binary, c, fedisim.Options{Seed: 7})
	w.Fedi.Limit(func(l *fedisim.Limits) { l.GIFPixels = 10_000 })
	w.Fedi.Processing(0)
	pictures := []boorusim.Image{{Rating: boorusim.Safe, Tags: []string{"animated", "gif", "vast"}, Width: 160, Height: 120,
		Files: map[string]boorusim.File{boorusim.Full: {}, boorusim.All: {Kind: boorusim.MissingFile}}}}
	for i := range n {
		pictures = append(pictures, boorusim.Image{Rating: boorusim.Safe, Tags: []string{"animated", "gif", "dancing"}, Artists: []string{fmt.Sprint("artist ", i)}})
	}
	w.Pictures(pictures...)
	w.GIFs = unhurried + "ffmpeg = \"off\"\n"
	return w
}

// uploadsFor are the files that the server has taken for a request. Their
// names tell which one they are for.
func uploadsFor(w *apptest.World, q fedisim.Post) (all []fedisim.Media) {
	stem := func(m fedisim.Media) string { return strings.TrimSuffix(m.Name, path.Ext(m.Name)) }
	for _, r := range w.Replies(q.ID) {
		for _, mine := range r.Media {
			for _, m := range w.Fedi.Uploads() {
				if stem(m) == stem(mine) {
					all = append(all, m)
				}
			}
		}
	}
	return all
}

// pageOf is a picture's page in the credit of a reply.
var pageOf = regexp.MustCompile(`/images/\d+`)

// onePictureEach fails unless each request has one reply with one picture that
// no other has.
func onePictureEach(t *testing.T, w *apptest.World, asked []fedisim.Post) {
	t.Helper()
	shown := map[string]string{}
	for _, q := range asked {
		exactlyOne(t, w, q)
		for _, r := range w.Replies(q.ID) {
			page := pageOf.FindString(r.Text)
			if len(r.Media) != 1 || page == "" {
				t.Errorf("the reply %q to %q has %d pictures", r.Text, q.Text, len(r.Media))
				continue
			}
			if m := r.Media[0]; m.Type != "image/gif" || !m.Animated || m.Description == "" || m.PostID != r.ID {
				t.Errorf("the reply to %q shows %s, animated %v, %q, of the post %s", q.Text, m.Type, m.Animated, m.Description, m.PostID)
			}
			if other, ok := shown[page]; ok {
				t.Errorf("%s is shown in reply to %s and to %s", page, other, q.ID)
			}
			shown[page] = q.ID
		}
	}
}

// TestPicturesKilledAtRandomAreSentOnce kills the real program 15 times at
// random moments, with requests for words and for pictures to one account, and
// everything going wrong at its servers.
func TestPicturesKilledAtRandomAreSentOnce(t *testing.T) {
	t.Parallel()
	kills := 15
	if testing.Short() {
		kills = 8
	}
	binary := apptest.Build(t, "failpoint")
	all := map[string]func(*testing.T){}
	for _, d := range []store.Dialect{store.SQLite, store.Postgres} {
		all[string(d)] = func(t *testing.T) { killPicturesAtRandom(t, binary, storetest.Config(t, d), kills) }
	}
	sideBySide(t, all)
}

func killPicturesAtRandom(t *testing.T, binary string, c store.Config, kills int) {
	t.Helper()
	w := pictureWorld(t, binary, c, 200)
	w.Poll = "10ms"
	w.Configure(`first_run = "backlog"`)
	rng := rand.New(rand.NewPCG(3, 4))
	people := []*fedisim.Account{w.Fedi.AddAccount("ada"), w.Fedi.AddRemote("ben@other.example"), w.Fedi.AddAccount("cleo")}
	faults(w)
	struck := pictureFaults(w)
	var said, shown []fedisim.Post
	for n := range kills {
		for range 1 + rng.IntN(3) {
			var opts []fedisim.PostOption
			if rng.IntN(4) == 0 {
				opts = append(opts, fedisim.As("direct"))
			}
			who := people[rng.IntN(len(people))]
			if rng.IntN(3) == 0 {
				said = append(said, who.Post(fmt.Sprintf("@elelem@%s question %d, please", w.Fedi.Domain(), len(said)), opts...))
			} else {
				shown = append(shown, who.Post(fmt.Sprintf("@elelem@%s gif dancing", w.Fedi.Domain()), opts...))
			}
		}
		w.Fedi.Processing(rng.IntN(2))
		p := w.Start([]string{"run"})
		until := w.Fedi.RequestCount() + 1 + rng.IntN(50)
		w.WaitFor(fmt.Sprintf("request %d before kill %d", until, n), func(s *fedisim.Server) bool { return s.RequestCount() >= until })
		p.Kill()
		w.EndHolds()
	}
	taken := len(w.Fedi.Uploads())
	w.Fedi.ClearFaults()
	w.Board.ClearFaults()
	w.Model.ClearFaults()
	p := w.Start([]string{"run"})
	w.WaitFor("a reply to everybody", func(*fedisim.Server) bool {
		return !slices.ContainsFunc(slices.Concat(said, shown), func(q fedisim.Post) bool { return !w.Answered(q.ID) })
	})
	if code := p.Stop(); code != 0 {
		t.Fatalf("exit code %d", code)
	}
	finish(t, w)
	for _, q := range said {
		exactlyOne(t, w, q)
	}
	onePictureEach(t, w, shown)
	if left := w.Temp(); len(left) > 0 {
		t.Errorf("the files %v are left at the end", left)
	}
	// A kill loses the id of each upload that is under way, a failure that of
	// its own.
	lost := kills * atOnce
	for _, in := range struck {
		lost += in.Hits()
	}
	if n := len(w.Fedi.Uploads()); n > len(shown)+lost {
		t.Errorf("%d uploads for %d pictures, with %d that may have been lost", n, len(shown), lost)
	}
	t.Logf("%d kills, %d questions, %d pictures, %d uploads (%d before the last start), %d searches", kills, len(said), len(shown),
		len(w.Fedi.Uploads()), taken, len(w.Board.Searches()))
}

// atOnce is how many requests for pictures are worked at a time.
const atOnce = 2

// pictureFaults makes everything go wrong now and then on a picture's way, and
// returns those for which an upload is made again.
func pictureFaults(w *apptest.World) (again []*fedisim.Injected) {
	for _, f := range []fedisim.Fault{
		fedisim.Fail(500).Stored().On("POST", uploads).Chance(0.05),
		fedisim.Fail(500).On("POST", uploads).Chance(0.04),
		fedisim.FailProcessing().Chance(0.01), // a picture of which each form fails is rightly not shown: seldom
		fedisim.Reset().On("POST", uploads).Chance(0.03),
		fedisim.Reset().Stored().On("POST", uploads).Chance(0.05),
		fedisim.Late(300*time.Millisecond, true).On("POST", uploads).Chance(0.04),
		fedisim.TooMany(fedisim.ResetISO, time.Second).On("POST", uploads).Chance(0.03),
		fedisim.Truncated().On("POST", uploads).Chance(0.03),
		fedisim.WebPage(200).Stored().On("POST", uploads).Chance(0.02),
		fedisim.Fail(500).On("GET", looks).Chance(0.05),
		fedisim.Reset().On("GET", looks).Chance(0.05),
	} {
		again = append(again, w.Fedi.Inject(f.Always()))
	}
	for _, f := range []boorusim.Fault{
		{Kind: boorusim.RateLimited, RetryAfter: time.Second, Probability: 0.04},
		{Kind: boorusim.ServerError, Probability: 0.02},
		{Kind: boorusim.BadGateway, Probability: 0.04},
		{Kind: boorusim.Reset, Probability: 0.04},
		{Kind: boorusim.HTMLPage, Probability: 0.02},
		{Kind: boorusim.Slow, Delay: 300 * time.Millisecond, Probability: 0.04},
		{Kind: boorusim.Unavailable, RetryAfter: time.Second, Files: true, Probability: 0.04},
		{Kind: boorusim.Reset, Files: true, Probability: 0.04},
		{Kind: boorusim.CutOff, Files: true, Probability: 0.04},
		{Kind: boorusim.Slow, Delay: 300 * time.Millisecond, Files: true, Probability: 0.04},
	} {
		f.Times = boorusim.Always
		w.Board.Inject(f)
	}
	return again
}
