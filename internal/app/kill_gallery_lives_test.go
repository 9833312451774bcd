package app_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"rookery/internal/app/apptest"
	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// filesEach are how many files each submission has: more than its server takes
// in one post. The last of them have no description.
const (
	filesEach   = 5
	undescribed = 2
)

// galleryKills is a guild whose program is killed again and again.
type galleryKills struct {
	*apptest.Gallery
	t     *testing.T
	p     *apptest.Process
	armed string // the step at which the running program kills itself
	fresh bool   // it was at rest when it was started, and is meant for what comes now
	all   []*shared
	lost  int // uploads
}

// shared is one submission.
type shared struct {
	life
	title   string
	thread  string
	post    string                  // the first button that posts it
	last    [2]string               // what was pressed last: message and button
	asked   *discordsim.Interaction // for its deletion
	parts   []fedisim.Post          // as they stood
	deleted bool
}

func newGalleryKills(t *testing.T, binary string, c store.Config) *galleryKills {
	t.Helper()
	w := apptest.New(t, binary, c, fedisim.Options{})
	w.Poll = "1m" // nobody writes to the account
	k := &galleryKills{Gallery: apptest.NewGallery(w), t: t}
	if os.Getenv("K1_DUMP") != "" {
		t.Cleanup(func() {
			if !t.Failed() {
				return
			}
			for _, e := range k.Gallery.Discord.Requests() {
				t.Logf("%s %s %s -> %d %s %.300s => %.300s", e.At.Format("05.000"), e.Method, e.Path, e.Status, e.Fault, e.Body, e.Answer)
			}
		})
	}
	w.Discord += "[gifs]\nffmpeg = \"off\"\n" // to ask it what it can takes longer than all the rest of a start
	w.Configure("")
	k.start("")
	k.TurnOn()
	k.Slash(k.Owner, k.Talk, "settings gallery", discordsim.Args{"per_day": 500, "per_hour": 1000})
	return k
}

// start starts the program, to be killed at a step.
func (k *galleryKills) start(step string) {
	k.t.Helper()
	var env []string
	if step != "" {
		env = []string{"ROOKERY_FAILPOINT=" + step}
	}
	k.p, k.armed, k.fresh = k.Start([]string{"run"}, env...), step, false
	k.Connected()
}

// arm makes sure that the program that runs kills itself at that step, and was
// at rest when it was started if that matters.
func (k *galleryKills) arm(b blow) {
	k.t.Helper()
	if k.armed == b.at && (k.fresh || !b.often) {
		return
	}
	k.stop()
	k.start(b.at)
	k.fresh = true
}

func (k *galleryKills) stop() {
	k.t.Helper()
	if code := k.p.Stop(); code != 0 {
		k.t.Fatalf("exit code %d", code)
	}
	k.Disconnected()
}

// strike does something at which the program is killed, and starts its
// successor, for the next blow if it cannot meet that one by itself.
func (k *galleryKills) strike(b blow, do func(), next blow) {
	k.t.Helper()
	k.t.Logf("STRIKE %d %+v", len(k.all), b)
	reached := func() {}
	switch {
	case b.never():
		k.arm(next)
		do()
		return
	case b.down:
		k.p.Kill()
		k.Disconnected()
		do()
	case b.on != nil:
		k.arm(b)
		reached = b.on(k.Gallery)
		do()
		reached()
		k.p.Kill()
	default:
		k.arm(b)
		do()
		if code := k.p.Wait(); code != -1 {
			k.t.Fatalf("step %s: the program ended with %d and was not killed", b.at, code)
		}
	}
	k.Disconnected()
	k.EndHolds()
	if next.often {
		next.at = ""
	}
	k.start(next.at)
}

// live leads one submission through its life. The program may be started for
// what comes after it.
func (k *galleryKills) live(l life, next blow) {
	k.t.Helper()
	s := &shared{life: l, title: fmt.Sprintf("Submission %d", len(k.all)+1)}
	k.all = append(k.all, s)
	k.lost += l.post.lost
	k.Fedi.Processing(l.post.looks)
	asked := k.Model.Stats().Pictured
	k.strike(l.offer, func() { s.thread = k.Begin(k.Ada, s.title, k.files()...) }, l.post)
	k.strike(l.post, func() { k.agree(s) }, l.end)
	k.again(s)
	k.posted(s, asked)
	if l.end.never() {
		return
	}
	before := k.direct()
	k.strike(l.end, func() { k.delete(s) }, next)
	k.gone(s, before)
}

