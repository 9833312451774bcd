package persona

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"rookery/internal/budget"
	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/llm"
	"rookery/internal/outbox"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/words"
)

func TestDiscordAnswerIsOneReplyThatNotifiesNobody(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("elelem: Hello <@501>, @everyone!")})
		for _, q := range []community.Post{w.ask(dora, "hello?"), w.ask(dora, "and in private?", direct), w.ask(emil, "and in a thread?", inThread)} {
			w.answer()
			if got := w.replies(q); len(got) != 1 || got[0] != "Hello someone, everyone!" {
				t.Errorf("%q: the replies are %q", q.Text, got)
			}
			if got := w.state(q); got != "done" {
				t.Errorf("%q is %s", q.Text, got)
			}
		}
		for _, sent := range w.sends {
			for _, part := range sent.payload.Parts {
				if len(part.Pings) != 0 || !part.NoPreviews {
					t.Errorf("a message that notifies, or shows what it links to: %+v", part)
				}
			}
		}
		for _, sent := range w.sends {
			if channel, _, _ := discord.MessageOf(sent.payload.ReplyTo); sent.payload.Channel != channel {
				t.Errorf("an answer stands elsewhere than the question: %+v", sent)
			}
		}
		w.modelCalls(3)
	})
}

func TestDiscordReplyChainIsTheMemory(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Seven.")})
		first := w.ask(emil, "I keep owls.")
		w.answer()
		ours := community.Post{ID: community.PostID(w.sends[0].id), Author: owl, Text: "Seven.", ParentID: first.ID, Visibility: community.Unlisted}
		w.posts[ours.ID] = ours
		last := w.ask(dora, "how many?", under(ours))
		w.answer()
		if len(w.replies(last)) != 1 {
			t.Fatal("no answer")
		}
		got := transcript(w.model.Requests()[1].Messages)
		for _, want := range []string{"<post by=\"Emil\">\nI keep owls.\n</post>", "[assistant] Seven.", "<post by=\"Dora\">\nhow many?\n</post>", "You are Elelem in a chat on Discord"} {
			if !strings.Contains(got, want) {
				t.Errorf("the model was not told %q:\n%s", want, got)
			}
		}
	})
}

// What we said in a conversation with one member stays known there, also the
// further messages of a long answer, which reply to nothing.
func TestDiscordDirectConversationIsRemembered(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tock.")})
		ours := community.Post{ID: "400/77", Author: owl, Text: "the second half of my tale", Visibility: community.Direct}
		w.posts[ours.ID] = ours
		w.ask(dora, "go on", direct, under(ours))
		w.answer()
		if got := transcript(w.model.Requests()[0].Messages); !strings.Contains(got, "[assistant] the second half of my tale") {
			t.Errorf("the model was told:\n%s", got)
		}
	})
}

func TestDiscordWithoutThePermissionToReadHistoryAnswersTheQuestionAlone(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		w.unread = &discord.Error{Class: discord.Forbidden, Code: 50001}
		q := w.ask(dora, "what time is it?", under(community.Post{ID: "300/1", Author: emil}))
		if n := w.answer(); n != 1 || len(w.replies(q)) != 1 {
			t.Errorf("%d answers, state %s", n, w.state(q))
		}
	})
}

