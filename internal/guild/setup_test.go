package guild

import (
	"testing"

	"rookery/internal/discord"
)

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
		w.contains(m.Content, "Question 4 of 4")
		w.is("owls.enabled", "false")
		m = w.press(w.ada, m, discord.CustomID(setupAction, "4", answerNone))
		w.contains(m.Content, "Nothing is turned on here.")
	})
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
		m = w.press(w.ada, m, discord.CustomID(setupAction, "1", answerSkip))
		w.contains(m.Content, "Question 4 of 4")
	})
}

// A button of another version of the program is told from one that is known.
func TestUnknownQuestion(t *testing.T) {
	t.Parallel()
	g := New(Config{})
	for _, args := range [][]string{nil, {""}, {"0"}, {"5"}, {"x", "en"}} {
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