// files are the pictures of one submission.
func (k *galleryKills) files() (all []discordsim.File) {
	for n := range filesEach {
		name := fmt.Sprintf("picture %d.png", n+1)
		if n == filesEach-1 {
			name = "last.gif" // which a server takes some time for
		}
		f := apptest.Drawing(len(k.all)*filesEach+n, name)
		if n < filesEach-undescribed {
			f = apptest.Described(f, fmt.Sprintf("The artist's words %d.", n+1))
		}
		all = append(all, f)
	}
	return all
}

// press presses a button of a message and waits for what that brings; false if
// the program dies of it.
func (k *galleryKills) press(s *shared, m discordsim.Message, label string) (discordsim.Outcome, bool) {
	k.t.Helper()
	in := k.push(s, m, label)
	ctx, cancel := context.WithTimeout(context.Background(), apptest.Patience)
	defer cancel()
	go func() {
		select {
		case <-k.p.Done():
			cancel()
		case <-ctx.Done():
		}
	}()
	o, err := in.Wait(ctx)
	select {
	case <-k.p.Done():
		return o, false
	default:
	}
	if err != nil || o.Failed {
		k.t.Fatalf("%s: %q is not answered: %v", s.title, label, err)
	}
	return o, true
}

// push presses a button by its label, or the beginning of that.
func (k *galleryKills) push(s *shared, m discordsim.Message, label string) *discordsim.Interaction {
	k.t.Helper()
	for have, id := range apptest.Buttons(m) {
		if have == label || strings.HasSuffix(label, " ") && strings.HasPrefix(have, label) {
			s.last = [2]string{m.ID, id}
			in, err := k.Discord.PressButton(k.Ada, m.ID, id)
			if err != nil {
				k.t.Fatal(err)
			}
			return in
		}
	}
	k.t.Fatalf("%s: no button %q in %q: there are %v", s.title, label, m.Content, apptest.Buttons(m))
	return nil
}

const (
	aiLabel    = "AI: off"
	draftLabel = "Draft with AI: " // and who would get the pictures
	panelLabel = "Describe pictures"
	sureLabel  = "Delete it"
)

// agree does what the artist does up to the yes. It does not wait for what comes
// of the last of it.
func (k *galleryKills) agree(s *shared) {
	k.t.Helper()
	m := k.Offered(s.thread, apptest.PostLabel)
	s.post = apptest.Buttons(m)[apptest.PostLabel]
	switch s.wish {
	case described:
		if _, alive := k.press(s, m, aiLabel); !alive {
			return
		}
		m, _ = k.Discord.Message(m.ID)
	case drafted:
		if o, alive := k.press(s, m, panelLabel); alive {
			k.push(s, *o.Message, draftLabel)
		}
		return
	case left:
		o, alive := k.press(s, m, apptest.PostLabel)
		if alive {
			k.push(s, *o.Message, apptest.AnywayLabel)
		}
		return
	}
	k.push(s, m, apptest.PostLabel)
}

// again does what an artist does who saw that their press was not answered:
// they press what they still see, and go on to the end.
func (k *galleryKills) again(s *shared) {
	k.t.Helper()
	if s.wish == drafted {
		k.Wait("the word that the drafts are there", func(*discordsim.Server) bool { return k.heard("The drafts are there") > 0 })
	}
	m := k.Discord.ByBot(s.thread)[0]
	for _, seen := range [][2]string{{m.ID, s.post}, s.last} {
		if s.wish != drafted {
			k.forge(s, seen)
		}
	}
	for range 5 {
		m, ok := k.Discord.Message(m.ID)
		b := apptest.Buttons(m)
		switch {
		case !ok || b[apptest.PostLabel] == "":
			return
		case s.wish == described && b[aiLabel] != "":
			k.press(s, m, aiLabel)
			continue
		}
		o, _ := k.press(s, m, apptest.PostLabel)
		switch {
		case o.Message == nil:
			k.t.Fatalf("%s: the yes is answered with %+v", s.title, o)
		case apptest.Buttons(*o.Message)[apptest.AnywayLabel] != "":
			k.press(s, *o.Message, apptest.AnywayLabel)
			return
		case o.Message.ID != m.ID: // it is answered apart: all is well
			return
		}
	}
	k.t.Fatalf("%s: the offer stays open", s.title)
}

