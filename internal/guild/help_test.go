package guild

import (
	"context"
	"slices"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

// /help lists what is turned on and nothing else, and says so where nothing is.
func TestHelp(t *testing.T) {
	inGuild(t, func(w *world) {
		m := w.slash(w.ben, "help", nil)
		w.contains(text(m), "Nothing is turned on here yet.", "**/help**")
		w.lacks(text(m), "/hoot", "Pictures", "**/settings**", "**/setup**")
		w.turn("on")
		m = w.slash(w.ben, "help", nil)
		w.contains(text(m), "**/hoot**", "Pictures")
		w.lacks(text(m), "Nothing is turned on", "**/settings**")
		w.contains(text(w.slash(w.ada, "help", nil)), "**/settings**", "**/setup**")
	})
}

// turn turns the owls on or off by command, and waits until Discord knows.
func (w *world) turn(state string) {
	w.Helper()
	w.slash(w.ada, "settings owls", discordsim.Args{"enabled": state == "on"})
	defer w.clock.Run()()
	w.until("the commands are right with the owls "+state, func() bool { return w.has("hoot") == (state == "on") })
}

// The commands of a feature are there once it is turned on, and gone once it is
// turned off.
func TestCommandsFollowTheSettings(t *testing.T) {
	eachGuild(t, func(w *world) {
		if w.has("hoot") {
			t.Fatal("it is there before it is turned on")
		}
		w.turn("on")
		w.contains(text(w.slash(w.ben, "hoot", nil)), "hoot")
		w.turn("off")
		if _, err := w.sim.Slash(w.ben, w.general, "hoot", nil); err == nil {
			t.Error("it is offered after it was turned off")
		}
	})
}

// Everything is in Russian for who has Discord in Russian.
func TestRussian(t *testing.T) {
	inGuild(t, func(w *world) {
		w.sim.SetLocale(w.ada, "ru")
		w.contains(text(w.slash(w.ada, "help", nil)), "Что я здесь умею", "**/помощь**", "Здесь пока ничего не включено")
		w.contains(text(w.slash(w.ada, "settings owls", nil)), "По умолчанию: 20", "выкл")
		w.contains(text(w.slash(w.ada, "settings owls", discordsim.Args{"daily": 30})), "было 20, стало 30")
		w.contains(text(w.slash(w.ada, "settings owls", discordsim.Args{"channels": "<#" + w.closed + ">"})), "Ничего не изменено.", "Отправлять сообщения")
		w.contains(text(w.slash(w.ada, "settings history", nil)), "Последние изменения")
		w.contains(text(w.slash(w.ada, "settings export", nil)), "Это все настройки сервера")
		w.contains(text(w.importing([]byte("[owls]\ndaily = 0\n"))), "Строка 2:")
		m := w.slash(w.ada, "setup", nil)
		for _, q := range []struct{ name, says string }{{askLanguage, "Вопрос 1 из 4"}, {askFeatures, "Вопрос 2 из 4"}, {askNotices, "Вопрос 3 из 3"}} {
			w.contains(m.Content, q.says)
			m = w.press(w.ada, m, discord.CustomID(setupAction, q.name, answerSkip))
		}
		w.contains(m.Content, "Готово.")
		// A guild may have one language for all.
		w.set("general.language", "en")
		w.contains(text(w.slash(w.ada, "help", nil)), "What I can do here")
	})
}

// left tells whether it is noted that the bot was removed.
func (w *world) left() bool {
	var n int64
	if err := w.store.QueryRow(w.Context(), `select count(*) from guild_left where guild = $1`, w.guild).Scan(&n); err != nil {
		w.Fatal(err)
	}
	return n > 0
}

// What a guild has set is kept for thirty days after the bot was removed, and
// for good if it comes back.
func TestRemovedGuildIsForgotten(t *testing.T) {
	for name, back := range map[string]bool{"for good": false, "by a slip": true} {
		t.Run(name, func(t *testing.T) {
			eachGuild(t, func(w *world) {
				w.set("owls.daily", "30")
				var purged []community.GuildID
				w.feature.Purge = append(w.feature.Purge, func(_ context.Context, _ store.Tx, guild community.GuildID) error {
					purged = append(purged, guild)
					return nil
				})
				w.sim.BotLeaves(w.guild)
				w.until("it is noted that the bot was removed", w.left)
				w.clock.Advance(keepLeft - time.Minute)
				if err := w.feature.Prune(w.Context()); err != nil {
					w.Fatal(err)
				}
				w.is("owls.daily", "30")
				w.audit(`owls.daily "20" "30" `)
				if back {
					w.sim.BotJoins(w.guild, discordsim.ViewChannel)
					func() {
						defer w.clock.Run()() // the connection may have to be made anew
						w.until("it is noted that the bot is back", func() bool { return !w.left() })
					}()
				}
				w.clock.Advance(2 * time.Minute)
				if err := w.feature.Prune(w.Context()); err != nil {
					w.Fatal(err)
				}
				if back {
					w.is("owls.daily", "30")
					w.audit(`owls.daily "20" "30" `)
					if len(purged) != 0 {
						w.Errorf("what is kept for %q is gone", purged)
					}
					return
				}
				if !slices.Equal(purged, []community.GuildID{w.id()}) {
					w.Errorf("features are told of %q", purged)
				}
				w.is("owls.daily", "20")
				w.audit()
				if w.left() {
					w.Error("the note is kept")
				}
			})
		})
	}
}

// A guild that is away for a moment is none that the bot was removed from.
func TestOutageIsNoRemoval(t *testing.T) {
	inGuild(t, func(w *world) {
		w.sim.SetUnavailable(w.guild, true)
		w.sim.SetUnavailable(w.guild, false)
		if err := w.sim.WaitDelivered(w.patience()); err != nil {
			t.Fatal(err)
		}
		w.contains(text(w.slash(w.ada, "help", nil)), "What I can do here")
		if w.left() {
			t.Error("an outage is taken for a removal")
		}
	})
}

// Nobody tells of a return while no process is connected: Discord is asked
// before anything is deleted.
func TestSettingsStayWhereTheBotIsBack(t *testing.T) {
	inGuild(t, func(w *world) {
		w.set("owls.enabled", "on")
		w.feature.Removed(w.Context(), w.id())
		w.clock.Advance(31 * 24 * time.Hour)
		for range 2 {
			if err := w.feature.Prune(w.Context()); err != nil {
				w.Fatal(err)
			}
			w.is("owls.enabled", "true")
		}
	})
}
