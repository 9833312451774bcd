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
// and what was pressed besides a menu. Nothing else is kept: each answer is a
// setting once it is given, so that who breaks off, or meets a restart, has
// lost nothing.
const setupAction = "setup"

// The questions, as custom ids name them: those of an open /setup outlive an
// update of the program, so that these names stay as they are.
const (
	askLanguage = "1"
	askFeatures = "2"
	askChannels = "3"
	askNotices  = "4"
	askPlaces   = "places" // and the group of the feature's settings
)

// question is one that /setup asks.
type question struct {
	name    string
	feature Feature // of askPlaces
}

// ref is how custom ids name the question.
func (q question) ref() []string {
	if q.name == askPlaces {
		return []string{q.name, q.feature.On.Group().Name()}
	}
	return []string{q.name}
}

// id is the custom id of a component below the question.
func (q question) id(answer ...string) string {
	return discord.CustomID(setupAction, append(q.ref(), answer...)...)
}

// What a button of /setup answers.
const (
	answerNone = "none" // everywhere, or nowhere
	answerSkip = "skip" // it stays as it is
)

// setup asks the first question.
func (g *Guild) setup(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	m, err := g.ask(ctx, p, g.questions(g.Features)[0], "")
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
	q, answer, ok := g.questionOf(p.Args)
	if !ok {
		return say(p.Language.Say(words.PressUnknown, nil)), nil
	}
	if answer != answerSkip {
		note, err := g.take(ctx, p, q, answer)
		if err != nil {
			return discord.Answer{}, err
		}
		if note != "" {
			return g.update(g.ask(ctx, p, q, note))
		}
		if q.name == askLanguage && Speech(answer) != Each {
			p.Language = words.Match(answer) // from here on, not only at the next press
		}
	}
	next, ok := g.after(ctx, p, q)
	if !ok {
		return g.update(g.finished(ctx, p))
	}
	return g.update(g.ask(ctx, p, next, ""))
}

func (g *Guild) update(m discord.Message, err error) (discord.Answer, error) {
	if err != nil {
		return discord.Answer{}, err
	}
	m.NoPreviews = true
	return discord.Answer{Update: &m}, nil
}

// take stores an answer. It returns why it was refused, for the member.
func (g *Guild) take(ctx context.Context, p *discord.Press, q question, answer string) (refusal string, err error) {
	_, err = g.Book.Set(ctx, settings.Form{Guild: p.Place.Guild, By: by(p, "setup"), Check: checker{g.platform}, Values: g.answers(ctx, p, q, answer)})
	if refused, ok := errors.AsType[*settings.Refused](err); ok {
		var all []string
		for _, bad := range settings.Together(refused.Problems) {
			all = append(all, bad.Say(p.Language))
		}
		return strings.Join(all, "\n"), nil
	}
	return "", err
}

// questions are those that are asked where these features are turned on.
func (g *Guild) questions(on []Feature) []question {
	all := []question{{name: askLanguage}}
	if len(g.Features) > 0 {
		all = append(all, question{name: askFeatures})
	}
	if slices.ContainsFunc(on, speaks) {
		all = append(all, question{name: askChannels})
	}
	for _, f := range on {
		if f.Places != nil {
			all = append(all, question{askPlaces, f})
		}
	}
	return append(all, question{name: askNotices})
}

// speaks tells whether a feature can be kept to some channels.
func speaks(f Feature) bool { return f.Channels != nil }

// questionOf reads which question was answered, and with which button.
func (g *Guild) questionOf(args []string) (q question, answer string, ok bool) {
	for _, q := range g.questions(g.Features) {
		if n := len(q.ref()); len(args) >= n && slices.Equal(args[:n], q.ref()) {
			if len(args) > n {
				answer = args[n]
			}
			return q, answer, true
		}
	}
	return question{}, "", false
}

// after is the question that follows another; false at the end. What was on
// when the other was asked may be off by now.
func (g *Guild) after(ctx context.Context, p *discord.Press, q question) (question, bool) {
	all, asked := g.questions(g.Features), g.questions(g.on(ctx, p))
	for _, next := range all[place(all, q)+1:] {
		if place(asked, next) >= 0 {
			return next, true
		}
	}
	return question{}, false
}

// place is where a question stands among others; -1 if it does not.
func place(all []question, q question) int {
	return slices.IndexFunc(all, func(other question) bool { return slices.Equal(other.ref(), q.ref()) })
}