// forge presses what a member still sees, and must be answered.
func (k *galleryKills) forge(s *shared, seen [2]string) discordsim.Outcome {
	k.t.Helper()
	in, err := k.Discord.ForgeButton(k.Ada, seen[0], seen[1])
	if err != nil {
		k.t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), apptest.Patience)
	defer cancel()
	o, err := in.WaitDone(ctx)
	if err != nil || o.Failed {
		k.t.Fatalf("%s: a second press is not answered: %v", s.title, err)
	}
	return o
}

// posted waits for the acknowledgement, and fails unless it tells the truth. The
// model had been asked so often when the submission began.
func (k *galleryKills) posted(s *shared, before int) {
	k.t.Helper()
	k.Wait("the link to "+s.title, func(d *discordsim.Server) bool {
		return slices.ContainsFunc(d.ByBot(s.thread), func(m discordsim.Message) bool { return strings.Contains(m.Content, "://") })
	})
	m := k.Offered(s.thread, apptest.DeleteLabel)
	asked := k.Model.Stats().Pictured - before
	if all := k.Discord.ByBot(s.thread); len(all) != 1 || len(m.Pinged) > 0 {
		k.t.Errorf("%s: %d messages of the bot, who pinged %v", s.title, len(all), m.Pinged)
	}
	for _, p := range k.Standing() {
		if strings.HasPrefix(p.Text, s.title+"\n") {
			s.parts = append(s.parts, p)
		}
	}
	if len(s.parts) != 1 || !strings.Contains(m.Content, s.parts[0].URL) {
		k.t.Fatalf("%s: %d posts; the acknowledgement says %q", s.title, len(s.parts), m.Content)
	}
	s.parts = k.Fedi.Parts(s.parts[0].ID)
	var got []string
	for _, p := range s.parts {
		got = append(got, p.Visibility)
		for _, shown := range p.Media {
			got = append(got, strings.Fields(shown.Description + " –")[0])
		}
	}
	model := "AI"
	if s.wish == left {
		model = "–"
	}
	if want := fmt.Sprintf("[public The The The %s unlisted %s]", model, model); fmt.Sprint(got) != want {
		k.t.Errorf("%s: the posts are %v, not %s", s.title, got, want)
	}
	need := undescribed
	switch s.wish {
	case left:
		if asked != 0 {
			k.t.Errorf("%s: the model was shown %d pictures without a yes", s.title, asked)
		}
		return
	case drafted: // and once more when it is posted, for the artist took none
		need *= 2
	case described:
	}
	if asked < need || asked > need+1 {
		k.t.Errorf("%s: the model was shown %d pictures, not %d", s.title, asked, need)
	}
}

// heard counts what the bot has said to Ada alone.
func (k *galleryKills) heard(text string) (n int) {
	v := k.Discord.View(k.Ada)
	for _, m := range slices.Concat(v.Private, v.Direct) {
		if strings.HasPrefix(m.Content, text) {
			n++
		}
	}
	return n
}

// delete does what an artist does to have a post deleted. It does not wait for
// what comes of it.
func (k *galleryKills) delete(s *shared) {
	k.t.Helper()
	s.deleted = true
	if s.command {
		var err error
		if s.asked, err = k.Discord.Slash(k.Ada, s.thread, "delete_fedi", nil); err != nil {
			k.t.Fatal(err)
		}
		return
	}
	o, alive := k.press(s, k.Offered(s.thread, apptest.DeleteLabel), apptest.DeleteLabel)
	if !alive {
		k.t.Fatalf("%s: the program was killed too early", s.title)
	}
	s.asked = k.push(s, *o.Message, sureLabel)
}

// direct counts the direct messages of the bot's to the artist.
func (k *galleryKills) direct() int { return len(k.Discord.View(k.Ada).Direct) }

