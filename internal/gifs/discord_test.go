package gifs

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/inbox"
	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

// A command is answered with one picture: alt text as the file's description,
// credit and source without a preview, nobody pinged.
func TestCommandShowsAPicture(t *testing.T) {
	eachGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, picture([]string{"dancing", "rainbow_dash"}, by("some*one* @everyone <@1>"), sized(320, 200)))
		in := w.slash(w.general, "dancing")
		if out := in.Now(); !out.Loading || out.Ephemeral {
			t.Fatalf("%+v", out)
		}
		w.work()
		m := w.only(w.general)
		contains(t, m.Content, `By some\*one\* `, "Source: <"+w.board.URL()+"/images/1>")
		if len(m.Embeds) > 0 || m.MentionsEveryone || len(m.Mentions)+len(m.Pinged) > 0 {
			t.Errorf("%+v", m)
		}
		if len(m.Attachments) != 1 || m.Attachments[0].Description != "Animated GIF: dancing, rainbow dash" || strings.Contains(m.Attachments[0].Name, "SPOILER") || m.Attachments[0].ContentType != "image/gif" {
			t.Errorf("%+v", m.Attachments)
		}
		if m.Interaction == nil || m.Interaction["id"] != in.ID {
			t.Errorf("it is no answer to the command: %+v", m.Interaction)
		}
		w.are("done 1")
		w.work()
		w.only(w.general)
		for _, table := range []string{"gifs_choice", "turns_waiting", "discord_file", "discord_file_chunk"} {
			var n int64
			if err := s.QueryRow(t.Context(), "select count(*) from "+table).Scan(&n); err != nil || n != 0 {
				t.Errorf("%d rows are left in %s, %v", n, table, err)
			}
		}
	})
}

// The bot, mentioned with the word, replies to the message; what does not
// begin with the word is for others.
func TestMentionShowsAPicture(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, picture([]string{"dancing", "cat"}))
		other := w.say(w.general, "how are you?")
		asked := w.say(w.general, "gif dancing cat")
		w.work()
		m := w.only(w.general)
		if m.ReplyTo != asked || m.ReplyTo == other || len(m.Attachments) != 1 || len(m.Pinged) > 0 {
			t.Errorf("%+v", m)
		}
		w.are("done 1, ignored 1")
	})
}

// ⚠ NSFW is shown only in a channel that is age-restricted, of a guild that
// wants it: everywhere else who asks is told so, privately, and no board hears
// of it.
func TestNSFWOnlyInAgeRestrictedChannels(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, picture([]string{"cat"}, rated(boorusim.Explicit)))
		nsfw := discordsim.Args{"nsfw": true}
		contains(t, w.private(w.slash(w.adult, "cat", nsfw)), "turned off on this server")
		contains(t, w.private(w.slash(w.adult, "nsfw cat")), "turned off on this server")
		w.set("nsfw", "on")
		contains(t, w.private(w.slash(w.general, "cat", nsfw)), "only in age-restricted channels")
		contains(t, w.private(w.slash(w.general, "cat, nsfw")), "only in age-restricted channels")
		contains(t, w.private(w.slash(w.general, `"cat`, nsfw)), "only in age-restricted channels")
		contains(t, w.private(w.slash(w.sim.DMChannel(w.ada), "cat", nsfw)), "no NSFW pictures in direct messages")
		if n := w.board.Count(); n != 0 {
			t.Errorf("the board was asked %d times", n)
		}
		w.are("")
		w.say(w.general, "gif nsfw cat") // a mention is told so in the channel
		w.work()
		contains(t, w.only(w.general).Content, "only in age-restricted channels")
		w.slash(w.adult, "cat", nsfw)
		w.work()
		m := w.only(w.adult)
		if len(m.Attachments) != 1 || !strings.HasPrefix(m.Attachments[0].Name, "SPOILER_") || !strings.HasPrefix(m.Attachments[0].Description, "NSFW animated GIF: cat") {
			t.Errorf("%+v", m.Attachments)
		}
		w.noPictures(w.general, w.sim.DMChannel(w.ada))
	})
}

