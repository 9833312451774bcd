package guild

import (
	"slices"
	"testing"

	"rookery/internal/community"
	"rookery/internal/discord"
	"rookery/internal/settings"
	"rookery/internal/sim/discordsim"
	"rookery/internal/words"
)

// nests are the settings of a feature that watches channels.
type nests struct {
	group   *settings.Group
	on      *settings.Setting[bool]
	watched *settings.Setting[[]community.ChannelID]
}

func declareNests() nests {
	g := settings.NewGroup("nests", words.GallerySettingsTitle, words.GallerySettingsHelp)
	return nests{
		group: g,
		on:    settings.Bool(g, "enabled", false, words.GallerySettingEnabled),
		watched: settings.Channels(g, "watched", settings.ChannelRule{Kinds: []settings.ChannelKind{settings.TextChannel, settings.ForumChannel},
			Needs: []settings.Permission{settings.ViewChannel, settings.SendMessages}}, words.GallerySettingChannels),
	}
}

// add adds the feature, which nobody has asked about yet.
func (n nests) add(w *world) {
	w.feature.Features = append(w.feature.Features, Feature{Title: words.GallerySettingsTitle, Help: words.GallerySettingsHelp, On: n.on, Places: n.watched, PlacesAsk: words.GuildAskGallery})
}

// chosen are the values that a message's channel menu begins with.
func chosen(m discordsim.Message) (all []string) {
	for _, c := range m.Controls() {
		all = append(all, c.Chosen...)
	}
	return all
}

// The four questions: each answer is stored at once, with a line of the audit.
func TestSetup(t *testing.T) {
	eachGuild(t, func(w *world) {
		m := w.slash(w.ada, "setup", nil)
		w.contains(m.Content, "Question 1 of 4", "Which language")
		w.audit()
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", "en"))
		w.contains(m.Content, "Question 2 of 4")
		w.audit(`general.language "each" "en" setup`)
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "2"), "owls")
		w.contains(m.Content, "Question 3 of 4")
		w.is("owls.enabled", "true")
		w.is("silent.enabled", "false")
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "3"), w.general, w.staff)
		w.contains(m.Content, "Question 4 of 4")
		w.is("owls.channels", w.general+" "+w.staff)
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "4"), w.staff)
		w.contains(m.Content, "Done. Turned on here: ")
		if len(ids(m)) > 0 {
			t.Errorf("there is something to press: %v", ids(m))
		}
		w.audit(`general.notices "" "`+w.staff+`" setup`, `owls.channels "" "`+w.general+" "+w.staff+`" setup`,
			`owls.enabled "false" "true" setup`, `general.language "each" "en" setup`)
		lines, err := w.book.History(t.Context(), w.id(), 1)
		if err != nil || len(lines) != 1 || string(lines[0].By.Member) != w.ada || lines[0].By.Name != "ada" {
			t.Errorf("%+v, %v", lines, err)
		}
	})
}

// A channel the bot cannot write to is refused at once, with the missing
// permission by its name, and the question is asked again.
func TestSetupRefusesAChannel(t *testing.T) {
	inGuild(t, func(w *world) {
		m := w.slash(w.ada, "setup", nil)
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", answerSkip))
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "2"), "owls")
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "3"), w.general, w.closed)
		w.contains(m.Content, "⚠️", "Send Messages", "<#"+w.closed+">", "Question 3 of 4")
		w.is("owls.channels", "")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "3", answerNone))
		w.contains(m.Content, "Question 4 of 4")
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "4"), w.closed)
		w.contains(m.Content, "⚠️", "Send Messages", "Question 4 of 4")
		w.is("general.notices", "")
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "4"), w.staff)
		w.contains(m.Content, "Done.")
		w.is("general.notices", w.staff)
	})
}

// Who skips leaves all as it is.
func TestSetupSkips(t *testing.T) {
	inGuild(t, func(w *world) {
		w.set("owls.enabled", "on")
		w.set("owls.channels", w.staff)
		m := w.slash(w.ada, "setup", nil)
		for _, n := range []string{"1", "2", "3", "4"} {
			w.contains(m.Content, "Question "+n+" of 4")
			m = w.press(w.ada, m, discord.CustomID(setupAction, n, answerSkip))
		}
		w.contains(m.Content, "Done.")
		w.audit(`owls.channels "" "`+w.staff+`" `, `owls.enabled "false" "true" `)
	})
}

// Where nothing is turned on that speaks, nobody is asked where; who chooses
// nothing turns all off.
func TestSetupOfNothing(t *testing.T) {
	inGuild(t, func(w *world) {
		w.set("owls.enabled", "on")
		m := w.slash(w.ada, "setup", nil)
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", answerSkip))
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "2"))
		w.contains(m.Content, "Question 3 of 3", "Where shall I say")
		w.is("owls.enabled", "false")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "4", answerNone))
		w.contains(m.Content, "Nothing is turned on here.")
	})
}