func TestDiscordGuildDecides(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		const other = community.ChannelID("309")
		elsewhere := func(p *community.Post) { p.Place.Channel = other }
		for _, c := range []struct {
			name string
			set  []string
			by   []func(*community.Post)
			why  string // "" is answered
		}{
			{"turned off", []string{"enabled", "off"}, nil, "not turned it on"},
			{"any channel", nil, nil, ""},
			{"a channel that is allowed", []string{"channels", "<#300>"}, nil, ""},
			{"a thread of a channel that is allowed", []string{"channels", "300"}, []func(*community.Post){inThread}, ""},
			{"a thread that is itself allowed", []string{"channels", "301"}, []func(*community.Post){inThread}, ""},
			{"another channel", []string{"channels", "300"}, []func(*community.Post){elsewhere}, "other channels"},
			{"a channel that is blocked", []string{"not_channels", "300"}, nil, "not want it in that channel"},
			{"a thread of a channel that is blocked", []string{"not_channels", "300"}, []func(*community.Post){inThread}, "not want it in that channel"},
			{"a channel beside one that is blocked", []string{"not_channels", "300"}, []func(*community.Post){elsewhere}, ""},
			{"blocked wins", []string{"channels", "300", "not_channels", "300"}, nil, "not want it in that channel"},
			{"a role that is allowed", []string{"roles", "7 8"}, []func(*community.Post){roles("8")}, ""},
			{"no role that is allowed", []string{"roles", "7 8"}, []func(*community.Post){roles("9")}, "other roles"},
			{"no role at all", []string{"roles", "7"}, nil, "other roles"},
			{"a role that is blocked", []string{"not_roles", "7"}, []func(*community.Post){roles("7", "8")}, "nobody with a role"},
			{"a blocked role wins", []string{"roles", "8", "not_roles", "7"}, []func(*community.Post){roles("7", "8")}, "nobody with a role"},
			{"everybody's role is allowed", []string{"roles", "200"}, nil, ""},
			{"everybody's role is blocked", []string{"not_roles", "200"}, nil, "nobody with a role"},
			{"a direct message, whatever is set", []string{"enabled", "off", "not_channels", "400"}, []func(*community.Post){direct}, ""},
			{"another guild", nil, []func(*community.Post){func(p *community.Post) { p.Place.Guild = "201" }}, "not turned it on"},
		} {
			w := newTalk(t, emptiedTables(t, s), options{said: says("Tick.")}, c.set...)
			q := w.ask(dora, "hello?", c.by...)
			w.roles = map[community.MemberID][]community.RoleID{dora.ID: q.Place.Roles}
			w.answer()
			state := w.state(q)
			if c.why == "" && (state != "done" || len(w.replies(q)) != 1) || c.why != "" && (!strings.Contains(state, c.why) || w.model.Count() != 0) {
				t.Errorf("%s: %s", c.name, state)
			}
		}
	})
}

// emptiedTables makes the tables that one test after the other fills empty.
func emptiedTables(t *testing.T, s *store.Store) *store.Store {
	t.Helper()
	err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		for _, table := range []string{"settings_guild", "settings_value", "settings_audit", "budget_used", "budget_reserved", "outbox_remote", "inbox_mention", "inbox_cursor", "turns_waiting", "outbox_effect"} {
			if _, err := tx.Exec(ctx, "delete from "+table); err != nil {
				return fmt.Errorf("%s: %w", table, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// What a guild sets while a question waits holds for it.
func TestDiscordSettingsAreAskedAgainBeforeTheModel(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")}, "roles", "7")
		off, blocked, demoted, gone := w.ask(dora, "one", roles("7")), w.ask(dora, "two", roles("7"), func(p *community.Post) { p.Place.Channel = "302" }), w.ask(emil, "three", roles("7")), w.ask(owner, "four", roles("7"))
		w.chat.roles = map[community.MemberID][]community.RoleID{dora.ID: {"7"}, emil.ID: {"8"}}
		w.set("not_channels", "302")
		if n := w.answer(); n != 1 {
			t.Errorf("%d answers", n)
		}
		for q, want := range map[string]string{off.URI: "done", blocked.URI: "ignored: the guild does not want it in that channel",
			demoted.URI: "ignored: the guild has it answer other roles than its author's", gone.URI: "ignored: its author has left the guild"} {
			if got := w.state(community.Post{URI: q}); got != want {
				t.Errorf("%s: %s, not %s", q, got, want)
			}
		}
		last := w.ask(dora, "five", roles("7"))
		w.set("enabled", "off")
		w.answer()
		if got := w.state(last); got != "ignored: the guild has not turned it on" {
			t.Error(got)
		}
		w.modelCalls(1)
	})
}

var owner = community.Member{ID: "503", Handle: "503@discord", Acct: "owner", Name: "Owner"}

func TestDiscordBotsAndCommandsAndWhoHasStoppedUsGetNoAnswer(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var stopped string
		w := newTalk(t, s, options{said: says("Tick."), persona: func(c *Config) {
			c.Stopped = func(_ context.Context, _ inbox.Rows, handles ...string) (map[string]bool, error) {
				return map[string]bool{stopped: slices.Contains(handles, stopped)}, nil
			}
		}})
		bot := dora
		bot.Bot = true
		q := w.ask(bot, "beep")
		w.answer()
		if got := w.state(q); got != "ignored: from a bot" {
			t.Error(got)
		}
		if ok, why := w.persona.Wants(community.Mention{Account: theApp, Command: &community.Command{Name: "gif"}, Post: community.Post{Author: dora}}); ok || why == "" {
			t.Error("another feature's command is taken")
		}
		q = w.ask(dora, "hello?")
		stopped = "501@discord"
		w.answer()
		if got := w.state(q); got != "ignored: its author has told us to stop" {
			t.Error(got)
		}
		w.modelCalls(0)
	})
}