// ⚠ A thread is age-restricted if its channel is.
func TestNSFWInThreads(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, picture([]string{"cat"}, rated(boorusim.Explicit)))
		w.set("nsfw", "on")
		for channel, want := range map[string]int{w.general: 0, w.adult: 1} {
			thread, err := w.sim.StartThread(w.ada, channel, "", "cats")
			if err != nil {
				t.Fatal(err)
			}
			if err := w.sim.WaitDelivered(w.patience()); err != nil {
				t.Fatal(err)
			}
			w.slash(thread, "cat", discordsim.Args{"nsfw": true})
			w.work()
			shown := 0
			for _, m := range w.answers(thread) {
				shown += len(m.Attachments)
			}
			if shown != want {
				t.Errorf("%d pictures in a thread, not %d", shown, want)
			}
		}
	})
}

// ⚠ A channel that is age-restricted no more gets words, however far the
// request has come: before its turn, while the file is fetched, and while the
// answer waits to be sent.
func TestChannelLosesItsAgeRestriction(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, picture([]string{"cat"}, rated(boorusim.Explicit)))
		w.set("nsfw", "on")
		lost := func() {
			w.sim.SetNSFW(w.adult, false)
			w.waitUntil("the bot knows", func() bool {
				c, err := w.discord.Channel(t.Context(), community.ChannelID(w.adult))
				return err == nil && !c.AgeRestricted
			})
		}
		regained := func() {
			w.sim.SetNSFW(w.adult, true)
			w.waitUntil("the bot knows", func() bool {
				c, err := w.discord.Channel(t.Context(), community.ChannelID(w.adult))
				return err == nil && c.AgeRestricted
			})
		}
		ask := discordsim.Args{"nsfw": true}

		first := w.slash(w.adult, "cat", ask)
		lost()
		w.work()
		contains(t, first.Now().Message.Content, "only in age-restricted channels")
		if w.board.Count() != 0 {
			t.Error("the board was asked")
		}

		regained()
		second := w.slash(w.adult, "cat", ask)
		w.board.Inject(boorusim.Fault{Kind: boorusim.Hang, Files: true})
		var wg sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		wg.Go(func() { _, _ = w.gifs.Answer(ctx, w.account, -1) })
		w.waitUntil("the file is fetched", func() bool { return len(w.board.Files()) == 1 })
		lost()
		cancel()
		wg.Wait()
		w.work()
		contains(t, second.Now().Message.Content, "only in age-restricted channels")

		regained()
		w.slash(w.adult, "cat", ask)
		w.sim.Inject(discordsim.FailPage(403).On("PATCH", "/webhooks/**").Always())
		_, _ = w.gifs.Answer(t.Context(), w.account, -1) // planned, and not sent
		lost()
		w.sim.ClearFaults()
		w.clock.Advance(2 * time.Hour)
		w.work()
		all := w.answers(w.adult) // the token is dead: a message in the channel
		contains(t, all[len(all)-1].Content, "only in age-restricted channels")
		if len(all) != 3 {
			t.Errorf("%d answers, not three", len(all))
		}
		w.noPictures(w.adult)
	})
}

func (w *guildWorld) waitUntil(what string, cond func() bool) {
	w.Helper()
	give := time.After(20 * time.Second)
	for !cond() {
		select {
		case <-give:
			w.Fatalf("waited in vain until %s", what)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// Where pictures were just turned off, or never on in that channel, a command
// is told so and a mention is left alone; what was taken before ends with words.
func TestTurnedOff(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, picture([]string{"cat"}))
		thread, err := w.sim.StartThread(w.ada, w.general, "", "cats")
		if err != nil {
			t.Fatal(err)
		}
		w.set("not_channels", w.general)
		contains(t, w.private(w.slash(w.general, "cat")), "turned off here")
		contains(t, w.private(w.slash(thread, "cat")), "turned off here")
		w.set("not_channels", "none")
		w.set("channels", w.adult)
		contains(t, w.private(w.slash(w.general, "cat")), "turned off here")
		w.say(w.general, "gif cat")
		w.set("channels", "none")

		before := w.slash(w.general, "cat")
		mention := w.say(w.general, "gif cat")
		w.set("enabled", "off")
		w.say(w.general, "gif cat")
		w.work()
		contains(t, before.Now().Message.Content, "turned off here")
		if m := w.only(w.general); m.ReplyTo == mention {
			t.Errorf("%+v", m)
		}
		w.are("done 1, ignored 3")
		w.noPictures(w.general)
	})
}