// A feature that watches channels is asked about before the notices, with its
// own words, if it is turned on; none chosen is none watched.
func TestSetupAsksWhatIsWatched(t *testing.T) {
	n := declareNests()
	inGuild(t, func(w *world) {
		n.add(w)
		m := w.slash(w.ada, "setup", nil)
		w.contains(m.Content, "Question 1 of 5")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", answerSkip))
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "2"), "owls")
		w.contains(m.Content, "Question 3 of 4")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "3", answerSkip))
		w.contains(m.Content, "Question 4 of 4", "Where shall I say")

		m = w.slash(w.ada, "setup", nil)
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", answerSkip))
		m = w.choose(w.ada, m, discord.CustomID(setupAction, "2"), "owls", "nests")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "3", answerSkip))
		w.contains(m.Content, "Question 4 of 5", "new threads")
		m = w.choose(w.ada, m, discord.CustomID(setupAction, askPlaces, "nests"), w.general, w.closed)
		w.contains(m.Content, "⚠️", "Send Messages", "Question 4 of 5", "new threads")
		w.is("nests.watched", "")
		m = w.choose(w.ada, m, discord.CustomID(setupAction, askPlaces, "nests"), w.general)
		w.contains(m.Content, "Question 5 of 5", "Where shall I say")
		w.is("nests.watched", w.general)
		w.is("owls.channels", "")

		m = w.slash(w.ada, "setup", nil)
		for _, q := range [][]string{{"1"}, {"2"}, {"3"}} {
			m = w.press(w.ada, m, discord.CustomID(setupAction, append(q, answerSkip)...))
		}
		if got := chosen(m); !slices.Equal(got, []string{w.general}) {
			t.Errorf("the menu begins with %q", got)
		}
		m = w.press(w.ada, m, discord.CustomID(setupAction, askPlaces, "nests", answerSkip))
		w.contains(m.Content, "Question 5 of 5")
		w.is("nests.watched", w.general)
		m = w.slash(w.ada, "setup", nil)
		for _, q := range [][]string{{"1", answerSkip}, {"2", answerSkip}, {"3", answerSkip}, {askPlaces, "nests", answerNone}} {
			m = w.press(w.ada, m, discord.CustomID(setupAction, q...))
		}
		w.is("nests.watched", "")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "4", answerNone))
		w.contains(m.Content, "Done.")
	}, n.group)
}

// A /setup that was open while the feature was turned off, or since before an
// update, goes on with what is left to ask.
func TestSetupGoesOn(t *testing.T) {
	n := declareNests()
	inGuild(t, func(w *world) {
		n.add(w)
		w.set("nests.enabled", "on")
		m := w.slash(w.ada, "setup", nil)
		for _, q := range []string{"1", "2"} {
			m = w.press(w.ada, m, discord.CustomID(setupAction, q, answerSkip))
		}
		w.contains(m.Content, "Question 3 of 4", "new threads") // nothing speaks, so that nobody is asked where
		w.set("nests.enabled", "off")
		m = w.press(w.ada, m, discord.CustomID(setupAction, askPlaces, "nests", answerSkip))
		w.contains(m.Content, "Question 3 of 3", "Where shall I say")
	}, n.group)
}

// The next question is in the language that was just chosen.
func TestSetupSpeaksTheLanguageChosen(t *testing.T) {
	inGuild(t, func(w *world) {
		m := w.slash(w.ada, "setup", nil)
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", "ru"))
		w.contains(m.Content, "Вопрос 2 из 4")
	})
}

// Who does not manage the guild is not offered the commands.
func TestOnlyManagers(t *testing.T) {
	inGuild(t, func(w *world) {
		for _, name := range []string{"setup", "settings owls"} {
			if _, err := w.sim.Slash(w.ben, w.general, name, nil); err == nil {
				t.Errorf("/%s is offered to everybody", name)
			}
		}
	})
}

// A program without features that can be turned on asks about none.
func TestSetupWithoutFeatures(t *testing.T) {
	inGuild(t, func(w *world) {
		w.feature.Features = nil // nobody has asked anything yet
		m := w.slash(w.ada, "setup", nil)
		w.contains(m.Content, "Question 1 of 2")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", answerSkip))
		w.contains(m.Content, "Question 2 of 2", "Where shall I say")
	})
}

// A button of another version of the program is told from one that is known.
func TestUnknownQuestion(t *testing.T) {
	t.Parallel()
	g := New(Config{})
	for _, args := range [][]string{nil, {""}, {"0"}, {"5"}, {"x", "en"}, {askPlaces}, {askPlaces, "owls"}} {
		a, err := g.setupPressed(t.Context(), &discord.Press{Args: args})
		if err != nil || a.Message == nil || !a.Private || a.Message.Content == "" {
			t.Errorf("%v: %+v, %v", args, a, err)
		}
	}
	for _, args := range [][]string{nil, {"owls.daily"}} {
		if a, err := g.chosen(t.Context(), &discord.Press{Args: args}); err != nil || a.Message == nil {
			t.Errorf("%v: %+v, %v", args, a, err)
		}
	}
}
