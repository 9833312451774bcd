package guild

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"rookery/internal/discord"
	"rookery/internal/settings"
	"rookery/internal/sim/discordsim"
	"rookery/internal/words"
)

// A group is shown with values and defaults, and several are changed at once.
func TestSettings(t *testing.T) {
	eachGuild(t, func(w *world) {
		shown := text(w.slash(w.ada, "settings owls", nil))
		w.contains(shown, "**owls.enabled**: off", "Default: off", "**owls.daily**: 20", "Default: 20. Possible: from 1 to 500", "/settings owls")
		w.audit()
		done := text(w.slash(w.ada, "settings owls", discordsim.Args{"enabled": true, "daily": 30}))
		w.contains(done, "**owls.enabled**: was off, is now on (default: off)", "**owls.daily**: was 20, is now 30 (default: 20)")
		w.audit(`owls.daily "20" "30" command`, `owls.enabled "false" "true" command`)
		w.contains(text(w.slash(w.ada, "settings owls", nil)), "**owls.enabled**: on", "**owls.daily**: 30", "Default: 20")
		w.contains(text(w.slash(w.ada, "settings owls", discordsim.Args{"daily": 30})), "already")
		notices := text(w.slash(w.ada, "settings general", discordsim.Args{"notices": w.staff, "language": "English"}))
		w.contains(notices, "<#"+w.staff+">", "English")
		w.is("general.notices", w.staff)
		w.is("general.language", "en")
	})
}

// One bad value, and nothing is changed.
func TestBadValueChangesNothing(t *testing.T) {
	inGuild(t, func(w *world) {
		answer := text(w.slash(w.ada, "settings owls", discordsim.Args{"enabled": true, "channels": "<#" + w.closed + "> nonsense"}))
		w.contains(answer, "Nothing was changed.", "owls.channels", "nonsense")
		answer = text(w.slash(w.ada, "settings owls", discordsim.Args{"enabled": true, "channels": "<#" + w.closed + ">"}))
		w.contains(answer, "Nothing was changed.", "Send Messages", "<#"+w.closed+">")
		answer = text(w.slash(w.ada, "settings owls", discordsim.Args{"enabled": true, "channels": "<#1>"}))
		w.contains(answer, "Nothing was changed.", "I cannot see the channel")
		answer = text(w.slash(w.ada, "settings general", discordsim.Args{"language": "Klingon", "notices": w.staff}))
		w.contains(answer, "Nothing was changed.", "general.language", "Klingon")
		w.audit()
		w.is("owls.enabled", "false")
		w.is("general.notices", "")
	})
}

// Two managers: a menu that was shown before somebody else's change says so,
// overwrites nothing, and shows what is set now.
func TestMenuKnowsOfConflicts(t *testing.T) {
	inGuild(t, func(w *world) {
		first := w.slash(w.ada, "settings owls", nil)
		other := w.slash(w.eve, "settings owls", nil)
		if len(ids(first)) != 2 || len(ids(other)) != 2 {
			t.Fatalf("%v, %v", ids(first), ids(other))
		}
		done := w.choose(w.eve, other, ids(other)[0], w.staff)
		w.contains(text(done), "**owls.channels**: was none, is now <#"+w.staff+">")
		late := w.choose(w.ada, first, ids(first)[0], w.general)
		w.contains(text(late), "Nothing was changed.", "eve changed owls.channels to <#"+w.staff+">", "**owls.channels**: <#"+w.staff+">")
		w.is("owls.channels", w.staff)
		w.audit(`owls.channels "" "` + w.staff + `" menu`)
		// The menu that is there now knows of it.
		w.choose(w.ada, late, ids(late)[0], w.general)
		w.is("owls.channels", w.general)
		// What another has changed is not what stands in this menu.
		again := w.slash(w.ada, "settings owls", nil)
		w.set("owls.daily", "7")
		w.choose(w.ada, again, ids(again)[1], w.closed)
		w.is("owls.not_channels", w.closed)
		// Nothing chosen is none.
		last := w.slash(w.ada, "settings owls", nil)
		w.choose(w.ada, last, ids(last)[0])
		w.is("owls.channels", "")
	})
}

