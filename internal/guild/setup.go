package guild

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"strings"

	"rookery/internal/discord"
	"rookery/internal/settings"
	"rookery/internal/words"
)

// setupAction begins the custom ids of /setup. What follows is the question,
// from 1, and what was pressed besides a menu. Nothing else is kept: each
// answer is a setting once it is given, so that who breaks off, or meets a
// restart, has lost nothing.
const setupAction = "setup"

// questions is how many /setup asks.
const questions = 4

// What a button of /setup answers.
const (
	answerNone = "none" // everywhere, or nowhere
	answerSkip = "skip" // it stays as it is
)

// setup asks the first question.
func (g *Guild) setup(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	m, err := g.question(ctx, p, 1, "")
	if err != nil {
		return discord.Answer{}, err
	}
	return private(m), nil
}

// setupPressed takes an answer and asks the next question. One that is refused
// is asked again, with the reason.
func (g *Guild) setupPressed(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if !g.entitled(p) {
		return say(p.Language.Say(words.GuildOpenTooLong, nil)), nil
	}
	n, answer := 0, ""
	if len(p.Args) > 0 {
		n, _ = strconv.Atoi(p.Args[0]) // what is no number is no question
	}
	if len(p.Args) > 1 {
		answer = p.Args[1]
	}
	if n < 1 || n > questions {
		return say(p.Language.Say(words.PressUnknown, nil)), nil
	}
	note := ""
	if answer != answerSkip {
		_, err := g.Book.Set(ctx, settings.Form{Guild: p.Place.Guild, By: by(p, "setup"), Check: checker{g.platform}, Values: g.answers(ctx, p, n, answer)})
		if refused, ok := errors.AsType[*settings.Refused](err); ok {
			var all []string
			for _, bad := range settings.Together(refused.Problems) {
				all = append(all, bad.Say(p.Language))
			}
			note = strings.Join(all, "\n")
		} else if err != nil {
			return discord.Answer{}, err
		}
	}
	if note == "" {
		if n == 1 && answer != answerSkip && Speech(answer) != Each {
			p.Language = words.Match(answer) // from here on, not only at the next press
		}
		n++
	}
	m, err := g.question(ctx, p, n, note)
	if err != nil {
		return discord.Answer{}, err
	}
	m.NoPreviews = true
	return discord.Answer{Update: &m}, nil
}

// answers are the settings that an answer stands for.
func (g *Guild) answers(ctx context.Context, p *discord.Press, n int, answer string) []settings.Raw {
	switch n {
	case 1:
		return []settings.Raw{{Field: g.General.Language.Name(), Text: answer}}
	case 2:
		var all []settings.Raw
		for _, f := range g.Features {
			all = append(all, settings.Raw{Field: f.On.Name(), Text: strconv.FormatBool(slices.Contains(p.Values, f.On.Group().Name()))})
		}
		return all
	case 3:
		var all []settings.Raw
		for _, f := range g.on(ctx, p) {
			if f.Channels != nil {
				all = append(all, settings.Raw{Field: f.Channels.Name(), Text: listText(p.Values)})
			}
		}
		return all
	}
	return []settings.Raw{{Field: g.General.Notices.Name(), Text: listText(p.Values)}}
}

// on are the features that the guild has turned on.
func (g *Guild) on(ctx context.Context, p *discord.Press) []Feature {
	var all []Feature
	for _, f := range g.Features {
		if on, err := f.On.In(ctx, p.Place.Guild); err == nil && on {
			all = append(all, f)
		}
	}
	return all
}

