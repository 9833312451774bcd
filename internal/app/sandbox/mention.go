package sandbox

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
)

// mention is the story of a character that is asked things on the Fediverse:
// it answers once, whatever happens meanwhile.
func mention() story {
	return story{
		name:    "mention",
		summary: "members mention a character; it answers each of them once, even when it is killed or the server fails",
		intro: []string{
			"Elelem is a bot, a clockwork owl. Ada and others mention it on social.example, and it answers in character.",
			"The bot is the real program on an ordinary configuration; its server and its language model are simulated here.",
			"On the way it is killed twice, the model fails, and the server loses track: still one reply each, and none missing.",
		},
		steps: []step{
			{"The bot starts and looks for mentions", starts},
			{"Ada asks in a thread: one answer, made with the whole thread", inThread},
			{"Killed while replying, after the server stored the reply: still one reply", killedAfter},
			{"Killed while replying, before the server stored it: one reply all the same", killedBefore},
			{"A bot mentions it: silence", fromBot},
			{"A direct question: a direct answer that nobody else can see", directly},
			{"The model fails once: the answer comes after a second try", modelFails},
			{"The server stores the reply but says it failed: one reply", saysFailed},
			{"The server stores the reply long after the bot gave up waiting: one reply", storedLate},
		},
	}
}

const postPath = "/api/v1/statuses"

func starts(s *stage) error {
	if err := s.startBot(); err != nil {
		return err
	}
	s.say("The bot (process %d) has logged in as @%s and reads its notifications.", s.bot.current().cmd.Process.Pid, s.elelem.Handle())
	return nil
}

func inThread(s *stage) error {
	const began = "The station clock has been four minutes fast since Monday. I have started to live in the future."
	top := s.post(s.ben, "", 0, began)
	ask := s.post(s.ada, "Ada's question in Ben's thread", 1,
		"@ben@other.example @elelem are you late if only the clock says so?", fedisim.ReplyTo(top.post.ID))
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "unlisted")
	asked := s.model.Requests()[ask.model:]
	s.check(len(asked) == 1, "the model is asked once", "it was asked "+times(len(asked)))
	if len(asked) == 0 {
		return nil
	}
	last := asked[len(asked)-1]
	s.check(strings.Contains(last.System(), character), "the model is given the character of the configuration", last.System())
	var given []string
	for _, m := range last.Messages {
		given = append(given, m.Text)
	}
	ben := slices.IndexFunc(given, func(t string) bool { return strings.Contains(t, began) })
	ada := slices.IndexFunc(given, func(t string) bool { return strings.Contains(t, "are you late if only the clock says so?") })
	s.check(ben >= 0 && ada == len(given)-1 && ben < ada,
		"the model is given Ben's post and then Ada's question", strings.Join(given, " | "))
	s.check(strings.Contains(reply.Text, owl(last).Text), "the reply is in the model's words: "+owl(last).Text, reply.Text)
	if len(s.failed) == 0 {
		s.say("The model was given the character and the thread: Ben's post, then Ada's question.")
		s.say("The reply mentions only Ada, though her question mentioned Ben too, and is unlisted.")
	}
	return nil
}

func killedAfter(s *stage) error {
	hang := s.fedi.Inject(fedisim.Hang().Stored().On("POST", postPath))
	ask := s.post(s.ada, "Ada's question; the bot was killed after the server had stored the reply", 1,
		"@elelem what do you do when your spring runs down?", fedisim.CW("clockwork, existential"))
	if err := s.wait("the bot sends its reply", func() bool { return hang.Hits() == 1 && len(s.replies(ask)) == 1 },
		func() string { return counted(hang.Hits(), "reply", "replies") + " sent" }); err != nil {
		return err
	}
	s.say("The server has stored the reply, but has not answered yet.")
	mark, err := s.killAndRestart()
	if err != nil {
		return err
	}
	if err := s.wait("the bot looks for its reply on the server", func() bool { return s.searches(mark) > 0 },
		func() string { return "it has not looked" }); err != nil {
		return err
	}
	s.say("It looks on the server for the reply whose fate it does not know.")
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "unlisted")
	s.check(reply.CW == ask.post.CW, "the reply keeps the content warning “"+ask.post.CW+"”", "it has “"+reply.CW+"”")
	s.check(s.model.Count()-ask.model == 1, "the model is asked once", "it was asked "+times(s.model.Count()-ask.model))
	return nil
}

func killedBefore(s *stage) error {
	hold := s.fedi.Inject(fedisim.Hold().On("POST", postPath))
	ask := s.post(s.ada, "Ada's question; the bot was killed before the server had stored the reply", 1,
		"@elelem and who winds you up again?")
	if err := s.wait("the bot sends its reply", func() bool { return hold.Hits() == 1 },
		func() string { return "no reply sent" }); err != nil {
		return err
	}
	s.say("The server has the reply before it, but has stored nothing yet.")
	if _, err := s.killAndRestart(); err != nil {
		return err
	}
	s.say("It must not repeat the reply before it knows that the first one cannot appear any more: a few seconds.")
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "unlisted")
	s.check(s.model.Count()-ask.model == 1, "the model is asked once, and its words are kept", "it was asked "+times(s.model.Count()-ask.model))
	return nil
}