func TestDiscordLoopGuardHoldsThere(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		parent := community.Post{}
		for i := range 24 {
			p := community.Post{ID: discord.PostOf(theChannel, fmt.Sprint("1", i)), Author: emil, Text: "No, thank you, and the best of evenings!", ParentID: parent.ID, Visibility: community.Unlisted}
			w.posts[p.ID] = p
			parent = p
		}
		q := w.ask(dora, "No, thank you, and the best of evenings!!", under(parent))
		w.answer()
		if got := w.state(q); !strings.Contains(got, "goes round") {
			t.Error(got)
		}
		w.modelCalls(0)
	})
}

func TestDiscordLongAnswersAreSplit(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		sentence := "Tea is half of the answer, and the other half is owls. "
		for _, c := range []struct {
			thread   bool
			set      string
			words    int // of the answer, in sentences
			messages int
		}{{false, "0", 20, 1}, {false, "0", 60, 2}, {false, "0", 400, 2}, {true, "0", 400, 4}, {true, "3", 400, 3}, {false, "1", 400, 1}, {false, "9", 400, 2}} {
			w := newTalk(t, emptiedTables(t, s), options{said: says(strings.Repeat(sentence, c.words)), persona: func(p *Config) { p.Thread, p.MaxPosts = c.thread, 4 }}, "messages", c.set)
			q := w.ask(dora, "tell me everything")
			w.answer()
			got := w.replies(q)
			if len(got) != c.messages {
				t.Errorf("%+v: %d messages", c, len(got))
			}
			for _, text := range got {
				if discord.Length(text) > discord.MaxContent {
					t.Errorf("%+v: a message of %d", c, discord.Length(text))
				}
			}
			if cut := strings.HasSuffix(got[len(got)-1], "…"); cut != (c.words == 400) {
				t.Errorf("%+v: it ends %q", c, got[len(got)-1][len(got[len(got)-1])-20:])
			}
		}
	})
}

func TestDiscordMayNotWriteThere(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		w.missing = discord.SendMessages
		known := w.ask(dora, "known beforehand")
		w.answer()
		w.modelCalls(0)
		w.missing, w.refuse = 0, discord.ReasonForbidden
		late := w.ask(dora, "learned too late")
		w.answer()
		w.answer()
		for _, q := range []community.Post{known, late} {
			if got := w.state(q); got != "failed: forbidden" {
				t.Error(got)
			}
		}
		if fmt.Sprint(w.forbidden) != "[300 300]" || len(w.refused) != 0 {
			t.Errorf("told of %v and %v", w.forbidden, w.refused)
		}
		w.modelCalls(1)
	})
}

func TestDiscordWhatIsGoneIsClosed(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		deleted := w.ask(dora, "never mind")
		delete(w.posts, deleted.ID)
		w.answer()
		w.modelCalls(0)
		w.refuse = discord.ReasonGone
		while := w.ask(dora, "deleted while it was answered")
		w.answer()
		w.refuse, w.away, w.removed = "", true, true
		removed := w.ask(dora, "and then they removed us")
		w.answer()
		for _, q := range []community.Post{deleted, while, removed} {
			if got := w.state(q); !strings.HasPrefix(got, "gone: ") {
				t.Errorf("%q: %s", q.Text, got)
			}
		}
		if len(w.refused)+len(w.forbidden) != 0 {
			t.Error("somebody was told")
		}
		w.modelCalls(1)
	})
}

// A process that has just started knows no guild yet. That is no reason to
// give anything up.
func TestDiscordGuildThatIsNotKnownYetIsAnswered(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		w.away = true
		q := w.ask(dora, "awake?")
		w.answer()
		if got := w.state(q); got != "done" {
			t.Error(got)
		}
	})
}

