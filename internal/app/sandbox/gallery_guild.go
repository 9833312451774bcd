package sandbox

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// works are the threads of the story whose posts are looked at later.
type works struct {
	rings  *work // Ada's first: two pictures, one a spoiler
	gears  *work // her second
	spring *work // her third

	all []*work // whose posts stood
}

// work is a thread in which somebody shows what they made.
type work struct {
	thread, title string
	artist, name  string // the user, and what they are called
	code          string // with which its post can be deleted; "" before the yes
	post          fedisim.Post
	gone          bool // it was deleted since
}

// opens has a member open a thread in the forum, and waits for the offer.
func (s *stage) opens(artist, name, title, text string, files ...discordsim.File) (*work, error) {
	thread, err := s.discord.StartPost(artist, s.guild.forum, title, discordsim.Draft{Content: text, Files: files})
	if err != nil {
		return nil, err
	}
	w := &work{thread: thread, title: title, artist: artist, name: name}
	with := ""
	if len(files) > 0 {
		with = ", with " + counted(len(files), "picture", "pictures")
	}
	s.say("%s opens the thread “%s” in #art%s: %s", name, title, with, oneLine(text))
	return w, s.offered(w)
}

// offered waits for the one message of the bot in a thread to be an offer.
func (s *stage) offered(w *work) error {
	post := words.English.Say(words.GalleryPost, nil)
	if err := s.hear("an offer in the thread “"+w.title+"”", func() bool { return buttonsOf(s.shownIn(w))[post] != "" },
		func() string { return "the bot's message there: " + quoted(s.shownIn(w).Content) }); err != nil {
		return err
	}
	m := s.shownIn(w)
	s.say("Elelem asks: %s", oneLine(m.Content))
	for _, e := range m.Embeds {
		text, _ := e["description"].(string)
		for line := range strings.Lines(text) {
			if line = oneLine(line); line != "" {
				s.say("   | %s", line)
			}
		}
	}
	s.check(len(m.Pinged) == 0, "the offer pings nobody", "it pings "+counted(len(m.Pinged), "user", "users"))
	n := len(s.discord.ByBot(w.thread))
	s.check(n == 1, "one message of the bot in the thread", counted(n, "message", "messages"))
	return nil
}

// shownIn is the bot's message in a thread; the zero message if there is none.
func (s *stage) shownIn(w *work) discordsim.Message {
	all := s.discord.ByBot(w.thread)
	if len(all) == 0 {
		return discordsim.Message{}
	}
	return all[0]
}

func quoted(text string) string {
	if text == "" {
		return "none"
	}
	return "“" + oneLine(text) + "”"
}

// presses has a member press a button of a message.
func (s *stage) presses(who, name string, m discordsim.Message, label words.Key) (discordsim.Outcome, error) {
	text := words.English.Say(label, nil)
	id := buttonsOf(m)[text]
	if id == "" {
		return discordsim.Outcome{}, &unmet{"the button “" + text + "”", "it is not there: " + oneLine(m.Content)}
	}
	s.say("%s presses “%s”.", name, text)
	return s.answerOf(s.discord.PressButton(who, m.ID, id))
}

// toldPrivately checks that an answer is one that only its member sees, and
// returns what it says.
func (s *stage) toldPrivately(name string, o discordsim.Outcome) string {
	if o.Message == nil {
		s.check(false, name+" is told something", "nothing")
		return ""
	}
	s.say("Elelem tells %s alone: %s", name, oneLine(o.Message.Content))
	s.check(o.Message.Ephemeral(), "only "+name+" sees that", "everybody does")
	return o.Message.Content
}

// aCode is how a delete code is shown.
var aCode = regexp.MustCompile("`([^` ]+)`")

// agrees has the artist press “Post publicly”, and “Post anyway” where
// descriptions are lacking.
func (s *stage) agrees(w *work) error {
	o, err := s.presses(w.artist, w.name, s.shownIn(w), words.GalleryPost)
	if err != nil {
		return err
	}
	if o.Message != nil && buttonsOf(*o.Message)[words.English.Say(words.GalleryAnyway, nil)] != "" {
		s.toldPrivately(w.name, o)
		if o, err = s.presses(w.artist, w.name, *o.Message, words.GalleryAnyway); err != nil {
			return err
		}
	}
	said := s.toldPrivately(w.name, o)
	code := aCode.FindStringSubmatch(said)
	if code == nil {
		return &unmet{"a private answer with a delete code", quoted(said)}
	}
	w.code = code[1]
	return nil
}

// stands waits for the acknowledgement in a thread to link a post, and looks at
// that.
func (s *stage) stands(w *work) error {
	return s.standsAfter(w, func(linked func() bool) error {
		return s.hear(s.linkedIn(w), linked, func() string { return quoted(s.shownIn(w).Content) })
	})
}

func (s *stage) linkedIn(w *work) string {
	return "a link to the post in the thread “" + w.title + "”"
}

