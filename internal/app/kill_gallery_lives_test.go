package app_test

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"rookery/internal/app/apptest"
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
	logins := k.Logins()
	k.p, k.armed, k.fresh = k.Start([]string{"run"}, env...), step, false
	k.LoggedIn(logins)
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
		reached := b.on(k.Gallery)
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
	s := k.next(l)
	k.lost += l.post.lost
	k.Fedi.Processing(l.post.looks)
	asked := k.Model.Stats().Pictured
	k.strike(l.offer, func() { s.thread = k.Begin(k.Ada, s.title, k.files()...) }, l.post)
	k.strike(l.post, func() { k.agree(s) }, l.end)
	k.again(s)
	k.posted(s)
	k.shown(s, k.Model.Stats().Pictured-asked)
	if l.end.never() {
		return
	}
	before := k.direct()
	k.strike(l.end, func() { k.delete(s) }, next)
	k.gone(s, before)
}

// next is the submission that is begun next.
func (k *galleryKills) next(l life) *shared {
	s := &shared{life: l, title: fmt.Sprintf("Submission %d", len(k.all)+1)}
	k.all = append(k.all, s)
	return s
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

// press presses a button of a message and waits for what that brings, and again
// where Discord says that it was not answered in time; false if the program dies
// of it.
func (k *galleryKills) press(s *shared, m discordsim.Message, label string) (discordsim.Outcome, bool) {
	k.t.Helper()
	for range 5 {
		o, err := k.outcome(k.push(s, m, label))
		select {
		case <-k.p.Done():
			return o, false
		default:
		}
		if err != nil {
			k.t.Fatalf("%s: %q is not answered: %v", s.title, label, err)
		}
		if !o.Failed {
			return o, true
		}
	}
	k.t.Fatalf("%s: %q is never answered in time", s.title, label)
	return discordsim.Outcome{}, false
}

// outcome waits for what a press brings, or for the end of the program.
func (k *galleryKills) outcome(in *discordsim.Interaction) (discordsim.Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), apptest.Patience)
	defer cancel()
	died := k.p.Done()
	go func() {
		select {
		case <-died:
			cancel()
		case <-ctx.Done():
		}
	}()
	return in.Wait(ctx)
}

// push presses a button by its label, or the beginning of that.
func (k *galleryKills) push(s *shared, m discordsim.Message, label string) *discordsim.Interaction {
	k.t.Helper()
	for have, id := range apptest.Buttons(m) {
		if have == label || strings.HasSuffix(label, " ") && strings.HasPrefix(have, label) {
			s.last = [2]string{m.ID, id}
			in, err := k.Discord.ForgeButton(k.Ada, m.ID, id) // the message may be changing
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

// saysYes is what an artist is told who has agreed.
var saysYes = regexp.MustCompile(`^(Thank you\.|You have said yes|This is posted already)`)

// again does what an artist does who saw that their press was not answered:
// they press what they still see, and go on to the end.
func (k *galleryKills) again(s *shared) {
	k.t.Helper()
	if s.wish == drafted {
		k.Wait("the word that the drafts are there", func(*discordsim.Server) bool { return k.heard("The drafts are there") > 0 })
	}
	m := k.Discord.ByBot(s.thread)[0]
	for _, seen := range [][2]string{{m.ID, s.post}, s.last} {
		if s.wish != drafted && seen[1] != "" {
			k.forge(s, seen)
		}
	}
	for range 10 {
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
		if o.Message != nil && apptest.Buttons(*o.Message)[apptest.AnywayLabel] != "" {
			o, _ = k.press(s, *o.Message, apptest.AnywayLabel)
		}
		if o.Message != nil && saysYes.MatchString(o.Message.Content) {
			return
		}
	}
	k.t.Fatalf("%s: the offer stays open", s.title)
}

// forge presses what a member still sees, and must be answered.
func (k *galleryKills) forge(s *shared, seen [2]string) discordsim.Outcome {
	k.t.Helper()
	for range 5 {
		in, err := k.Discord.ForgeButton(k.Ada, seen[0], seen[1])
		if err != nil {
			k.t.Fatal(err)
		}
		o, err := k.outcome(in)
		if err != nil {
			k.t.Fatalf("%s: a second press is not answered: %v", s.title, err)
		}
		if !o.Failed {
			return o
		}
	}
	k.t.Fatalf("%s: a second press is never answered in time", s.title)
	return discordsim.Outcome{}
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
