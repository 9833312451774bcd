package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/websim"
	"rookery/internal/words"
)

// killedBeforePost kills the bot when the instance has the picture, and the
// post before it, which it has not stored.
func killedBeforePost(s *stage) error {
	w, err := s.opens(s.guild.ada, "Ada", "Gears", "Gears, in the morning.", described(drawing(3, "gears.png"), "Three gears that turn each other."))
	if err != nil {
		return err
	}
	s.works.gears = w
	hang := s.fedi.Inject(fedisim.Hang().On("POST", postPath))
	defer s.fedi.ClearFaults()
	uploads := s.uploads()
	if err := s.agrees(w); err != nil {
		return err
	}
	if err := s.wait("the bot uploads the picture and posts", func() bool { return hang.Hits() == 1 && s.uploads() == uploads+1 },
		func() string { return counted(s.uploads()-uploads, "upload", "uploads") }); err != nil {
		return err
	}
	s.say("The instance has the picture, and the post before it, which it has not stored.")
	if err := s.restartOnDiscord(); err != nil {
		return err
	}
	return s.standsAfter(w, s.soon(w))
}

// soon waits for what a bot that was started again does by and by.
func (s *stage) soon(w *work) func(func() bool) error {
	return func(linked func() bool) error {
		return s.afterAWhile(10*time.Second, s.linkedIn(w), linked, func() string { return quoted(s.shownIn(w).Content) })
	}
}

// killedBeforeAcknowledgement kills the bot when the post stands, and its thread
// does not say so yet.
func killedBeforeAcknowledgement(s *stage) error {
	w, err := s.opens(s.guild.ada, "Ada", "Mainspring", "A mainspring, wound.", described(drawing(4, "spring.png"), "A coil of steel in its barrel."))
	if err != nil {
		return err
	}
	s.works.spring = w
	begins, _, _ := strings.Cut(words.English.Say(words.GalleryPosted, words.Args{"link": "\x00"}), "\x00")
	hang := s.discord.Inject(discordsim.Hang().On("PATCH", "/channels/*/messages/*").If(func(x discordsim.Exchange) bool { return strings.Contains(string(x.Body), begins) }))
	defer s.discord.ClearFaults()
	before := len(s.exhibited())
	if err := s.agrees(w); err != nil {
		return err
	}
	if err := s.hear("the bot tells the thread that it has posted", func() bool { return hang.Hits() == 1 }, func() string { return quoted(s.shownIn(w).Content) }); err != nil {
		return err
	}
	n := len(s.exhibited()) - before
	s.check(n == 1, "the post stands by then", counted(n, "post", "posts"))
	s.say("The post stands. Discord has the acknowledgement before it, but has not taken it.")
	if err := s.restartOnDiscord(); err != nil {
		return err
	}
	return s.standsAfter(w, s.soon(w))
}

// galleryRefusesDeletion has a stranger ask for the deletion of a post.
func galleryRefusesDeletion(s *stage) error {
	w := s.works.rings
	said, err := s.deletesBy(s.guild.ben, "Ben", s.guild.general, "in #general", w.post.URL)
	if err != nil {
		return err
	}
	want := words.English.Say(words.GalleryNotYourPost, nil)
	s.check(said == want, "it says: "+want, said)
	_, stands := s.fedi.Post(w.post.ID)
	s.check(stands, "the post stands", "it is gone")
	return nil
}

// deletedWithoutThread deletes a post whose thread is gone.
func deletedWithoutThread(s *stage) error {
	w := s.works.rings
	s.discord.DeleteChannel(w.thread)
	s.say("The thread “%s” is deleted. The post stands: that was said.", w.title)
	return s.deletedBy(w, w.artist, w.name, "in a direct message", w.post.URL)
}

// deletedFromOutside deletes a post whose artist is in no server with the bot.
func deletedFromOutside(s *stage) error {
	w := s.works.gears
	s.discord.Kick(s.guild.id, w.artist)
	s.discord.InstallForUser(w.artist)
	s.say("Ada leaves the server. She has installed the app for herself.")
	return s.deletedBy(w, w.artist, w.name, "in a direct message", w.post.URL)
}

// deletedByCode deletes a post of somebody who is not there, with the code that
// they were given.
func deletedByCode(s *stage) error {
	w := s.works.spring
	code := strings.ToLower(strings.ReplaceAll(w.code, "-", "")) // as people copy it by hand
	s.say("Ada has given her delete code to Cleo.")
	return s.deletedBy(w, s.guild.cleo, "Cleo", "in a direct message", code)
}

// galleryDeclined is a no.
func galleryDeclined(s *stage) error {
	before := len(s.exhibited())
	w, err := s.opens(s.guild.cleo, "Cleo", "A sketch", "Only a sketch.", drawing(5, "sketch.png"))
	if err != nil {
		return err
	}
	o, err := s.presses(w.artist, w.name, s.shownIn(w), words.GalleryNo)
	if err != nil {
		return err
	}
	s.toldPrivately("Cleo", o)
	if err := s.hear("the offer goes away", func() bool { return len(s.discord.ByBot(w.thread)) == 0 },
		func() string { return quoted(s.shownIn(w).Content) }); err != nil {
		return err
	}
	s.say("The offer is gone from the thread.")
	s.check(len(s.exhibited()) == before, "nothing is posted", "something is")
	return nil
}

