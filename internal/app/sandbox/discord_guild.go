package sandbox

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"rookery/internal/sim/discordsim"
)

// guild is the server on Discord in which a story is played.
type guild struct {
	id                     string
	general, notices, mute string // channels; in the last one the bot may not write
	olga, ada, ben, cleo   string // users; Olga manages the server, and moderates it
	forum                  string // whose threads are offered to be shared

	asked   []message
	picture string // id of the message with a picture that Ada has asked for
}

// message is one that the bot shall answer.
type message struct {
	id, what, text string
}

// botMay is what the bot's invitation asks for.
const botMay = discordsim.ViewChannel | discordsim.SendMessages | discordsim.SendMessagesInThreads |
	discordsim.ReadMessageHistory | discordsim.EmbedLinks | discordsim.AttachFiles

// hear waits until cond holds; it is asked after every change on Discord.
func (s *stage) hear(expected string, cond func() bool, seen func() string) error {
	return s.waitOn(func(ctx context.Context) error {
		return s.discord.WaitFor(ctx, func(*discordsim.Server) bool { return cond() })
	}, expected, seen)
}

// found makes the server and invites the bot.
func (s *stage) found() {
	d, g := s.discord, &s.guild
	g.id = d.AddGuild("The Clock Tower")
	g.general = d.AddChannel(g.id, "general", discordsim.Text)
	g.notices = d.AddChannel(g.id, "keepers", discordsim.Text)
	g.mute = d.AddChannel(g.id, "announcements", discordsim.Text)
	g.olga, g.ada, g.ben, g.cleo = d.AddUser("olga"), d.AddUser("ada"), d.AddUser("ben"), d.AddUser("cleo")
	for _, who := range []string{g.ada, g.ben, g.cleo} {
		d.Join(g.id, who)
	}
	d.Join(g.id, g.olga, d.AddRole(g.id, "keeper", discordsim.ManageGuild|discordsim.ManageMessages))
	d.AddEmoji(g.id, "clock", false, nil)
	d.AddEmoji(g.id, "tick", true, nil)
	d.BotJoins(g.id, botMay)
	d.ChangeChannel(g.mute, discordsim.Deny(d.BotRole(g.id), discordsim.SendMessages))
	// What the bot must not do in that channel, @everyone does not lend it.
	d.ChangeChannel(g.mute, discordsim.Deny(g.id, discordsim.SendMessages))
}

// sessions counts what was begun or resumed on the gateway.
func (s *stage) sessions() int {
	n := 0
	for _, one := range s.discord.Sessions() {
		n += 1 + one.Resumes
	}
	return n
}

// connectedSince waits for a session that began, or was resumed, after there
// had been so many.
func (s *stage) connectedSince(before int) error {
	return s.hear("the bot connects to the gateway", func() bool {
		return s.sessions() > before && slices.ContainsFunc(s.discord.Sessions(), func(one discordsim.Session) bool { return one.Connected && one.Ready })
	}, func() string { return counted(s.sessions()-before, "session", "sessions") })
}

// restartOnDiscord kills the bot and starts it again.
func (s *stage) restartOnDiscord() error {
	before := s.sessions()
	if _, err := s.killAndRestart(); err != nil {
		return err
	}
	return s.connectedSince(before)
}

// commands are the names of what the guild's members can use there; in direct
// messages it is others.
func (s *stage) commands() []string {
	var all []string
	for _, c := range s.discord.Commands(s.guild.id) {
		all = append(all, c.Name)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// tell has a member write to the general channel.
func (s *stage) tell(who, name, what, text string, replyTo string) (message, error) {
	draft := discordsim.Draft{Content: text, ReplyTo: replyTo}
	if replyTo == "" {
		draft.Content = "<@" + s.discord.AppID() + "> " + text
	}
	id, err := s.discord.Say(who, s.guild.general, draft)
	if err != nil {
		return message{}, err
	}
	m := message{id, what, text}
	s.guild.asked = append(s.guild.asked, m)
	if replyTo == "" {
		s.say("%s writes: @Elelem %s", name, text)
	} else {
		s.say("%s writes, in reply to that: %s", name, text)
	}
	return m, nil
}

// answersTo are the bot's answers to a message.
func (s *stage) answersTo(m message) []discordsim.Message {
	var all []discordsim.Message
	for _, by := range s.discord.ByBot(s.guild.general) {
		if by.ReplyTo == m.id {
			all = append(all, by)
		}
	}
	return all
}

// toldBack waits for the answer to a message and checks that it is one, and pings
// nobody.
func (s *stage) toldBack(m message) (discordsim.Message, error) {
	err := s.hear("an answer to “"+shortened(m.text)+"”", func() bool { return len(s.answersTo(m)) > 0 }, func() string { return "none" })
	if err != nil {
		return discordsim.Message{}, err
	}
	all := s.answersTo(m)
	s.say("Elelem answers: %s", oneLine(all[0].Content))
	s.check(len(all) == 1, "exactly one answer", counted(len(all), "answer", "answers"))
	s.check(len(all[0].Pinged) == 0, "the answer pings nobody", "it pings "+counted(len(all[0].Pinged), "user", "users"))
	return all[0], nil
}

// asks has a member mention the bot, and waits for the one answer.
func (s *stage) asks(who, name, what, text string) error {
	m, err := s.tell(who, name, what, text, "")
	if err != nil {
		return err
	}
	_, err = s.toldBack(m)
	return err
}

// checkGuild counts, at the end, the answers to each message, and that nobody
// was pinged.
func (s *stage) checkGuild() {
	if s.discord == nil {
		return
	}
	for _, m := range s.guild.asked {
		n := len(s.answersTo(m))
		s.check(n == 1, "one answer to: "+m.what, counted(n, "answer", "answers"))
	}
	if s.guild.general == "" {
		return // the story did not come that far
	}
	for _, by := range s.discord.ByBot(s.guild.general) {
		s.check(len(by.Pinged) == 0, "no answer pings anybody", fmt.Sprintf("%s pings: %s", by.Content, strings.Join(by.Pinged, ", ")))
	}
}

// customIDs are those of a message's components.
func customIDs(v any) []string {
	var all []string
	switch v := v.(type) {
	case []any:
		for _, one := range v {
			all = append(all, customIDs(one)...)
		}
	case map[string]any:
		if id, ok := v["custom_id"].(string); ok {
			all = append(all, id)
		}
		all = append(all, customIDs(v["components"])...)
	}
	return all
}

// answerOf waits for what a member sees of an interaction.
func (s *stage) answerOf(in *discordsim.Interaction, err error) (discordsim.Outcome, error) {
	if err != nil {
		return discordsim.Outcome{}, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	o, err := in.WaitDone(ctx)
	switch {
	case err != nil:
		return o, &unmet{"Discord is answered", "no answer: " + err.Error()}
	case o.Failed:
		return o, &unmet{"Discord is answered within three seconds", "“The application did not respond”"}
	}
	return o, nil
}