// told counts how often the artist was told that a post is deleted: in answer to
// what they pressed, or, if that cannot be answered any more, in a direct
// message.
func (k *galleryKills) told(s *shared) int {
	n := k.direct()
	// An event that comes again, to the successor, may be answered once more.
	if o := s.asked.Now(); o.Message != nil && !o.Message.Loading() && (strings.HasPrefix(o.Message.Content, "Deleted on ") || o.Message.Content == "That was deleted before.") {
		n++
	}
	return n
}

// gone waits until a post is deleted and its artist knows, and fails unless
// they were told once.
func (k *galleryKills) gone(s *shared, direct int) {
	k.t.Helper()
	k.Wait("the end of "+s.title, func(d *discordsim.Server) bool { return len(d.ByBot(s.thread)) == 0 && k.told(s) > direct })
	for _, p := range s.parts {
		if _, ok := k.Fedi.Post(p.ID); ok {
			k.t.Errorf("%s: the post %q is still there", s.title, p.Text)
		}
	}
	if s.command {
		return
	}
	if o := k.forge(s, s.last); o.Message == nil || !strings.Contains(o.Message.Content, "deleted before") {
		k.t.Errorf("%s: a second press on %q is answered with %+v", s.title, sureLabel, o)
	}
}

// finish waits until nothing is left to do, and fails unless all of it was done
// once.
func (k *galleryKills) finish() {
	k.t.Helper()
	k.Rest()
	k.stop()
	if kept := k.Kept(); len(kept) > 0 {
		k.t.Errorf("the program keeps\n%s", strings.Join(kept, "\n"))
	}
	if files := k.Temp(); len(files) > 0 {
		k.t.Errorf("the files %v are left at the end", files)
	}
	made, deleted := 0, 0
	for _, p := range k.Fedi.Timeline() {
		if p.AccountID == k.Bot.ID {
			made++
		}
	}
	entries := k.Entries()
	var sent strings.Builder
	for _, s := range k.all {
		k.recorded(s, entries[s.thread])
		if s.deleted {
			deleted++
		}
		for _, e := range entries[s.thread] {
			sent.WriteString(e.Note + "\n")
		}
	}
	told := k.direct()
	for _, s := range k.all {
		if s.deleted {
			told += k.told(s) - k.direct()
		}
	}
	if told != deleted {
		k.t.Errorf("the artist was told %d times of %d deletions", told, deleted)
	}
	if want := 2 * len(k.all); made != want {
		k.t.Errorf("%d posts were ever made, not %d", made, want)
	}
	if n, want := len(k.Fedi.Uploads()), filesEach*len(k.all)+k.lost; n != want {
		k.t.Errorf("%d files were uploaded, not %d", n, want)
	}
	for _, r := range k.Model.Pictured() {
		for _, shown := range r.Images() {
			if !strings.Contains(sent.String(), shown.SHA256) {
				k.t.Errorf("the ledger does not know of a picture that went to the model: %s", shown.SHA256)
			}
		}
	}
}

// recorded fails unless the ledger has each step of a submission once.
func (k *galleryKills) recorded(s *shared, entries []ledger.Entry) {
	k.t.Helper()
	got := map[ledger.Event]int{}
	for _, e := range entries {
		got[e.Event]++
	}
	want := map[ledger.Event]int{ledger.Offered: 1, ledger.Agreed: 1, ledger.Posted: 1}
	if s.wish != left {
		want[ledger.AIOn], want[ledger.Described] = 1, undescribed
	}
	if s.wish == drafted {
		want[ledger.Drafted] = 1 + undescribed // the yes, and each picture
	}
	if s.deleted {
		want[ledger.Deleted], want[ledger.Revoked] = 1, 1
	}
	// What was done again is written down again: a question to the model of which
	// the answer was lost, and a press of which Discord tells the successor too.
	for _, e := range []ledger.Event{ledger.Described, ledger.Drafted, ledger.AIOn} {
		if got[e] == want[e]+1 && (e == ledger.Described || s.wish == drafted) {
			got[e]--
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		k.t.Errorf("%s: the ledger has %v, not %v", s.title, got, want)
	}
}
