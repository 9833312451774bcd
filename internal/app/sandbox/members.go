package sandbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// takenIn waits until the bot has taken in everything that is there now: a
// first reading may have begun before, the second holds it all, and when a
// third has been asked for, the second is stored.
func (s *stage) takenIn() error {
	mark := s.mark()
	return s.wait("the bot reads its notifications three times more", func() bool { return s.looks(mark) >= 3 },
		func() string { return times(s.looks(mark)) })
}

// restart ends the bot in order and starts it on another configuration.
func (s *stage) restart(set settings) error {
	if err := s.bot.stop(stopLimit); err != nil {
		return &unmet{"the bot ends in order", err.Error()}
	}
	if err := s.writeConfig(set); err != nil {
		return err
	}
	return s.startBot()
}

// command is a member's direct message of only a word, and the one direct
// answer to it.
func (s *stage) command(who *fedisim.Account, word string) (fedisim.Post, error) {
	q := s.post(who, who.Name+"'s “"+word+"”", 1, "@elelem "+word, fedisim.As("direct"))
	reply, err := s.answered(q)
	if err == nil {
		s.checkOne(q, reply, "direct")
	}
	return reply, err
}

// checkSays checks that a post says one text of the catalogue to a member, and
// nothing else.
func (s *stage) checkSays(p fedisim.Post, to *fedisim.Account, k words.Key, a words.Args) {
	want := "@" + to.Acct + " " + words.English.Say(k, a)
	s.check(p.Text == want, "it says: "+want, p.Text)
}

// tomorrow is when the next day's budget begins.
func tomorrow() time.Time { return time.Now().UTC().Truncate(24 * time.Hour).Add(24 * time.Hour) }

// notices are the direct messages of the bot that begin a conversation with a
// member.
func (s *stage) notices(to *fedisim.Account) []fedisim.Post {
	var out []fedisim.Post
	for _, p := range s.fedi.PostsBy(s.elelem.ID) {
		if p.InReplyTo == "" && slices.Contains(p.Mentions, to.Acct) {
			out = append(out, p)
		}
	}
	return out
}

// olgaIsTold waits for the next message to the operator, which is about one
// thing and holds these texts, and checks that nobody else can read it.
func (s *stage) olgaIsTold(about string, parts ...string) error {
	olga := s.guest("olga")
	if err := s.wait("Olga is told "+about, func() bool { return len(s.notices(olga)) > s.told },
		func() string { return counted(len(s.notices(olga))-s.told, "message", "messages") + " to her" }); err != nil {
		return err
	}
	p := s.notices(olga)[s.told]
	s.told++
	s.say("Elelem tells Olga: %s", p.Text)
	s.check(p.Visibility == "direct" && len(p.Mentions) == 1, "the message is direct and for Olga alone",
		fmt.Sprintf("it is %s and mentions %s", p.Visibility, strings.Join(p.Mentions, ", ")))
	for _, part := range parts {
		s.check(strings.Contains(p.Text, part), "the message holds “"+part+"”", p.Text)
	}
	return nil
}

// checkOlga checks that Olga has had no more messages than were expected.
func (s *stage) checkOlga() {
	n := len(s.notices(s.guest("olga")))
	s.check(n == s.told, "Olga has been told "+times(s.told)+" in all", times(n))
}

// heard counts an account's notifications of something that the bot did.
func (s *stage) heard(who *fedisim.Account) int {
	n := 0
	for _, note := range s.fedi.Notifications(who.ID) {
		if note.From == s.elelem.ID {
			n++
		}
	}
	return n
}

// asked is the one time that the model was asked since a question was posted.
// The error says that it was not once.
func (s *stage) asked(q *question) (prompt, error) {
	all := s.model.Requests()[q.model:]
	if len(all) != 1 {
		return prompt{}, &unmet{"the model is asked once", "it was asked " + times(len(all))}
	}
	p := prompt{system: all[0].System()}
	for _, m := range all[0].Messages {
		if m.Role != "system" {
			p.turns = append(p.turns, m.Text)
		}
	}
	return p, nil
}

// prompt is what the model was given.
type prompt struct {
	system string
	turns  []string // the thread, and the question last
}

func (p prompt) all() string { return p.system + "\n" + strings.Join(p.turns, "\n") }