// killAndRestart kills the bot and starts it again. It returns where the log
// of requests stood between the two.
func (s *stage) killAndRestart() (mark int, err error) {
	if err := s.bot.kill(); err != nil {
		return 0, err
	}
	s.say("The bot is killed (as with kill -9), and started again.")
	mark = s.mark()
	return mark, s.startBot()
}

func fromBot(s *stage) error {
	bot := s.post(s.ticker, "the mention by Ticker, a bot", 0, "@elelem It is now 12 o'clock. Please confirm.")
	mark := s.mark()
	ask := s.post(s.ada, "Ada's question after it", 1, "@elelem do you ever sleep?")
	// The first read may have begun before the posts; the second has seen them.
	if err := s.wait("the bot reads its notifications twice more", func() bool { return s.looks(mark) >= 2 },
		func() string { return times(s.looks(mark)) }); err != nil {
		return err
	}
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "unlisted")
	n := len(s.replies(bot))
	s.check(n == 0, "no reply to another bot", counted(n, "reply", "replies"))
	for _, r := range s.model.Requests()[bot.model:] {
		s.check(!strings.Contains(r.LastUser(), bot.post.Text), "the model is not asked about it", r.LastUser())
	}
	if len(s.failed) == 0 {
		s.say("Ada's later question is answered; Ticker's mention, read before it, is not.")
	}
	return nil
}

func directly(s *stage) error {
	ask := s.post(s.ada, "Ada's direct question", 1, "@elelem between us: is the cuckoo really made of wood?", fedisim.As("direct"))
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "direct")
	for _, reader := range []struct {
		name, token string
		sees        bool
	}{{"Ada", s.ada.Token, true}, {"Cleo", s.cleo.Token, false}, {"somebody without an account", "", false}} {
		sees, err := s.canRead(reader.token, reply.ID)
		if err != nil {
			return err
		}
		if reader.sees {
			s.check(sees, reader.name+" can read the answer", "she cannot")
		} else {
			s.check(!sees, reader.name+" cannot read the answer", "it can be read")
		}
	}
	if len(s.failed) == 0 {
		s.say("Ada can read the answer. Cleo, on the same server, asks for it and is told that there is no such post.")
	}
	return nil
}

// canRead asks the server for a post, as a client with the token would.
func (s *stage) canRead(token, id string) (bool, error) {
	ctx, cancel := context.WithTimeout(s.ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.fedi.URL()+postPath+"/"+id, nil)
	if err != nil {
		return false, err
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp.StatusCode == http.StatusOK, err
}

func modelFails(s *stage) error {
	s.model.Inject(llmsim.Fault{Kind: llmsim.ServerError})
	ask := s.post(s.ada, "Ada's question; the model failed once", 1, "@elelem what is the time where you are?")
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "unlisted")
	n := s.model.Count() - ask.model
	s.check(n == 2, "the model is asked twice: it fails, then it answers", "it was asked "+times(n))
	return nil
}

func saysFailed(s *stage) error {
	s.fedi.Inject(fedisim.Fail(500).Stored().On("POST", postPath))
	mark := s.mark()
	ask := s.post(s.ada, "Ada's question; the server stored the reply and answered 500", 1, "@elelem does a clock know what it counts?")
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	if err := s.wait("the bot looks for its reply on the server", func() bool { return s.searches(mark) > 0 },
		func() string { return "it has not looked" }); err != nil {
		return err
	}
	s.say("The server answered 500 (Internal Server Error). The bot looked for its reply, and found it.")
	s.checkOne(ask, reply, "unlisted")
	return nil
}

func storedLate(s *stage) error {
	late := s.fedi.Inject(fedisim.Late(-1, false).On("POST", postPath))
	mark := s.mark() // it may look before the server has noticed that it is gone
	ask := s.post(s.ada, "Ada's question; the server stored the reply late", 1, "@elelem is late better than never?")
	if err := s.wait("the bot sends its reply and gives up waiting", func() bool { return late.Waiting() == 1 },
		func() string { return counted(late.Hits(), "reply", "replies") + " sent, none given up" }); err != nil {
		return err
	}
	s.say("The server did not answer, so the bot has given up waiting. Nothing is stored yet.")
	// It reads its posts and then the thread: a reply stored between the two
	// would be found by the same look.
	if err := s.wait("the bot looks for its reply on the server", func() bool { return s.lookedThrough(mark, ask.post.ID) },
		func() string { return "it has not looked" }); err != nil {
		return err
	}
	s.say("It has looked for its reply and found none. It waits; only now does the server store the reply.")
	mark = s.mark() // the look that finds it may come at once
	late.Release()
	if err := s.wait("the bot looks again", func() bool { return s.searches(mark) > 0 },
		func() string { return "it has not looked again" }); err != nil {
		return err
	}
	s.say("It looks again.")
	reply, err := s.answered(ask)
	if err != nil {
		return err
	}
	s.checkOne(ask, reply, "unlisted")
	return nil
}
