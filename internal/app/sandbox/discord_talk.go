package sandbox

import (
	"strings"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/discordsim"
	"rookery/internal/words"
)

func mentionedInGuild(s *stage) error {
	return s.asks(s.guild.ada, "Ada", "Ada's first mention", "are you late if only the clock says so?")
}

// repliedInGuild replies to the first answer, without a mention in the text.
func repliedInGuild(s *stage) error {
	first := s.guild.asked[0]
	answers := s.answersTo(first)
	if len(answers) == 0 {
		return &unmet{"an answer to reply to", "none"}
	}
	asked := s.model.Count()
	m, err := s.tell(s.guild.ada, "Ada", "Ada's reply to the bot", "and which clock do you trust?", answers[0].ID)
	if err != nil {
		return err
	}
	if _, err := s.toldBack(m); err != nil {
		return err
	}
	requests := s.model.Requests()[asked:]
	if len(requests) != 1 {
		return &unmet{"the model is asked once", "it was asked " + times(len(requests))}
	}
	var given strings.Builder
	for _, part := range requests[0].Messages {
		given.WriteString(part.Text + "\n")
	}
	for _, text := range []string{first.text, m.text} {
		s.check(strings.Contains(given.String(), text), "the model is given “"+text+"”", given.String())
	}
	return nil
}

// gifIn waits for the one picture that came since there were so many messages.
func (s *stage) gifIn(before int, tag string) (discordsim.Message, error) {
	since := func() []discordsim.Message { return s.shown(before) }
	if err := s.hear("a message with a picture of “"+tag+"”", func() bool { return len(since()) > 0 }, func() string { return "none" }); err != nil {
		return discordsim.Message{}, err
	}
	all := since()
	m := all[0]
	s.say("Elelem shows: %s", oneLine(m.Content))
	s.check(len(all) == 1 && len(m.Attachments) == 1, "one picture", counted(len(all), "message", "messages")+" with some")
	a := m.Attachments[0]
	s.say("With it: %s, “%s”", a.ContentType, a.Description)
	s.check(strings.Contains(a.Description, tag), "an alt text that tells of “"+tag+"”", a.Description)
	image, ok := s.linked(m.Content)
	if !ok {
		return m, &unmet{"a link to the picture's page at " + s.board.URL(), m.Content}
	}
	credit := words.English.Say(words.GIFsCredit, words.Args{"artists": strings.Join(image.Artists, ", ")})
	s.check(strings.Contains(m.Content, credit), "the message says “"+credit+"”", m.Content)
	s.check(image.Rating == boorusim.Safe, "a safe picture", string(image.Rating))
	return m, nil
}

// shown are the messages with pictures that came since there were so many
// messages.
func (s *stage) shown(before int) []discordsim.Message {
	var all []discordsim.Message
	for _, by := range s.discord.ByBot(s.guild.general)[before:] {
		if len(by.Attachments) > 0 {
			all = append(all, by)
		}
	}
	return all
}

func commandGIF(s *stage) error {
	before := len(s.discord.ByBot(s.guild.general))
	if _, err := s.discord.Slash(s.guild.ada, s.guild.general, "gif", discordsim.Args{"words": "bouncing"}); err != nil {
		return err
	}
	s.say("Ada uses /gif words:bouncing.")
	m, err := s.gifIn(before, "bouncing")
	s.guild.picture = m.ID
	return err
}

func commandNSFW(s *stage) error {
	d, g := s.discord, &s.guild
	if _, err := s.answerOf(d.Slash(g.olga, g.general, "settings gifs", discordsim.Args{"nsfw": true})); err != nil {
		return err
	}
	s.say("Olga allows NSFW pictures: /settings gifs nsfw:True. #general is not age-restricted.")
	searches := s.boardAsked()
	s.say("Ben uses /gif words:bouncing nsfw:True.")
	o, err := s.answerOf(d.Slash(g.ben, g.general, "gif", discordsim.Args{"words": "bouncing", "nsfw": true}))
	if err != nil {
		return err
	}
	if o.Message == nil {
		return &unmet{"a refusal", "nothing"}
	}
	s.say("Elelem tells Ben: %s", o.Message.Content)
	s.check(o.Ephemeral, "only Ben sees it", "everybody does")
	want := words.English.Say(words.GIFsNSFWChannel, nil)
	s.check(o.Message.Content == want, want, o.Message.Content)
	s.check(s.boardAsked() == searches, "no board is asked", "one was")
	return nil
}