// question is the n-th question, or what there is to say at the end. note is
// what was wrong with the answer before.
func (g *Guild) question(ctx context.Context, p *discord.Press, n int, note string) (discord.Message, error) {
	l := p.Language
	if n == 2 && len(g.Features) == 0 {
		n = 4 // there is nothing to turn on
	}
	if n == 3 && !slices.ContainsFunc(g.on(ctx, p), func(f Feature) bool { return f.Channels != nil }) {
		n = 4 // nothing speaks anywhere
	}
	if n > questions {
		return g.finished(ctx, p)
	}
	var text words.Key
	var rows []discord.Row
	switch n {
	case 1:
		text = words.GuildAskLanguage
		var buttons []discord.Button
		for _, o := range g.General.Language.Options() {
			buttons = append(buttons, discord.Button{ID: discord.CustomID(setupAction, "1", o.Value), Label: l.Say(o.Label, nil), Style: discord.Primary})
		}
		rows = []discord.Row{{Buttons: buttons}}
	case 2:
		text = words.GuildAskFeatures
		menu := discord.Select{ID: discord.CustomID(setupAction, "2"), Kind: discord.SelectText, Min: 0, Max: len(g.Features), Placeholder: l.Say(words.GuildChooseFeatures, nil)}
		for _, f := range g.Features {
			on, err := f.On.In(ctx, p.Place.Guild)
			if err != nil {
				return discord.Message{}, err
			}
			menu.Choices = append(menu.Choices, discord.Choice{Label: l.Say(f.Title, nil), Value: f.On.Group().Name(), Description: fit(l.Say(f.Help, nil), 100), Selected: on})
		}
		rows = []discord.Row{{Select: &menu}}
	case 3:
		text = words.GuildAskChannels
		f := g.on(ctx, p)
		i := slices.IndexFunc(f, func(f Feature) bool { return f.Channels != nil })
		rows = []discord.Row{
			{Select: &discord.Select{ID: discord.CustomID(setupAction, "3"), Kind: discord.SelectChannel, Channels: numbers(f[i].Channels.Channels().Kinds),
				Min: 0, Max: discord.MaxChoices, Placeholder: l.Say(words.GuildChooseChannels, nil)}},
			{Buttons: []discord.Button{{ID: discord.CustomID(setupAction, "3", answerNone), Label: l.Say(words.GuildEverywhere, nil), Style: discord.Primary}}},
		}
	case 4:
		text = words.GuildAskNotices
		rows = []discord.Row{
			{Select: &discord.Select{ID: discord.CustomID(setupAction, "4"), Kind: discord.SelectChannel, Channels: numbers(g.General.Notices.Channels().Kinds),
				Min: 1, Max: 1, Placeholder: l.Say(words.GuildChooseChannel, nil)}},
			{Buttons: []discord.Button{{ID: discord.CustomID(setupAction, "4", answerNone), Label: l.Say(words.GuildNowhere, nil), Style: discord.Primary}}},
		}
	}
	rows[len(rows)-1].Buttons = appendSkip(rows, n, l)
	if rows[len(rows)-1].Select != nil { // a row has buttons, or a menu
		buttons := rows[len(rows)-1].Buttons
		rows[len(rows)-1].Buttons = nil
		rows = append(rows, discord.Row{Buttons: buttons})
	}
	content := l.Say(words.GuildQuestion, words.Args{"number": strconv.Itoa(n), "of": strconv.Itoa(questions)}) + "\n" + l.Say(text, nil)
	if note != "" {
		content = "⚠️ " + note + "\n\n" + content
	}
	return discord.Message{Content: fit(content, discord.MaxContent), Rows: rows}, nil
}

// appendSkip is the last row's buttons with the one that leaves all as it is.
func appendSkip(rows []discord.Row, n int, l words.Language) []discord.Button {
	return append(rows[len(rows)-1].Buttons, discord.Button{ID: discord.CustomID(setupAction, strconv.Itoa(n), answerSkip), Label: l.Say(words.GuildSkip, nil)})
}

// finished says what is turned on now, and where to change it.
func (g *Guild) finished(ctx context.Context, p *discord.Press) (discord.Message, error) {
	l := p.Language
	var names []string
	for _, f := range g.on(ctx, p) {
		names = append(names, l.Say(f.Title, nil))
	}
	text := l.Say(words.GuildFinishedOff, nil)
	if len(names) > 0 {
		text = l.Say(words.GuildFinished, words.Args{"features": strings.Join(names, ", ")})
	}
	return discord.Message{Content: fit(text+"\n"+l.Say(words.GuildFinishedHow, nil), discord.MaxContent)}, nil
}
