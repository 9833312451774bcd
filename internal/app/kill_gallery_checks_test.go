package app_test

import (
	"fmt"
	"slices"
	"strings"

	"rookery/internal/app/apptest"
	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/discordsim"
)

// posted waits for the acknowledgement, and fails unless it tells the truth.
func (k *galleryKills) posted(s *shared) {
	k.t.Helper()
	k.Wait("the link to "+s.title, func(d *discordsim.Server) bool {
		return slices.ContainsFunc(d.ByBot(s.thread), func(m discordsim.Message) bool { return strings.Contains(m.Content, "://") })
	})
	m := k.Offered(s.thread, apptest.DeleteLabel)
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
}

// shown fails unless the model was asked as often as need be, or once more.
func (k *galleryKills) shown(s *shared, asked int) {
	k.t.Helper()
	need := undescribed
	if s.wish == left {
		need = 0
		if asked != 0 {
			k.t.Errorf("%s: the model was shown %d pictures without a yes", s.title, asked)
		}
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

// direct counts the direct messages of the bot's to the artist.
func (k *galleryKills) direct() int { return len(k.Discord.View(k.Ada).Direct) }

// told counts how often the artist was told that a post is deleted: in answer to
// what they pressed, or, if that cannot be answered any more, in a direct
// message.
func (k *galleryKills) told(s *shared) int {
	n := k.direct()
	o := s.asked.Now()
	if o.Message == nil || o.Message.Loading() {
		return n
	}
	if strings.HasPrefix(o.Message.Content, "Deleted on ") {
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
// once. So often at most was something done again of which the outcome was lost.
func (k *galleryKills) finish(lost int) {
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
		k.recorded(s, entries[s.thread], lost)
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
	if n, want := len(k.Fedi.Uploads()), filesEach*len(k.all)+k.lost; n < want-k.lost || n > want+lost {
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
func (k *galleryKills) recorded(s *shared, entries []ledger.Entry, lost int) {
	k.t.Helper()
	got := map[ledger.Event]int{}
	for _, e := range entries {
		got[e.Event]++
	}
	want := map[ledger.Event]int{ledger.Offered: 1, ledger.Agreed: 1, ledger.Posted: 1}
	switch s.wish {
	case described:
		want[ledger.AIOn], want[ledger.Described] = 1, undescribed
	case drafted:
		want[ledger.AIOn], want[ledger.Drafted] = 1, undescribed
	case left:
	}
	if s.deleted {
		want[ledger.Deleted], want[ledger.Gone] = 1, 1
	}
	// What was done again is written down again: a question to the model of which
	// the answer was lost.
	for e, more := range map[ledger.Event]int{ledger.Described: 1 + lost, ledger.Drafted: 1} {
		if got[e] > want[e] && got[e] <= want[e]+more && (e == ledger.Described || s.wish == drafted) {
			got[e] = want[e]
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		k.t.Errorf("%s: the ledger has %v, not %v", s.title, got, want)
	}
}
