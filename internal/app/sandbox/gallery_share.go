package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"rookery/internal/sim/discordsim"
	"rookery/internal/words"
)

// A description that Ada writes, and one that she leaves to the model.
const ringsWords = "Seven brass rings, one inside the other, seen from above."

// galleryOpens is a manager's part.
func galleryOpens(s *stage) error {
	s.found()
	s.hangForum()
	g := &s.guild
	before := s.sessions()
	if err := s.startBot(); err != nil {
		return err
	}
	if err := s.connectedSince(before); err != nil {
		return err
	}
	offered := func(name string) error {
		return s.hear("the command /"+name+" appears", func() bool { return slices.Contains(s.commands(), name) },
			func() string { return strings.Join(s.commands(), ", ") })
	}
	if err := offered("setup"); err != nil {
		return err
	}
	if err := s.answersSetup(
		setupPress{does: "presses “English”", custom: "setup:1:en"},
		setupPress{does: "chooses the gallery", custom: "setup:2", values: []string{"gallery"}},
		setupPress{does: "chooses #art", custom: "setup:places:gallery", values: []string{g.forum}},
		setupPress{does: "chooses a channel that only she sees", custom: "setup:4", values: []string{g.notices}},
	); err != nil {
		return err
	}
	return offered("share")
}

// hangForum makes the forum in which members show what they made.
func (s *stage) hangForum() {
	d, g := s.discord, &s.guild
	g.forum = d.AddForum(g.id, "art")
	for id, name := range map[string]string{g.ada: "Ada", g.ben: "Ben", g.cleo: "Cleo", g.olga: "Olga"} {
		d.Names(id, name, "", "")
	}
}

// galleryOffers is the offer of a thread with two pictures.
func galleryOffers(s *stage) error {
	rings, gears := drawing(1, "rings.png"), drawing(2, "secret.png")
	gears.Spoiler = true
	w, err := s.opens(s.guild.ada, "Ada", "Two wheels", "Two wheels that I drew. The second is for those who have seen the end.", rings, gears)
	if err != nil {
		return err
	}
	s.works.rings = w
	m := s.shownIn(w)
	for _, part := range []string{"@gallery@" + domain, words.English.Say(words.GalleryOfferAIOff, nil), words.English.Say(words.GalleryOfferRights, nil)} {
		s.check(strings.Contains(literally(m.Content), literally(part)), "the offer says “"+part+"”", m.Content)
	}
	have := buttonsOf(m)
	for _, label := range []words.Key{
		words.GalleryNo, words.GalleryDescribe, words.GalleryAIOff, words.GalleryWhat,
		words.GalleryCW, words.GalleryCreditsOn, words.GalleryRefresh, words.GalleryNever,
	} {
		text := words.English.Say(label, nil)
		s.check(have[text] != "", "the button “"+text+"”", "it is not there")
	}
	s.nothingOut("before Ada has said yes")
	return nil
}

// nothingOut checks that neither the instance nor the model has anything.
func (s *stage) nothingOut(when string) {
	n, looked := len(s.fedi.Uploads())+len(s.exhibited()), len(s.model.Pictured())
	s.check(n == 0, "nothing is on the instance "+when, counted(n, "thing", "things"))
	s.check(looked == 0, "the model has seen no picture "+when, "it was shown "+times(looked))
}

// galleryRefusesBen has somebody else press the buttons of an offer.
func galleryRefusesBen(s *stage) error {
	w := s.works.rings
	o, err := s.presses(s.guild.ben, "Ben", s.shownIn(w), words.GalleryPost)
	if err != nil {
		return err
	}
	want := words.English.Say(words.GalleryNotYourOffer, nil)
	said := s.toldPrivately("Ben", o)
	s.check(said == want, "it says: "+want, said)
	s.nothingOut("after Ben's press")
	return nil
}

// galleryAsksAda is a description of hers, and a yes to the model.
func galleryAsksAda(s *stage) error {
	d, w := s.discord, s.works.rings
	o, err := s.presses(w.artist, w.name, s.shownIn(w), words.GalleryDescribe)
	if err != nil {
		return err
	}
	if o.Modal == nil { // there is more than one way to describe: a form is one of them
		s.toldPrivately("Ada", o)
		if o.Message == nil {
			return &unmet{"a form", "nothing"}
		}
		label := words.English.Say(words.GalleryPage, words.Args{"from": 1, "to": 2})
		id := buttonsOf(*o.Message)[label]
		if id == "" {
			return &unmet{"the button “" + label + "”", "it is not there"}
		}
		s.say("Ada presses “%s”.", label)
		if o, err = s.answerOf(d.PressButton(w.artist, o.Message.ID, id)); err != nil {
			return err
		}
	}
	if o.Modal == nil || len(o.Modal.Fields) != 2 {
		return &unmet{"a form with two fields", "something else"}
	}
	s.say("A form opens, with a field for each picture. Ada fills in the first: %s", ringsWords)
	if _, err = s.answerOf(d.SubmitModal(w.artist, o.Modal, discordsim.Values{o.Modal.Fields[0].CustomID: ringsWords})); err != nil {
		return err
	}
	if err := s.hear("the preview shows what she wrote", func() bool { return strings.Contains(previewOf(s.shownIn(w)), ringsWords) },
		func() string { return quoted(previewOf(s.shownIn(w))) }); err != nil {
		return err
	}
	if _, err := s.presses(w.artist, w.name, s.shownIn(w), words.GalleryAIOff); err != nil {
		return err
	}
	on := words.English.Say(words.GalleryAIOn, nil)
	if err := s.hear("the offer names who would see the picture", func() bool {
		m := s.shownIn(w)
		return strings.Contains(literally(m.Content), processor) && buttonsOf(m)[on] != ""
	}, func() string { return quoted(s.shownIn(w).Content) }); err != nil {
		return err
	}
	s.say("Elelem asks now: %s", oneLine(s.shownIn(w).Content))
	s.nothingOut("before Ada has said yes")
	return nil
}

// previewOf is what the offer shows of the post.
func previewOf(m discordsim.Message) string {
	var all strings.Builder
	for _, e := range m.Embeds {
		text, _ := e["description"].(string)
		all.WriteString(literally(text))
	}
	return all.String()
}

// galleryPosts is the yes, and what comes of it.
func galleryPosts(s *stage) error {
	w := s.works.rings
	if err := s.agrees(w); err != nil {
		return err
	}
	if err := s.stands(w); err != nil {
		return err
	}
	p := w.post
	s.check(p.Visibility == "public", "the post is public", "it is "+p.Visibility)
	s.check(p.Sensitive, "the post is sensitive, for one picture is a spoiler", "it is not")
	for _, part := range []string{"Two wheels that I drew.", words.English.Say(words.GalleryComposeCredit, words.Args{"name": "Ada"}), tail} {
		s.check(strings.Contains(p.Text, part), "the post says “"+part+"”", p.Text)
	}
	for i, want := range []string{ringsWords, words.English.Say(words.GalleryComposeAltModel, words.Args{"text": seen})} {
		got := "no picture"
		if i < len(p.Media) {
			got = p.Media[i].Description
		}
		s.check(got == want, fmt.Sprintf("picture %d is described: %s", i+1, want), got)
	}
	looked := s.model.Pictured()
	s.check(len(looked) == 1 && len(looked[0].Images()) == 1, "the model has seen one picture, once", "it was shown "+times(len(looked)))
	return nil
}