func TestDiscordTroubleKeepsTheQuestion(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		until := w.clock.Now().Add(90 * time.Second)
		w.unread = fmt.Errorf("read the thread: %w", &discord.Error{Class: discord.Rate, RetryAt: until})
		q := w.ask(dora, "hello?")
		if _, err := w.persona.Answer(t.Context(), theApp, -1); err == nil || !w.persona.askedFor(err).Equal(until) {
			t.Errorf("error %v", err)
		}
		if got := w.state(q); got != "waiting" {
			t.Error(got)
		}
		w.unread = nil
		w.clock.Advance(10 * time.Minute)
		w.answer()
		if got := w.state(q); got != "done" {
			t.Error(got)
		}
	})
}

func TestDiscordBudgetOfAGuild(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick."), persona: func(c *Config) {
			l := unlimited()
			l.TokensPerGuild = 1_000
			c.Budget.Limits = l
		}})
		there := func(p *community.Post) { p.Place.Guild = "201" }
		w.setIn("201", "enabled", "on")
		var told []string
		for i := range 12 {
			q := w.ask([]community.Member{dora, emil}[i%2], fmt.Sprintf("question %d?", i))
			w.answer()
			for _, text := range w.replies(q) {
				if text != "Tick." {
					told = append(told, text)
				}
			}
		}
		if len(told) != 2 { // each of the two, once
			t.Errorf("told %q", told)
		}
		for _, text := range told {
			if !strings.Contains(text, "This server's budget for today is used up") || !strings.Contains(text, "<t:1795219200:f>") {
				t.Errorf("told %q", text)
			}
		}
		for _, q := range []community.Post{w.ask(dora, "in another guild?", there), w.ask(dora, "in private?", direct)} {
			w.answer()
			if got := w.replies(q); len(got) != 1 || got[0] != "Tick." {
				t.Errorf("%q: %q", q.Text, got)
			}
		}
	})
}

func (w *talkIn) setIn(guild community.GuildID, name, value string) {
	w.Helper()
	if _, err := w.book.Set(w.Context(), formFor(guild, name, value)); err != nil {
		w.Fatal(err)
	}
}

func TestDiscordGuildGivesEachMemberSoManyAnswers(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")}, "replies_per_member", "2")
		var got []string
		for range 4 {
			q := w.ask(dora, "again?")
			w.answer()
			got = append(got, w.replies(q)...)
		}
		if len(got) != 3 || !strings.Contains(got[2], "Your answers on this server are used up for today (there are 2 a day)") {
			t.Errorf("the replies: %q", got)
		}
		for _, q := range []community.Post{w.ask(emil, "and I?"), w.ask(dora, "in private?", direct)} {
			w.answer()
			if got := w.replies(q); len(got) != 1 || got[0] != "Tick." {
				t.Errorf("%q: %q", q.Text, got)
			}
		}
		w.clock.Advance(24 * time.Hour)
		q := w.ask(dora, "today?")
		w.answer()
		if got := w.replies(q); len(got) != 1 || got[0] != "Tick." {
			t.Errorf("the next day: %q", got)
		}
	})
}

func TestDiscordNoticeThatIsRefusedIsNoTrouble(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{persona: func(c *Config) { c.Budget.Limits.TokensPerDay = 0 }})
		w.refuse = discord.ReasonForbidden
		q := w.ask(dora, "hello?")
		w.answer()
		if got := w.state(q); !strings.HasPrefix(got, "declined: ") || len(w.forbidden)+len(w.refused) != 0 {
			t.Errorf("%s; told %v %v", got, w.forbidden, w.refused)
		}
	})
}

func TestDiscordPatienceIsAskedForOnceAndTheAnswerFollows(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		q := w.ask(dora, "hello?")
		for range 3 {
			w.model.Inject(llmsim.Fault{Kind: llmsim.Unavailable})
			w.clock.Advance(20 * time.Minute)
			if _, err := w.persona.Answer(t.Context(), theApp, -1); llm.ClassOf(err) == "" {
				t.Fatalf("the model is not down: %v", err)
			}
			if _, err := w.outbox.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.replies(q); len(got) != 1 || !strings.Contains(got[0], "I cannot think right now") {
			t.Fatalf("told %q", got)
		}
		w.model.ClearFaults()
		w.clock.Advance(20 * time.Minute)
		w.answer()
		if got := w.replies(q); len(got) != 2 || got[1] != "Tick." {
			t.Errorf("the replies: %q", got)
		}
	})
}