// galleryExpires is no answer at all.
func galleryExpires(s *stage) error {
	before := len(s.exhibited())
	w, err := s.opens(s.guild.cleo, "Cleo", "Another sketch", "I have to go, back soon.", drawing(6, "another.png"))
	if err != nil {
		return err
	}
	s.pass(71 * time.Hour)
	s.check(buttonsOf(s.shownIn(w))[words.English.Say(words.GalleryPost, nil)] != "", "the offer is open after 71 hours", "it is not")
	s.say("Nearly three days later it is still open.")
	if err := s.afterAWhile(30*time.Minute, "the offer goes away", func() bool { return len(s.discord.ByBot(w.thread)) == 0 },
		func() string { return quoted(s.shownIn(w).Content) }); err != nil {
		return err
	}
	s.say("Then it is gone, and nothing was posted.")
	s.check(len(s.exhibited()) == before, "nothing is posted", "something is")
	return nil
}

// gallerySharesLink shares what a link shows.
func gallerySharesLink(s *stage) error {
	picture := drawing(7, "tower.png")
	s.web.Set("/tower.png", websim.Raw(picture.Type, picture.Data))
	address := s.web.URL("/tower.png")
	thread, err := s.discord.StartPost(s.guild.cleo, s.guild.forum, "The tower", discordsim.Draft{Content: "My tower hangs here: " + address})
	if err != nil {
		return err
	}
	w := &work{thread: thread, title: "The tower", artist: s.guild.cleo, name: "Cleo"}
	s.say("Cleo opens the thread “The tower” with a link, and no file. A moment later Discord shows what it leads to.")
	if err := s.discord.EmbedLinks(thread, s.discord.ImageEmbed(address, picture.Type, picture.Data)); err != nil {
		return err
	}
	if err := s.offered(w); err != nil {
		return err
	}
	if err := s.agrees(w); err != nil {
		return err
	}
	if err := s.stands(w); err != nil {
		return err
	}
	s.check(len(w.post.Media) == 1, "the post has the picture that the link shows", counted(len(w.post.Media), "file", "files"))
	s.check(strings.Contains(s.shownIn(w).Content, words.English.Say(words.GalleryPostedWithout, words.Args{"n": 1, "which": "1"})),
		"the thread is told that it went without a description", s.shownIn(w).Content)
	return nil
}

// galleryTenPictures shares more pictures than the instance takes in one post.
func galleryTenPictures(s *stage) error {
	var all []discordsim.File
	for i := range 10 {
		all = append(all, described(drawing(10+i, "wheel.png"), fmt.Sprintf("Wheel %d of the tower clock.", i+1)))
	}
	w, err := s.opens(s.guild.cleo, "Cleo", "Ten wheels", "All ten wheels, each a picture of its own.", all...)
	if err != nil {
		return err
	}
	if err := s.agrees(w); err != nil {
		return err
	}
	if err := s.stands(w); err != nil {
		return err
	}
	parts := s.fedi.Parts(w.post.ID)
	s.say("The pictures stand in %s: %s.", counted(len(parts), "post", "posts"), sizes(parts))
	s.check(sizes(parts) == "4 + 4 + 2", "three posts with 4 + 4 + 2 pictures", sizes(parts))
	next := 1
	for i, p := range parts {
		want := "unlisted"
		if i == 0 {
			want = "public"
		}
		s.check(p.Visibility == want, fmt.Sprintf("post %d is %s", i+1, want), "it is "+p.Visibility)
		for _, m := range p.Media {
			want := fmt.Sprintf("Wheel %d of the tower clock.", next)
			s.check(m.Description == want, fmt.Sprintf("picture %d says “%s”", next, want), m.Description)
			next++
		}
	}
	return nil
}

// galleryInstanceDown shares something while nobody answers.
func galleryInstanceDown(s *stage) error {
	w, err := s.opens(s.guild.cleo, "Cleo", "Late", "Better late than never.", described(drawing(30, "late.png"), "A clock that shows five past twelve."))
	if err != nil {
		return err
	}
	s.fedi.Down(503)
	defer s.fedi.Up()
	s.say("The instance is down: a proxy answers 503 to everything.")
	if err := s.agrees(w); err != nil {
		return err
	}
	waits := words.English.Say(words.GalleryWorkWaitsServer, words.Args{"account": "@gallery@" + domain})
	told := func() bool { return strings.Contains(literally(s.shownIn(w).Content), waits) }
	if err := s.afterAWhile(time.Minute, "Cleo is told in the thread that it waits", told, func() string { return quoted(s.shownIn(w).Content) }); err != nil {
		return err
	}
	s.say("Elelem says in the thread: %s", oneLine(s.shownIn(w).Content))
	for range 6 {
		s.pass(10 * time.Minute)
	}
	s.check(!slices.ContainsFunc(s.exhibited(), func(p fedisim.Post) bool { return strings.Contains(p.Text, "Better late") }), "nothing is posted meanwhile", "something is")
	s.check(told(), "the thread still says that it waits", s.shownIn(w).Content)
	s.fedi.Up()
	s.say("An hour later the instance is there again.")
	return s.standsAfter(w, func(linked func() bool) error {
		return s.afterAWhile(time.Minute, s.linkedIn(w), linked, func() string { return quoted(s.shownIn(w).Content) })
	})
}