// A field gets its default again; who changed what is told.
func TestResetAndHistory(t *testing.T) {
	inGuild(t, func(w *world) {
		w.contains(text(w.slash(w.ada, "settings history", nil)), "Nobody has changed anything yet.")
		w.slash(w.ada, "settings owls", discordsim.Args{"daily": 30})
		w.contains(text(w.slash(w.eve, "settings reset", discordsim.Args{"setting": "owls.daily"})), "**owls.daily**: was 30, is now 20")
		w.is("owls.daily", "20")
		told := text(w.slash(w.ada, "settings history", nil))
		w.contains(told, "eve changed **owls.daily**: was 30, is now 20", "ada changed **owls.daily**: was 20, is now 30", "<t:")
		if strings.Index(told, "eve changed") > strings.Index(told, "ada changed") {
			t.Error("the latest is not the first")
		}
		w.contains(text(w.slash(w.ada, "settings reset", discordsim.Args{"setting": "owls.dayly"})), "Nothing was changed.", "owls.dayly", "owls.daily")
		in, err := w.sim.Autocomplete(w.ada, w.general, "settings reset", discordsim.Args{"setting": "DAI"}, "setting")
		if err != nil {
			t.Fatal(err)
		}
		if out, err := in.Wait(w.patience()); err != nil || !slices.Equal(out.Choices, []discordsim.Choice{{Name: "owls.daily", Value: "owls.daily"}}) {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// What was exported and is imported again is the same.
func TestExportAndImport(t *testing.T) {
	inGuild(t, func(w *world) {
		w.slash(w.ada, "settings owls", discordsim.Args{"daily": 30, "enabled": true, "channels": "<#" + w.staff + "> <#" + w.general + ">"})
		before, err := w.book.Show(t.Context(), w.id())
		if err != nil {
			t.Fatal(err)
		}
		m := w.slash(w.ada, "settings export", nil)
		if len(m.Attachments) != 1 || m.Attachments[0].Name != fileName || m.Attachments[0].Description == "" {
			t.Fatalf("%+v", m)
		}
		file := m.Attachments[0].Data
		w.contains(text(w.importing(file)), "already")
		for _, name := range []string{"owls.daily", "owls.enabled", "owls.channels"} {
			w.slash(w.ada, "settings reset", discordsim.Args{"setting": name})
		}
		w.contains(text(w.importing(file)), "**owls.daily**: was 20, is now 30", "**owls.enabled**", "**owls.channels**")
		for _, v := range before.Values {
			w.is(v.Field.Name(), v.Text)
		}
		lines, err := w.book.History(t.Context(), w.id(), 1)
		if err != nil || len(lines) != 1 || lines[0].By.Via != "import" {
			t.Errorf("%+v, %v", lines, err)
		}
	})
}

func (w *world) importing(file []byte) discordsim.Message {
	w.Helper()
	return w.slash(w.ada, "settings import", discordsim.Args{"file": discordsim.File{Name: fileName, Type: "text/plain", Data: file}})
}

// All mistakes of a file are named, with their lines, and nothing of it is
// taken over.
func TestImportNamesAllMistakes(t *testing.T) {
	inGuild(t, func(w *world) {
		answer := text(w.importing([]byte("[owls]\nenabled = true\ndaily = 900\nchannels = [\"" + w.closed + "\"]\nhoots = 1\n\n[general]\nlanguage = 'tlh'\n")))
		w.contains(answer, "Nothing was changed.", "Line 3: **owls.daily**", "from 1 to 500", "Line 4: **owls.channels**", "Send Messages", "Line 5:", "owls.hoots", "Line 8: **general.language**")
		w.audit()
		many := "[owls]\n" + strings.Repeat("x", 3)
		for i := range 150 {
			many += "\nwrong_" + strconv.Itoa(i) + " = 1"
		}
		answer = text(w.importing([]byte(many)))
		w.contains(answer, "Nothing was changed.")
		if n := discord.Length(answer); n > discord.MaxContent {
			t.Errorf("%d characters", n)
		}
		w.contains(text(w.importing([]byte(strings.Repeat("#", largestFile+1)))), "too large")
		w.audit()
	})
}

// Discord offers the values of a choice in the member's language, and takes a
// label.
func TestChoicesInTheMembersLanguage(t *testing.T) {
	inGuild(t, func(w *world) {
		w.sim.SetLocale(w.ada, "ru")
		in, err := w.sim.Autocomplete(w.ada, w.general, "settings general", discordsim.Args{"language": "рус"}, "language")
		if err != nil {
			t.Fatal(err)
		}
		if out, err := in.Wait(w.patience()); err != nil || len(out.Choices) != 1 || out.Choices[0].Value != "ru" {
			t.Errorf("%+v, %v", out, err)
		}
	})
}

// A group with as many fields as a command can have, and lists as long as they
// can be, is shown within Discord's limits, and still says how to change it.
func TestLargeGroupFits(t *testing.T) {
	g := settings.NewGroup("flock", words.PersonaTitle, words.PersonaHelp)
	for i := range 25 {
		name := "rather_long_name_" + strconv.Itoa(i)
		if i < 10 {
			settings.Roles(g, name, words.PersonaRoles)
		} else {
			settings.Int(g, name, 1, 0, 10, words.PersonaRepliesPerMember)
		}
	}
	inGuild(t, func(w *world) {
		var roles []string
		for i := range settings.MostItems {
			roles = append(roles, w.sim.AddRole(w.guild, "role "+strconv.Itoa(i), 0))
		}
		w.sim.SetLocale(w.ada, "ru")
		for _, list := range []string{"", strings.Join(roles, " ")} {
			if list != "" {
				for i := range 10 {
					w.set("flock.rather_long_name_"+strconv.Itoa(i), list)
				}
			}
			m := w.slash(w.ada, "settings flock", nil)
			if n := len(m.Components); n != discord.MaxRows {
				t.Errorf("%d rows", n)
			}
			if len(m.Embeds) != 1 {
				t.Fatalf("%+v", m)
			}
			body, _ := m.Embeds[0]["description"].(string)
			if n := discord.Length(body); n > mostText {
				t.Errorf("%d characters", n)
			}
			w.contains(body, `**flock.rather\_long\_name\_24**`, "/settings flock")
			if strings.Count(body, "<@&") != strings.Count(body, ">") {
				t.Error("a mention is cut in two")
			}
		}
	}, g)
}

// Who manages the guild no more cannot go on with what was shown to them.
func TestOpenMenusOfThoseWhoManageNoMore(t *testing.T) {
	inGuild(t, func(w *world) {
		m := w.slash(w.ada, "settings owls", nil)
		s := w.slash(w.ada, "setup", nil)
		w.sim.SetRoles(w.guild, w.ada) // none is left
		w.clock.Advance(openTime)
		for _, got := range []discordsim.Message{w.choose(w.ada, m, ids(m)[0], w.staff), w.press(w.ada, s, discord.CustomID(setupAction, "1", "ru"))} {
			w.contains(got.Content, "Please give the command again")
		}
		w.audit()
	})
}

// A nickname is no link and turns no text, also where two managers meet.
func TestNamesInConflictsAreHarmless(t *testing.T) {
	inGuild(t, func(w *world) {
		m := w.slash(w.ada, "settings owls", nil)
		w.sim.Names(w.eve, "", w.guild, "[prize](https://evil.example) \u202egnp")
		e := w.slash(w.eve, "settings owls", nil)
		w.choose(w.eve, e, ids(e)[0], w.staff)
		m = w.choose(w.ada, m, ids(m)[0], w.general)
		w.contains(m.Content, "prize")
		w.lacks(m.Content, "[prize](https://evil.example)", "\u202e")
	})
}