// standsAfter is stands with another way to wait.
func (s *stage) standsAfter(w *work, wait func(linked func() bool) error) error {
	linked := func() bool {
		said := s.shownIn(w).Content
		for _, p := range s.exhibited() {
			if p.URL != "" && strings.Contains(said, p.URL) {
				w.post = p
				return true
			}
		}
		return false
	}
	if err := wait(linked); err != nil {
		return err
	}
	s.say("Elelem says in the thread: %s", oneLine(s.shownIn(w).Content))
	s.say("@%s has posted: %s", w.post.Acct, oneLine(w.post.Text))
	for _, m := range w.post.Media {
		s.say("   with %s", pictureInWords(m))
	}
	have := buttonsOf(s.shownIn(w))
	for _, label := range []words.Key{words.GalleryDelete, words.GalleryEdit} {
		text := words.English.Say(label, nil)
		s.check(have[text] != "", "the button “"+text+"” below it", "it is not there")
	}
	s.works.all = append(s.works.all, w)
	s.checkGallery()
	return nil
}

// checkGallery counts what the gallery has posted: nothing twice, nothing that
// is not linked from its thread, and nothing that was deleted.
func (s *stage) checkGallery() {
	if s.rook == nil {
		return
	}
	want := 0
	for _, w := range s.works.all {
		if !w.gone {
			want += len(s.fedi.Parts(w.post.ID))
		}
	}
	all := s.exhibited()
	s.check(len(all) == want, counted(want, "post", "posts")+" of the gallery in all", counted(len(all), "post", "posts"))
	in := map[string]string{} // every picture of the story is another one
	for _, p := range all {
		for _, m := range p.Media {
			s.check(in[m.SHA256] == "", "each picture stands once", "one is in “"+in[m.SHA256]+"” and in “"+oneLine(p.Text)+"”")
			in[m.SHA256] = oneLine(p.Text)
		}
	}
}

// exhibited are the posts of the gallery that stand, oldest first.
func (s *stage) exhibited() []fedisim.Post { return s.fedi.PostsBy(s.rook.ID) }

// isGone waits for a post to be deleted, and for its thread, if there still is
// one, to have no message of the bot's.
func (s *stage) isGone(w *work) error {
	if err := s.wait("the post of “"+w.title+"” is deleted", func() bool { _, ok := s.fedi.Post(w.post.ID); return !ok },
		func() string { return "it stands" }); err != nil {
		return err
	}
	w.gone = true
	s.say("The post is gone from the instance.")
	s.checkGallery()
	return s.hear("the acknowledgement goes too", func() bool { return len(s.discord.ByBot(w.thread)) == 0 },
		func() string { return quoted(s.shownIn(w).Content) })
}

// afterAWhile waits for something that takes its time: while it is not so, time
// passes, so much at once.
func (s *stage) afterAWhile(by time.Duration, expected string, cond func() bool, seen func() string) error {
	return s.waitOn(func(ctx context.Context) error {
		for !cond() {
			s.hand.move(by)
			// What is due then gets a moment of the machine's own time.
			for range 3 {
				s.hand.followed(ctx)
			}
			if err := ctx.Err(); err != nil {
				return err
			}
		}
		return nil
	}, expected, seen)
}

// buttonsOf are the buttons of a message: custom ids by label.
func buttonsOf(m discordsim.Message) map[string]string {
	all := map[string]string{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, one := range v {
				walk(one)
			}
		case map[string]any:
			label, _ := v["label"].(string)
			if id, ok := v["custom_id"].(string); ok && label != "" {
				all[label] = id
			}
			walk(v["components"])
		}
	}
	walk(m.Components)
	return all
}

// deletesBy has somebody give /delete_fedi, and returns what they alone are
// told.
func (s *stage) deletesBy(who, name, channel, where, post string) (string, error) {
	s.say("%s gives /delete_fedi post:%s %s.", name, post, where)
	o, err := s.answerOf(s.discord.Slash(who, channel, "delete_fedi", discordsim.Args{"post": post}))
	if err != nil {
		return "", err
	}
	if o.Message == nil {
		return "", &unmet{name + " is answered", "nothing"}
	}
	s.say("Elelem tells %s: %s", name, oneLine(o.Message.Content))
	return o.Message.Content, nil
}

// deletedBy is deletesBy where the post goes.
func (s *stage) deletedBy(w *work, who, name, where, post string) error {
	said, err := s.deletesBy(who, name, s.discord.DMChannel(who), where, post)
	if err != nil {
		return err
	}
	want := words.English.Say(words.GalleryDeletedNow, words.Args{"server": domain})
	s.check(literally(said) == want, "it says: "+want, said)
	return s.isGone(w)
}

// literally is a text without the signs that keep Discord from reading it as
// markup or as a mention.
func literally(text string) string { return strings.NewReplacer(`\`, "", "\u200b", "").Replace(text) }

// sizes are how many files each post of a thread has.
func sizes(posts []fedisim.Post) string {
	var all []string
	for _, p := range posts {
		all = append(all, fmt.Sprint(len(p.Media)))
	}
	return strings.Join(slices.Clip(all), " + ")
}