func TestDiscordAnswerThatStandsIsNotGivenAgain(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		q := w.ask(dora, "hello?")
		// Of a database that was restored from a backup since.
		w.sends = append(w.sends, sending{id: "300/91", payload: discord.Send{ReplyTo: q.ID}, text: "Tick."})
		w.answer()
		if got := w.state(q); !strings.Contains(got, "holds our answer") {
			t.Error(got)
		}
		w.modelCalls(0)
	})
}

func TestDiscordAnswersAreDeletedByTheirOwnKind(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick.")})
		q := w.ask(dora, "hello?")
		w.answer()
		records := []inbox.Record{{ID: inbox.IDOf(theApp, q), Account: theApp, Feature: Name}}
		n := 0
		err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
			n, err = w.persona.DeleteAnswers(ctx, tx, inbox.Member{}, records)
			return err
		})
		if err != nil || n != 1 {
			t.Fatalf("%d planned, %v", n, err)
		}
		w.answer()
		if len(w.sends) != 0 {
			t.Errorf("it still stands: %+v", w.sends)
		}
	})
}

func TestDiscordAnswerThatIsTooLongIsHalvedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tea is good. Owls are better.")})
		w.refuse = discord.ReasonTooLong
		q := w.ask(dora, "hello?")
		if _, err := w.persona.Answer(t.Context(), theApp, -1); err != nil {
			t.Fatal(err)
		}
		w.refuse = ""
		w.answer()
		if got := w.replies(q); len(got) != 1 || got[0] != "Tea is good." || w.state(q) != "done" {
			t.Errorf("%q, %s", got, w.state(q))
		}
	})
}

func TestDiscordQuotaTellsWhatIsUsed(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newTalk(t, s, options{said: says("Tick."), persona: func(c *Config) {
			l := unlimited()
			l.RepliesPerMember, l.TokensPerMember, l.MoneyPerDay = 20, 50_000, 5_000_000
			c.Budget = budget.New(budget.Config{Store: s, Clock: c.Clock, Log: c.Log, Limits: l, Currency: "EUR",
				Prices: budget.Prices{Prompt: 1_000_000, Completion: 1_000_000, Set: true}})
		}}, "replies_per_member", "5")
		w.ask(dora, "hello?")
		w.ask(emil, "hello?")
		w.ask(dora, "in private?", direct)
		w.answer()
		here := community.Place{Guild: theGuild, Channel: theChannel}
		member, manager, private := w.quota(words.English, 0, here), w.quota(words.Russian, discord.ManageGuild, here), w.quota(words.English, 0, community.Place{Channel: conversed})
		for _, want := range []string{"Today you have used:\nAnswers: 2 of 20\nOf these on this server: 1 of 5\nTokens", " of 50,000\nMoney: 0.00", " EUR, without a limit", "<t:1795219200:R>", "All members share"} {
			if !strings.Contains(member, want) {
				t.Errorf("a member is told nothing of %q:\n%s", want, member)
			}
		}
		if strings.Contains(member, "all members of this server") || strings.Contains(private, "server") {
			t.Errorf("what is the guild's is told to others:\n%s\n%s", member, private)
		}
		for _, want := range []string{"Сегодня вы потратили:\nОтветы: 2 из 20\nИз них на этом сервере: 1 из 5", "все участники этого сервера", "без ограничений"} {
			if !strings.Contains(manager, want) {
				t.Errorf("who manages the guild is told nothing of %q:\n%s", want, manager)
			}
		}
		if on := w.persona.Commands()[0].On; !on(t.Context(), theGuild) || on(t.Context(), "201") {
			t.Error("the command is where the persona is not, or not where it is")
		}
		w.persona.Budget = nil
		if got := w.quota(words.English, 0, here); !strings.HasPrefix(got, "Nothing is counted") {
			t.Error(got)
		}
	})
}

// Without Discord the feature does not pick what is left of it.
func TestDiscordThatIsNotJoinedIsNotLoggedIn(t *testing.T) {
	t.Parallel()
	var g guilds
	if _, err := g.Self(theApp); err == nil {
		t.Error("logged in")
	}
	if r, err := g.sent(outbox.Result{Payload: []byte(`{"channel":"1","reply_to":"1/2","parts":[{"content":"a"}]}`), Reason: outbox.ReasonExpired}); err != nil || r.post != "1/2" {
		t.Error(r, err)
	}
}
