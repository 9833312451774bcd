package sandbox

import (
	"context"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/words"
)

// messagesPath is where messages are posted.
const messagesPath = "/channels/*/messages"

// messageCreate is the event of a new message.
const messageCreate = "MESSAGE_CREATE"

func toldToReconnect(s *stage) error {
	before := s.sessions()
	s.discord.Reconnect()
	if err := s.asks(s.guild.ada, "Ada", "Ada's mention while the bot connected anew", "do you hear me now?"); err != nil {
		return err
	}
	return s.connectedSince(before)
}

// sessionEnded has the message written while there is no session: no event
// tells of it.
func sessionEnded(s *stage) error {
	before := s.sessions()
	s.discord.Invalidate(false)
	if err := s.asks(s.guild.ben, "Ben", "Ben's mention when the session had ended", "what strikes thirteen?"); err != nil {
		return err
	}
	return s.connectedSince(before)
}

func eventTwice(s *stage) error {
	s.discord.DuplicateNext(messageCreate, 1)
	if err := s.asks(s.guild.cleo, "Cleo", "Cleo's mention, of which the bot was told twice", "does an echo count?"); err != nil {
		return err
	}
	// Events come in order: when a later message is answered, both were seen.
	if err := s.asks(s.guild.ada, "Ada", "Ada's mention after it", "did you hear that twice?"); err != nil {
		return err
	}
	s.checkGuild()
	return nil
}

func eventLost(s *stage) error {
	s.discord.DropNext(messageCreate, 1)
	m, err := s.tell(s.guild.ben, "Ben", "Ben's mention, of which no event told", "is anybody listening?", "")
	if err != nil {
		return err
	}
	// All that Discord has to tell is told; of this message it is nothing.
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	if err := s.discord.WaitDelivered(ctx); err != nil {
		return err
	}
	// What is heard after it does not hide it.
	if err := s.asks(s.guild.ada, "Ada", "Ada's mention after the one that was lost", "and what of me?"); err != nil {
		return err
	}
	s.check(len(s.answersTo(m)) == 0, "no answer to what the bot was not told of", "there is one")
	s.say("The bot was not told of Ben's message. With a new session it looks for what it has missed.")
	before := s.sessions()
	s.discord.Invalidate(false)
	if err := s.connectedSince(before); err != nil {
		return err
	}
	_, err = s.toldBack(m)
	return err
}

func turnedAway(s *stage) error {
	defer s.discord.ClearFaults()
	for _, f := range []struct {
		how   string
		fault discordsim.Fault
	}{
		{"by the bucket, for 1.25 seconds", discordsim.TooMany(1250 * time.Millisecond)},
		{"by the global limit", discordsim.TooManyGlobal(time.Second)},
		{"by a page of the edge", discordsim.TooManyAtEdge(time.Second)},
	} {
		struck := s.discord.Inject(f.fault.On("POST", messagesPath))
		if err := s.asks(s.guild.ada, "Ada", "Ada's mention; the answer was turned away "+f.how, "are you turned away "+f.how+"?"); err != nil {
			return err
		}
		s.check(struck.Hits() == 1, "the answer is turned away once "+f.how, times(struck.Hits()))
	}
	return nil
}

// killedBeforeAck kills the bot while it tells Discord that the answer will
// come: by then it has kept the command.
func killedBeforeAck(s *stage) error {
	hang := s.discord.Inject(discordsim.Hang().On("POST", "/interactions/*/*/callback"))
	defer s.discord.ClearFaults()
	before := len(s.discord.ByBot(s.guild.general))
	if _, err := s.discord.Slash(s.guild.cleo, s.guild.general, "gif", discordsim.Args{"words": "rainbow"}); err != nil {
		return err
	}
	s.say("Cleo uses /gif words:rainbow.")
	if err := s.hear("the bot tells Discord that it has the command", func() bool { return hang.Hits() == 1 }, func() string { return "it does not" }); err != nil {
		return err
	}
	s.say("Discord has that before it, but has not taken it.")
	if err := s.restartOnDiscord(); err != nil {
		return err
	}
	if _, err := s.gifIn(before, "rainbow"); err != nil {
		return err
	}
	// By the next answer a second picture would be there.
	if err := s.asks(s.guild.ada, "Ada", "Ada's mention after that kill", "are you up again?"); err != nil {
		return err
	}
	n := len(s.shown(before))
	s.check(n == 1, "one picture for Cleo", counted(n, "message", "messages")+" with some")
	return nil
}

// killedAfterMessage kills the bot when its answer stands and it was not told.
func killedAfterMessage(s *stage) error {
	hang := s.discord.Inject(discordsim.Hang().Stored().On("POST", messagesPath))
	defer s.discord.ClearFaults()
	m, err := s.tell(s.guild.ben, "Ben", "Ben's mention; the bot was killed after the answer was stored", "who winds you up again?", "")
	if err != nil {
		return err
	}
	if err := s.hear("the bot answers", func() bool { return hang.Hits() == 1 && len(s.answersTo(m)) == 1 },
		func() string { return counted(hang.Hits(), "answer", "answers") + " sent" }); err != nil {
		return err
	}
	s.say("Discord has stored the answer, and has not said so yet.")
	if err := s.restartOnDiscord(); err != nil {
		return err
	}
	if err := s.asks(s.guild.ada, "Ada", "Ada's mention after that", "and who else?"); err != nil {
		return err
	}
	_, err = s.toldBack(m)
	return err
}

// oldButton presses the button under the picture that Ada asked for before the
// bot was killed.
func oldButton(s *stage) error {
	d, g := s.discord, &s.guild
	m, ok := d.Message(g.picture)
	if !ok {
		return &unmet{"the picture that Ada asked for", "it is gone"}
	}
	ids := customIDs(m.Components)
	if len(ids) != 1 {
		return &unmet{"one button under the picture", counted(len(ids), "button", "buttons")}
	}
	s.say("Ben presses “Delete” under the picture that Ada asked for.")
	o, err := s.answerOf(d.PressButton(g.ben, m.ID, ids[0]))
	if err != nil {
		return err
	}
	if o.Message == nil || o.Message.Content != words.English.Say(words.GIFsDeleteNotYours, nil) {
		return &unmet{"Ben, who has not asked for the picture, is told so", "something else"}
	}
	s.say("Elelem tells Ben: %s", o.Message.Content)
	if _, err := d.PressButton(g.ada, m.ID, ids[0]); err != nil {
		return err
	}
	s.say("Ada presses “Delete”.")
	if err := s.hear("the picture is gone", func() bool { _, ok := d.Message(g.picture); return !ok }, func() string { return "it stands" }); err != nil {
		return err
	}
	s.say("The picture is gone.")
	return nil
}
