package sandbox

import (
	"fmt"
	"slices"
	"strings"

	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// persona is the story of a character among people: what it costs, whom it
// leaves alone, what it tells nobody, and what it does in trouble.
func persona() story {
	return story{
		name:    "persona",
		summary: "a character among people: fair, within its budget, discreet, deaf to commands in posts, and it forgets who asks it to",
		intro: []string{
			"Elelem, the clockwork owl, lives among people: some ask too much, some want to be left alone, one means mischief.",
			"The bot is the real program on an ordinary configuration; its server and its language model are simulated here.",
			"Olga runs it. She gives it little to spend, pauses it, and hears of what needs her; twice the bot is killed.",
		},
		settings: ordinary(),
		steps: []step{
			{"The bot starts and looks for mentions", startsForOlga},
			{"One asks much, others ask once: everyone is answered before he is answered again", fairly},
			{"The day's answers are used up: one direct notice, others are still answered, Olga is told", withinBudget},
			{"A long thread goes round in circles: silence, but a fresh question is answered", roundInCircles},
			{"“stop” is heeded until “start”, and “help” is answered", stopAndStart},
			{"What was not written for everyone stays from the model", discreetly},
			{"A post that gives orders, to a model that obeys: only its author is mentioned", ordered},
			{"A link to a private address is not fetched, and the question is answered", privateLink},
			{"The key is refused, then the model is down: Olga and the asker are told once, and the answer comes", modelDown},
			{"“my data”, “delete answers”, “forget me”, and a kill in between: gone, and confirmed once", forgotten},
			{"Paused with the command: nothing leaves; resumed: all of it does", pausedAndResumed},
			{"Killed while the model thinks: one reply", killedThinking},
			{"Killed while replying, after the server stored the reply: still one reply", killedAfter},
		},
	}
}

// ordinary is the configuration of most of the story. A failed request to the
// model is tried again by the bot, not within the request, so that the story
// sees each; and askers are told soon that it takes longer.
func ordinary() settings {
	return settings{
		llm:      []string{`retries = 0`, `max_tokens = 120`},
		persona:  []string{`parallel = 1`, `notice_after = "1s"`},
		operator: []string{`fediverse = "@olga@` + domain + `"`},
	}
}

func startsForOlga(s *stage) error {
	s.guest("olga")
	return starts(s)
}

// fairly has Ben ask a lot while the model is slow, and others once.
func fairly(s *stage) error {
	s.mind.hold()
	defer s.mind.release()
	before := len(s.fedi.PostsBy(s.elelem.ID))
	first := s.post(s.cleo, "Cleo's question, asked first", 1, "@elelem how long does it take you to think?")
	thinking := func() int { return s.model.Count() - first.model }
	if err := s.wait("the model is asked", func() bool { return thinking() == 1 }, func() string { return "it was asked " + times(thinking()) }); err != nil {
		return err
	}
	s.say("The model takes its time over that.")
	var bens []*question
	for i, text := range []string{"why is the clock fast", "who set it", "who will set it back", "and why does nobody answer me"} {
		bens = append(bens, s.post(s.ben, fmt.Sprintf("Ben's question %d of 4", i+1), 1, "@elelem@"+domain+" "+text+"?"))
	}
	others := []*question{
		s.post(s.ada, "Ada's one question", 1, "@elelem what rhymes with pendulum?"),
		s.post(s.guest("dora"), "Dora's one question", 1, "@elelem may one wind a clock on a Sunday?"),
		s.post(s.guest("emil"), "Emil's one question", 1, "@elelem which hour is the nicest?"),
	}
	all := slices.Concat([]*question{first}, bens, others)
	if err := s.takenIn(); err != nil {
		return err
	}
	s.check(thinking() == 1, "one question at a time goes to the model (parallel = 1)", "it was asked "+times(thinking()))
	s.mind.release()
	s.say("Now the model answers.")
	answers := func() []fedisim.Post { return s.fedi.PostsBy(s.elelem.ID)[before:] }
	if err := s.wait("all of them are answered", func() bool { return len(answers()) >= len(all) },
		func() string { return counted(len(answers()), "answer", "answers") }); err != nil {
		return err
	}
	place := map[string]int{} // of the answer to a post
	for i, p := range answers() {
		place[p.InReplyTo] = i + 1
		s.say("Answer %d is to @%s.", i+1, strings.Join(p.Mentions, ", "))
	}
	var order []int // of those to Ben
	for _, q := range bens {
		order = append(order, place[q.post.ID])
	}
	slices.Sort(order)
	for _, q := range others {
		s.check(place[q.post.ID] < order[1], q.what+" is answered before Ben's second",
			fmt.Sprintf("it was answer %d, and Ben's were %v", place[q.post.ID], order))
	}
	for _, q := range all {
		if r := s.replies(q); len(r) > 0 {
			s.checkOne(q, r[0], "unlisted")
		}
	}
	return nil
}

// withinBudget lets the budget be small for a while.
func withinBudget(s *stage) error {
	const answers = 3
	used, made := s.mind.cost()
	if made == 0 {
		return &unmet{"the model has answered before", "it has not"}
	}
	// Four fifths of it are used when this step's fourth answer is made, at the latest.
	tokens := (used + answers*used/made) * 5 / 4
	small := ordinary()
	small.budget = []string{fmt.Sprintf("replies_per_member = %d", answers), fmt.Sprintf("tokens_per_day = %d", tokens)}
	s.say("Olga allows %d answers a member and %d tokens a day, of which %d are used, and restarts the bot.", answers, tokens, used)
	if err := s.restart(small); err != nil {
		return err
	}
	ida := s.guest("ida")
	for i, text := range []string{"is a minute longer in winter?", "and an hour?", "and what about the night?"} {
		ask := s.post(ida, fmt.Sprintf("Ida's question %d of %d that she may ask", i+1, answers), 1, "@elelem "+text)
		reply, err := s.answered(ask)
		if err != nil {
			return err
		}
		s.checkOne(ask, reply, "unlisted")
	}
	fourth := s.post(ida, "Ida's fourth question: only a notice", 1, "@elelem and the week after next?")
	if err := s.wait("a notice", func() bool { return len(s.replies(fourth)) > 0 }, func() string { return "no reply" }); err != nil {
		return err
	}
	notice := s.replies(fourth)[0]
	s.say("Elelem tells her: %s", notice.Text)
	renews := tomorrow()
	s.checkOne(fourth, notice, "direct")
	s.checkSays(notice, ida, words.PersonaBudgetMember, words.Args{"n": answers, "limit": answers, "time": renews})
	fifth := s.post(ida, "Ida's fifth question: nothing more", 0, "@elelem hello?")
	if err := s.takenIn(); err != nil {
		return err
	}
	quota, err := s.command(ida, "quota")
	if err != nil {
		return err
	}
	s.checkSays(quota, ida, words.MyDataQuota, words.Args{"n": answers, "used": answers, "limit": answers, "time": renews})
	s.check(len(s.replies(fifth)) == 0, "no second notice", counted(len(s.replies(fifth)), "reply", "replies"))
	s.check(s.model.Count() == fourth.model, "the model is not asked once the answers are used up", "it was asked "+times(s.model.Count()-fourth.model)+" more")

	jon := s.post(s.guest("jon"), "Jon's question after that", 1, "@elelem does she always ask this much?")
	reply, err := s.answered(jon)
	if err != nil {
		return err
	}
	s.checkOne(jon, reply, "unlisted")
	now, _ := s.mind.cost()
	s.check(now*5 >= tokens*4, "80 % of the tokens are used by now", fmt.Sprintf("%d of %d", now, tokens))
	if err := s.olgaIsTold("of the budget", "80 %", words.English.Say(words.OperatorScopeTokens, nil)); err != nil {
		return err
	}
	s.say("Olga allows the usual again.")
	return s.restart(ordinary())
}

// roundInCircles is a thread of two who say the same again and again.
func roundInCircles(s *stage) error {
	const length = 22
	said := []string{"Is the station clock still fast? I think it is still fast.", "It is four minutes fast, as it was before you asked me."}
	dora := s.guest("dora")
	thread := s.fedi.Thread(length, func(i int) fedisim.Line {
		return fedisim.Line{By: []*fedisim.Account{s.ben, dora}[i%2], Text: said[i%2]}
	})
	s.say("Ben and Dora tell each other the same, in a thread of %d posts: “%s” “%s”", length, said[0], said[1])
	again := s.post(s.ada, "Ada's repetition in a thread that goes round", 0, "@elelem It is four minutes fast, as it was before you asked me!",
		fedisim.ReplyTo(thread[length-1].ID))
	if err := s.takenIn(); err != nil {
		return err
	}
	fresh := s.post(s.ada, "Ada's fresh question in the same thread", 1, "@elelem how would one get the two of them to go home?", fedisim.ReplyTo(again.post.ID))
	reply, err := s.answered(fresh)
	if err != nil {
		return err
	}
	s.checkOne(fresh, reply, "unlisted")
	s.check(len(s.replies(again)) == 0, "no reply to the repetition", counted(len(s.replies(again)), "reply", "replies"))
	asked := s.model.Requests()[again.model:]
	s.check(len(asked) == 1 && strings.Contains(asked[0].LastUser(), "go home"), "the model is asked once, the fresh question", "it was asked "+times(len(asked)))
	if len(s.failed) == 0 {
		s.say("The repetition, which had been there first, gets no answer. The model was asked once.")
	}
	return nil
}
