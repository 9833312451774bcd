package sandbox

import (
	"slices"
	"strings"

	"rookery/internal/sim/discordsim"
)

func joinsGuild(s *stage) error {
	s.found()
	before := s.sessions()
	if err := s.startBot(); err != nil {
		return err
	}
	if err := s.connectedSince(before); err != nil {
		return err
	}
	want := []string{"help", "settings", "setup"}
	if err := s.hear("it registers /"+strings.Join(want, ", /"), func() bool {
		have := s.commands()
		return !slices.ContainsFunc(want, func(name string) bool { return !slices.Contains(have, name) })
	}, func() string { return strings.Join(s.commands(), ", ") }); err != nil {
		return err
	}
	have := s.commands()
	s.check(!slices.Contains(have, "gif"), "no /gif before it is turned on", "it is there")
	s.say("The bot is in “The Clock Tower”, with the commands /%s.", strings.Join(have, ", /"))
	return nil
}

// setsUp is /setup as a manager uses it.
func setsUp(s *stage) error {
	d, g := s.discord, &s.guild
	if _, err := d.Slash(g.ada, g.general, "setup", nil); err == nil {
		s.check(false, "Ada, who manages nothing, is not offered /setup", "she can use it")
	}
	if err := s.answersSetup(
		setupPress{does: "presses “English”", custom: "setup:1:en"},
		setupPress{does: "chooses Persona and Pictures", custom: "setup:2", values: []string{"persona", "gifs"}},
		setupPress{does: "chooses a channel in which the bot may not write", custom: "setup:3", values: []string{g.mute}, refused: "3 of 4"},
		setupPress{does: "chooses #general", custom: "setup:3", values: []string{g.general}},
		setupPress{does: "chooses a channel that only she sees", custom: "setup:4", values: []string{g.notices}},
	); err != nil {
		return err
	}
	return s.hear("the command /gif appears", func() bool { return slices.Contains(s.commands(), "gif") },
		func() string { return strings.Join(s.commands(), ", ") })
}

// setupPress is one answer of Olga's to /setup.
type setupPress struct {
	does    string
	custom  string   // id of the button or menu
	values  []string // that she chooses in a menu
	refused string   // the number of the question that is asked again; "": the answer is taken
}

// answersSetup has Olga give /setup and answer its questions.
func (s *stage) answersSetup(presses ...setupPress) error {
	d, g := s.discord, &s.guild
	o, err := s.answerOf(d.Slash(g.olga, g.general, "setup", nil))
	if err != nil {
		return err
	}
	if o.Message == nil {
		return &unmet{"/setup asks a question", "nothing"}
	}
	s.check(o.Ephemeral, "only Olga sees the questions", "everybody does")
	said := func(o discordsim.Outcome) { s.say("Elelem asks Olga: %s", oneLine(o.Message.Content)) }
	said(o)
	id := o.Message.ID
	for _, press := range presses {
		if !slices.Contains(customIDs(o.Message.Components), press.custom) {
			return &unmet{"the question has " + press.custom, strings.Join(customIDs(o.Message.Components), ", ")}
		}
		s.say("Olga %s.", press.does)
		var in *discordsim.Interaction
		if press.values == nil {
			in, err = d.PressButton(g.olga, id, press.custom)
		} else {
			in, err = d.Select(g.olga, id, press.custom, press.values...)
		}
		if o, err = s.answerOf(in, err); err != nil {
			return err
		}
		if o.Message == nil {
			return &unmet{"/setup goes on", "nothing"}
		}
		said(o)
		if press.refused != "" {
			s.check(strings.Contains(o.Message.Content, "Send Messages"), "the refusal names the missing permission, Send Messages", o.Message.Content)
			s.check(strings.Contains(o.Message.Content, press.refused), "the question is asked again", o.Message.Content)
		}
	}
	s.check(strings.Contains(o.Message.Content, "Done."), "it says that this was all", o.Message.Content)
	return nil
}