// ⚠ What members write is said back without pings, links or formats.
func TestWordsCannotPingOrFormat(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil)
		for _, text := range []string{"**bold** <@" + w.ben + "> @everyone", "[a](https://evil.example) ||x||", "<#" + w.general + "> # head", "https://evil.example/x", "`code` ~~x~~ discord.gg/abc"} {
			in := w.slash(w.general, text)
			w.work()
			m := in.Now().Message
			contains(t, m.Content, "I looked for")
			if len(m.Pinged)+len(m.Mentions) > 0 || m.MentionsEveryone || len(m.Embeds) > 0 {
				t.Errorf("%q: %+v", text, m)
			}
			for _, bad := range []string{" **", "“**", "<@" + w.ben, "<#", "https://", " ||", "“`"} {
				if strings.Contains(m.Content, bad) {
					t.Errorf("%q has %q", m.Content, bad)
				}
			}
		}
	})
}

// The blocklist, a full queue and who wants to be left alone are told at once,
// and nothing is stored.
func TestRefusedAtOnce(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		var outcomes []string
		w := newGuild(t, s, func(c *Config) {
			c.Queue = 2
			c.Observe = func(o string) { outcomes = append(outcomes, o) }
		}, many(9)...)
		contains(t, w.private(w.slash(w.general, "cat gore")), "never show")
		w.slash(w.general, "cat")
		w.slash(w.general, "cat")
		contains(t, w.private(w.slash(w.general, "cat")), "2 requests of yours are waiting")
		w.are("waiting 2")
		if got := strings.Join(outcomes, " "); got != "refused over" {
			t.Errorf("%q", got)
		}
		w.work()
		w.are("done 2")
	})
}

// Who asked can have the picture deleted, and moderators can; strangers are
// told that they cannot.
func TestDeleteButton(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(9)...)
		mod := w.sim.AddUser("mod")
		w.sim.Join(w.guild, mod, w.sim.AddRole(w.guild, "mods", discordsim.ManageMessages))
		for _, who := range []string{w.ada, mod} {
			w.slash(w.general, "cat")
			w.work()
			m := w.only(w.general)
			ids := buttons(m)
			if len(ids) != 1 {
				t.Fatalf("%q", ids)
			}
			press := func(user string) *discordsim.Interaction {
				in, err := w.sim.PressButton(user, m.ID, ids[0])
				if err != nil {
					t.Fatal(err)
				}
				if _, err := in.Wait(w.patience()); err != nil {
					t.Fatal(err)
				}
				return in
			}
			contains(t, press(w.ben).Now().Message.Content, "Only who asked")
			w.work()
			w.only(w.general)
			press(who)
			press(who)
			if _, err := w.outbox.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n := len(w.answers(w.general)); n != 0 {
				t.Errorf("%d messages stand", n)
			}
		}
	})
}

// A command in a direct message needs no guild's leave.
func TestDirectMessage(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(3)...)
		channel := w.sim.DMChannel(w.ada)
		in := w.slash(channel, "")
		w.work()
		if m := in.Now().Message; m == nil || len(m.Attachments) != 1 {
			t.Errorf("%+v", m)
		}
		if _, _, err := w.sim.DM(w.ada, "gif cat"); err != nil {
			t.Fatal(err)
		}
		w.taken(`uri like 'discord:message:%'`)
		w.work()
		w.are("done 2")
	})
}

// Without the permission to send files a mention is told which one it is.
func TestMayNotSendFiles(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(3)...)
		bare := w.sim.AddChannel(w.guild, "bare", discordsim.Text, discordsim.Deny(w.sim.BotRole(w.guild), discordsim.AttachFiles), discordsim.Deny(w.guild, discordsim.AttachFiles))
		w.say(bare, "gif cat")
		w.work()
		contains(t, w.only(bare).Content, "Attach Files")
	})
}