// answers are the settings that an answer stands for.
func (g *Guild) answers(ctx context.Context, p *discord.Press, q question, answer string) []settings.Raw {
	switch q.name {
	case askLanguage:
		return []settings.Raw{{Field: g.General.Language.Name(), Text: answer}}
	case askFeatures:
		var all []settings.Raw
		for _, f := range g.Features {
			all = append(all, settings.Raw{Field: f.On.Name(), Text: strconv.FormatBool(slices.Contains(p.Values, f.On.Group().Name()))})
		}
		return all
	case askChannels:
		var all []settings.Raw
		for _, f := range g.on(ctx, p) {
			if speaks(f) {
				all = append(all, settings.Raw{Field: f.Channels.Name(), Text: listText(p.Values)})
			}
		}
		return all
	case askPlaces:
		return []settings.Raw{{Field: q.feature.Places.Name(), Text: listText(p.Values)}}
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

// ask is the message that asks a question. note is what was wrong with the
// answer before.
func (g *Guild) ask(ctx context.Context, p *discord.Press, q question, note string) (discord.Message, error) {
	l := p.Language
	text, rows, err := g.choices(ctx, p, q)
	if err != nil {
		return discord.Message{}, err
	}
	skip := discord.Button{ID: q.id(answerSkip), Label: l.Say(words.GuildSkip, nil)}
	if last := &rows[len(rows)-1]; last.Select == nil {
		last.Buttons = append(last.Buttons, skip)
	} else { // a row has buttons, or a menu
		rows = append(rows, discord.Row{Buttons: []discord.Button{skip}})
	}
	// Until the features are chosen, it is the most that there can be: a number
	// that shrinks is better than one that grows.
	counted := g.questions(g.Features)
	if q.name != askLanguage && q.name != askFeatures {
		counted = g.questions(g.on(ctx, p))
	}
	content := l.Say(words.GuildQuestion, words.Args{"number": strconv.Itoa(place(counted, q) + 1), "of": strconv.Itoa(len(counted))}) + "\n" + l.Say(text, nil)
	if note != "" {
		content = "⚠️ " + note + "\n\n" + content
	}
	return discord.Message{Content: fit(content, discord.MaxContent), Rows: rows}, nil
}

// choices is what a question says, and what can be chosen or pressed.
func (g *Guild) choices(ctx context.Context, p *discord.Press, q question) (text words.Key, rows []discord.Row, err error) {
	l := p.Language
	button := func(answer string, label words.Key) discord.Button {
		return discord.Button{ID: q.id(answer), Label: l.Say(label, nil), Style: discord.Primary}
	}
	channels := func(f *settings.Field, least, most int, placeholder, none words.Key, selected []string) []discord.Row {
		return []discord.Row{
			{Select: &discord.Select{ID: q.id(), Kind: discord.SelectChannel, Channels: numbers(f.Channels().Kinds),
				Min: least, Max: most, Placeholder: l.Say(placeholder, nil), Selected: selected}},
			{Buttons: []discord.Button{button(answerNone, none)}},
		}
	}
	switch q.name {
	case askLanguage:
		var buttons []discord.Button
		for _, o := range g.General.Language.Options() {
			buttons = append(buttons, button(o.Value, o.Label))
		}
		return words.GuildAskLanguage, []discord.Row{{Buttons: buttons}}, nil
	case askFeatures:
		menu := discord.Select{ID: q.id(), Kind: discord.SelectText, Min: 0, Max: len(g.Features), Placeholder: l.Say(words.GuildChooseFeatures, nil)}
		for _, f := range g.Features {
			on, err := f.On.In(ctx, p.Place.Guild)
			if err != nil {
				return "", nil, err
			}
			menu.Choices = append(menu.Choices, discord.Choice{Label: l.Say(f.Title, nil), Value: f.On.Group().Name(), Description: fit(l.Say(f.Help, nil), 100), Selected: on})
		}
		return words.GuildAskFeatures, []discord.Row{{Select: &menu}}, nil
	case askChannels:
		all := g.Features // if all were turned off meanwhile, the kinds are still of one of them
		if on := g.on(ctx, p); slices.ContainsFunc(on, speaks) {
			all = on
		}
		f := all[slices.IndexFunc(all, speaks)]
		return words.GuildAskChannels, channels(f.Channels.Field, 0, discord.MaxChoices, words.GuildChooseChannels, words.GuildEverywhere, nil), nil
	case askPlaces:
		f := q.feature.Places
		now, err := f.In(ctx, p.Place.Guild)
		if err != nil {
			return "", nil, err
		}
		var selected []string
		for _, id := range now[:min(len(now), discord.MaxChoices)] {
			selected = append(selected, string(id))
		}
		return q.feature.PlacesAsk, channels(f.Field, 0, discord.MaxChoices, words.GuildChooseChannels, words.GuildNowhere, selected), nil
	}
	return words.GuildAskNotices, channels(g.General.Notices.Field, 1, 1, words.GuildChooseChannel, words.GuildNowhere, nil), nil
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
