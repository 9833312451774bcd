package sandbox

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/words"
)

// modelDown is a model that refuses the key once, is then down for a while,
// and comes back.
func modelDown(s *stage) error {
	s.model.Inject(llmsim.Fault{Kind: llmsim.WrongKey}, llmsim.Fault{Kind: llmsim.Unavailable, Times: llmsim.Always})
	defer s.model.ClearFaults()
	emil := s.guest("emil")
	ask := s.post(emil, "Emil's question while the model was down: a notice, then the answer", 2, "@elelem can you hear me up there?")
	if err := s.olgaIsTold("that the key is refused", "401", "[llm]"); err != nil {
		return err
	}
	if err := s.wait("a notice to Emil", func() bool { return len(s.replies(ask)) > 0 },
		func() string { return "no reply; the model was asked " + times(s.model.Count()-ask.model) }); err != nil {
		return err
	}
	notice := s.replies(ask)[0]
	s.say("Elelem tells Emil: %s", notice.Text)
	s.checkSays(notice, emil, words.PersonaModelDown, nil)
	s.check(notice.Visibility == "direct" && len(notice.Mentions) == 1, "the notice is direct, to Emil alone", "it is "+notice.Visibility)
	s.say("The model is back.")
	s.model.ClearFaults()
	if err := s.wait("the answer", func() bool { return len(s.replies(ask)) > 1 }, func() string { return "none" }); err != nil {
		return err
	}
	answer := s.replies(ask)[1]
	s.say("Elelem replies: %s", answer.Text)
	if err := s.finished(ask); err != nil {
		return err
	}
	all := s.replies(ask)
	s.check(len(all) == 2, "one notice and one answer", counted(len(all), "reply", "replies"))
	s.check(answer.Visibility == "unlisted" && len(answer.Mentions) == 1 && strings.Contains(answer.Text, "can you hear me"),
		"the answer is an ordinary one", answer.Visibility+": "+answer.Text)
	s.checkOlga()
	return nil
}

// pausedAndResumed uses the commands that an operator uses.
func pausedAndResumed(s *stage) error {
	if err := s.rookery("pause"); err != nil {
		return err
	}
	mark := s.mark()
	ask := s.post(s.ada, "Ada's question during the pause", 1, "@elelem are you holding your breath?")
	quota := s.post(s.cleo, "Cleo's “quota” during the pause", 1, "@elelem quota", fedisim.As("direct"))
	if err := s.takenIn(); err != nil {
		return err
	}
	n := s.posts(mark)
	s.check(n == 0, "nothing is posted during the pause", counted(n, "post", "posts"))
	s.check(s.model.Count() == ask.model, "the model is not asked during the pause", "it was asked "+times(s.model.Count()-ask.model))
	s.say("Both are taken in, and nothing has left.")
	if err := s.rookery("resume"); err != nil {
		return err
	}
	for _, q := range []*question{quota, ask} {
		reply, err := s.answered(q)
		if err != nil {
			return err
		}
		s.checkOne(q, reply, map[*question]string{quota: "direct", ask: "unlisted"}[q])
	}
	return nil
}

// rookery runs a command of the program beside the bot, on its configuration.
func (s *stage) rookery(command string) error {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.bot.program, command, "--config", s.config())
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	said := strings.TrimSpace(string(out))
	if err != nil {
		return &unmet{"the command “rookery " + command + "” succeeds", fmt.Sprintf("%v: %s", err, said)}
	}
	s.say("rookery %s: %s", command, said)
	return nil
}

// killedThinking kills the bot while it waits for the model.
func killedThinking(s *stage) error {
	s.mind.hold()
	defer s.mind.release()
	ask := s.post(s.ada, "Ada's question; the bot was killed while the model was thinking", 1, "@elelem where does the time go when nobody looks?")
	thinks := func(n int) error {
		return s.wait("the model is asked", func() bool { return s.model.Count()-ask.model >= n },
			func() string { return "it was asked " + times(s.model.Count()-ask.model) })
	}
	if err := thinks(1); err != nil {
		return err
	}
	if _, err := s.killAndRestart(); err != nil {
		return err
	}
	if err := thinks(2); err != nil {
		return err
	}
	s.mind.release()
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "unlisted")
	n := s.model.Count() - ask.model
	s.check(n == 2, "the model is asked twice: its first answer reached nobody", "it was asked "+times(n))
	return nil
}