// A message that was deleted before its turn is not answered.
func TestMessageIsGone(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(3)...)
		id := w.say(w.general, "gif cat")
		if err := w.sim.DeleteMessage(id); err != nil {
			t.Fatal(err)
		}
		w.work()
		w.are("gone 1")
		if len(w.answers(w.general)) > 0 {
			t.Error("it was answered")
		}
	})
}

// The bot is removed from the guild while a request of each kind is under way:
// a mention can not be answered any more, a command's token still lives, and
// nothing is tried for ever.
func TestRemovedFromTheGuildMeanwhile(t *testing.T) {
	eachGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(3)...)
		w.say(w.general, "gif cat")
		in := w.slash(w.general, "cat")
		w.sim.Kick(w.guild, w.sim.AppID())
		w.work()
		w.are("done 1, failed 1")
		if m := w.only(w.general); m.Interaction == nil || m.Interaction["id"] != in.ID {
			t.Errorf("in a guild that it was removed from it wrote %+v", m)
		}
	})
}

// ⚠ No picture slips out after "stop", however long the board takes.
func TestStopWhileThePictureIsFetched(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		var stopped atomic.Bool
		w := newGuild(t, s, func(c *Config) {
			c.Stopped = func(_ context.Context, _ inbox.Rows, handles ...string) (map[string]bool, error) {
				return map[string]bool{handles[0]: stopped.Load()}, nil
			}
		}, picture([]string{"cat"}))
		w.say(w.general, "gif cat")
		w.board.Inject(boorusim.Fault{Kind: boorusim.Slow, Files: true, Delay: 300 * time.Millisecond})
		var answering sync.WaitGroup
		answering.Go(func() { _, _ = w.gifs.Answer(t.Context(), w.account, -1) })
		w.waitUntil("the board has searched", func() bool { return len(w.board.Searches()) == 1 })
		stopped.Store(true)
		answering.Wait()
		w.noPictures(w.general)
		w.are("ignored 1")
	})
}

// The link of a picture that is not safe does not wait until its channel may be
// another one.
func TestLinkOfAnUnsafePictureDoesNotWaitLong(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, picture([]string{"cat"}, rated(boorusim.Explicit), served(map[string]boorusim.File{boorusim.All: {Kind: boorusim.MissingFile}})))
		w.set("nsfw", "on")
		w.slash(w.adult, "cat", discordsim.Args{"nsfw": true})
		w.sim.Inject(discordsim.FailPage(403).On("PATCH", "/webhooks/**").Always())
		for range 6 {
			_, _ = w.gifs.Answer(t.Context(), w.account, -1) // its trouble is what the test makes
			w.clock.Advance(time.Minute)
		}
		w.sim.ClearFaults()
		w.clock.Advance(5 * time.Hour)
		w.work()
		for _, m := range w.answers(w.adult) {
			t.Errorf("it was still sent: %s", m.Content)
		}
	})
}

// A message that is nothing but emoji is a request like others: refused or
// answered, with words that Discord takes.
func TestRequestOf2000Emoji(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(3)...)
		w.say(w.general, "gif "+strings.Repeat("🦉", 1900))
		w.work()
		m := w.only(w.general)
		if n := discord.Length(m.Content); n == 0 || n > discord.MaxContent {
			t.Errorf("%d characters", n)
		}
		contains(t, m.Content, "1 word too many was left out")
	})
}

// ⚠ One answer, whatever step the process dies at, for a command and for a
// mention.
func TestOneAnswerAfterDeathOnDiscord(t *testing.T) {
	steps := map[string]func(w *guildWorld) (stuck func() bool){
		"the board searches": func(w *guildWorld) func() bool {
			w.board.Inject(boorusim.Fault{Kind: boorusim.Hang})
			return func() bool { return w.board.Count() == 1 }
		},
		"the file comes": func(w *guildWorld) func() bool {
			w.board.Inject(boorusim.Fault{Kind: boorusim.Hang, Files: true})
			return func() bool { return len(w.board.Files()) == 1 }
		},
		"sent, not stored": func(w *guildWorld) func() bool { return w.hang(discordsim.Hang()) },
		"sent, stored":     func(w *guildWorld) func() bool { return w.hang(discordsim.Hang().Stored()) },
	}
	for name, inject := range steps {
		for _, how := range []string{"command", "mention"} {
			t.Run(name+", "+how, func(t *testing.T) {
				inGuild(t, func(t *testing.T, s *store.Store) {
					w := newGuild(t, s, nil, many(12)...)
					if how == "command" {
						w.slash(w.general, "cat")
					} else {
						w.say(w.general, "gif cat")
					}
					stuck := inject(w)
					first, account := w.gifs, w.account
					ctx, cancel := context.WithCancel(t.Context())
					var wg sync.WaitGroup
					wg.Go(func() { _, _ = first.Answer(ctx, account, -1) })
					w.waitUntil("the first process is stuck", stuck)
					w.restart()
					w.work()
					cancel()
					wg.Wait()
					w.work()
					if m := w.only(w.general); len(m.Attachments) != 1 {
						t.Errorf("%+v", m)
					}
					w.are("done 1")
				})
			})
		}
	}
}

// hang has the answer's request get no answer.
func (w *guildWorld) hang(f discordsim.Fault) func() bool {
	a, b := w.sim.Inject(f.On("PATCH", "/webhooks/**")), w.sim.Inject(f.On("POST", "/channels/*/messages"))
	return func() bool { return a.Hits()+b.Hits() > 0 }
}

// A picture whose bytes were lost before they could be sent is fetched again.
func TestBytesAreLost(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(3)...)
		w.slash(w.general, "cat")
		w.sim.Inject(discordsim.FailPage(403).On("PATCH", "/webhooks/**"))
		_, _ = w.gifs.Answer(t.Context(), w.account, -1)
		if err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := tx.Exec(ctx, `delete from discord_file`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		w.work()
		if m := w.only(w.general); len(m.Attachments) != 1 {
			t.Errorf("%+v", m)
		}
		w.are("done 1")
	})
}

// A name with blanks in front of a request is left out of it.
func TestNamesWithBlanks(t *testing.T) {
	t.Parallel()
	h := guilds{}
	for text, want := range map[string]string{
		"@The Old Rook gif cat":               "gif cat",
		"@The Old Rook, gif cat":              ", gif cat",
		"@The Old gif cat":                    "gif cat",
		"@The Older gif cat":                  "@The Older gif cat",
		"@Ben B @The Old Rook gif cat":        "gif cat",
		"gif cat @The Old Rook":               "gif cat @The Old Rook",
		"@The Old Rook":                       "",
		"@The Old Rook @The Old Rook gif cat": "gif cat",
	} {
		m := community.Mention{Account: discord.AccountOf("1"), Post: community.Post{Text: text,
			Mentions: []community.Member{{Name: "The Old"}, {Name: "The Old Rook"}, {Name: "Ben B"}}}}
		if got := h.text(m); got != want {
			t.Errorf("%q is %q, not %q", text, got, want)
		}
	}
}

// Between two members, where the bot is not, a member's own installation shows
// safe pictures, and never others.
func TestBetweenTwoMembers(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, nil, many(3)...)
		w.sim.InstallForUser(w.ada)
		channel := w.sim.PrivateChannel(w.ada, w.ben)
		contains(t, w.private(w.slash(channel, "cat", discordsim.Args{"nsfw": true})), "no NSFW pictures in direct messages")
		in := w.slash(channel, "cat")
		w.work()
		if m := in.Now().Message; m == nil || len(m.Attachments) != 1 || strings.Contains(m.Attachments[0].Name, "SPOILER") {
			t.Errorf("%+v", m)
		}
		w.are("done 1")
	})
}

// Who has told the bot to leave them alone is told how to undo that.
func TestCommandOfWhoWantsToBeLeftAlone(t *testing.T) {
	inGuild(t, func(t *testing.T, s *store.Store) {
		w := newGuild(t, s, func(c *Config) {
			c.Stopped = func(_ context.Context, _ inbox.Rows, handles ...string) (map[string]bool, error) {
				return map[string]bool{handles[0]: true}, nil
			}
		}, many(3)...)
		contains(t, w.private(w.slash(w.general, "cat")), "“start”")
		w.are("")
	})
}
