package guild

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"rookery/internal/discord"
	"rookery/internal/settings"
	"rookery/internal/words"
)

// Names of the subcommands that are no group of settings.
const (
	subExport  = "export"
	subImport  = "import"
	subReset   = "reset"
	subHistory = "history"
)

// settingsCommand has a subcommand for each group, with an option for each of
// its fields: all of it follows from their declarations.
func (g *Guild) settingsCommand() discord.Command {
	c := discord.Command{
		Name: "settings", Kind: discord.Slash, Names: words.GuildSettingsName, Help: words.GuildSettingsHelp, Private: true,
		Permission: discord.ManageGuild,
	}
	for _, group := range g.Book.Groups() {
		sub := discord.Command{Name: group.Name(), Kind: discord.Slash, Help: group.Help(), Private: true,
			Handle: func(ctx context.Context, p *discord.Press) (discord.Answer, error) { return g.group(ctx, p, group) },
			Complete: func(_ context.Context, p *discord.Press, option, typed string) []discord.Choice {
				return complete(p, group, option, typed)
			},
		}
		for _, f := range group.Fields() {
			sub.Options = append(sub.Options, option(f))
		}
		c.Subs = append(c.Subs, sub)
	}
	c.Subs = append(c.Subs,
		discord.Command{Name: subReset, Kind: discord.Slash, Help: words.GuildResetHelp, Private: true, Handle: g.reset, Complete: g.completeReset,
			Options: []discord.Option{{Name: "setting", Help: words.GuildResetSetting, Kind: discord.OptionText, Required: true, Complete: true}}},
		discord.Command{Name: subHistory, Kind: discord.Slash, Help: words.GuildHistoryHelp, Private: true, Handle: g.history},
		discord.Command{Name: subExport, Kind: discord.Slash, Help: words.GuildExportHelp, Private: true, Handle: g.export},
		discord.Command{Name: subImport, Kind: discord.Slash, Help: words.GuildImportHelp, Private: true, Handle: g.importFile,
			Options: []discord.Option{{Name: "file", Help: words.GuildImportFile, Kind: discord.OptionFile, Required: true}}},
	)
	return c
}

// option is a field as a command takes it.
func option(f *settings.Field) discord.Option {
	o := discord.Option{Name: f.Short(), Help: f.Help(), Kind: discord.OptionText}
	switch f.Kind() {
	case settings.KindBool:
		o.Kind = discord.OptionBool
	case settings.KindInt:
		low, high := f.Range()
		least, most := float64(low), float64(high)
		o.Kind, o.Min, o.Max = discord.OptionInt, &least, &most
	case settings.KindChannel:
		o.Kind, o.Channels = discord.OptionChannel, numbers(f.Channels().Kinds)
	case settings.KindRole:
		o.Kind = discord.OptionRole
	case settings.KindChoice, settings.KindLanguage, settings.KindZone:
		o.Complete = true // in the language of whoever types
	}
	return o
}

// complete offers the values of a choice, in the member's language.
func complete(p *discord.Press, group *settings.Group, option, typed string) []discord.Choice {
	var all []discord.Choice
	for _, f := range group.Fields() {
		if f.Short() != option {
			continue
		}
		for _, o := range f.Options() {
			label := p.Language.Say(o.Label, nil)
			if matches(label, typed) || matches(o.Value, typed) {
				all = append(all, discord.Choice{Label: label, Value: o.Value})
			}
		}
		if f.Kind() == settings.KindZone {
			all = append(all, zones(typed)...)
		}
	}
	return all[:min(len(all), discord.MaxChoices)]
}

func matches(text, typed string) bool {
	return strings.Contains(strings.ToLower(text), strings.ToLower(strings.TrimSpace(typed)))
}

// zones offers what was typed, if it names a time zone as it stands; a list of
// all would be a copy of the system's.
func zones(typed string) []discord.Choice {
	if typed = strings.TrimSpace(typed); typed == "" {
		typed = "Europe/Berlin"
	}
	return []discord.Choice{{Label: fit(typed, 100), Value: fit(typed, 100)}}
}

// group shows a group of settings, or changes those that were given.
func (g *Guild) group(ctx context.Context, p *discord.Press, group *settings.Group) (discord.Answer, error) {
	form := settings.Form{Guild: p.Place.Guild, By: by(p, "command"), Check: checker{g.platform}}
	for _, f := range group.Fields() {
		if p.Options.Given(f.Short()) {
			form.Values = append(form.Values, settings.Raw{Field: f.Name(), Text: p.Options.Text(f.Short())})
		}
	}
	if len(form.Values) == 0 {
		return g.show(ctx, p, group, "")
	}
	changes, err := g.Book.Set(ctx, form)
	text, err := changed(p.Language, changes, err)
	if err != nil {
		return discord.Answer{}, err
	}
	return say(text), nil
}

// changed says what became of a change. Its error is one that the member can
// do nothing about.
func changed(l words.Language, changes []settings.Change, err error) (string, error) {
	var b strings.Builder
	if refused, ok := errors.AsType[*settings.Refused](err); ok {
		b.WriteString(l.Say(words.GuildNothingChanged, nil))
		for _, bad := range refused.Problems {
			b.WriteString("\n- ")
			if bad.Line > 0 {
				b.WriteString(l.Say(words.GuildLine, words.Args{"line": strconv.Itoa(bad.Line)}) + " ")
			}
			if bad.Field != nil {
				fmt.Fprintf(&b, "**%s**: ", bad.Field.Name())
			}
			b.WriteString(bad.Say(l))
		}
		if refused.More > 0 {
			b.WriteString("\n" + l.Say(words.GuildMore, words.Args{"n": refused.More}))
		}
		return b.String(), nil
	}
	if conflict, ok := errors.AsType[*settings.ConflictError](err); ok {
		b.WriteString(l.Say(words.GuildNothingChanged, nil))
		for _, c := range conflict.Conflicts {
			if c.By.Name != "" {
				c.By.Name = discord.Name(c.By.Name)
			}
			b.WriteString("\n- " + c.Say(l))
		}
		b.WriteString("\n" + l.Say(words.GuildLookAgain, nil))
		return b.String(), nil
	}
	if err != nil {
		return "", err
	}
	if len(changes) == 0 {
		return l.Say(words.GuildAlready, nil), nil
	}
	for i, c := range changes {
		if i > 0 {
			b.WriteString("\n")
		}
		b.WriteString(line(l, c.Field, l.Say(words.GuildWasNow, words.Args{
			"old": c.Field.Display(l, c.Old), "new": c.Field.Display(l, c.New), "default": c.Field.Display(l, c.Field.Default())})))
	}
	return b.String(), nil
}

// line is a field with something said of it.
func line(_ words.Language, f *settings.Field, text string) string {
	return "**" + strings.ReplaceAll(f.Name(), "_", `\_`) + "**: " + text
}

// mostText is what an embed's text may have. Source: resources/message, "Embed
// Limits".
const mostText = 4096

// show lists the values of a group, with menus for what is easier chosen than
// typed. note stands above.
func (g *Guild) show(ctx context.Context, p *discord.Press, group *settings.Group, note string) (discord.Answer, error) {
	m, err := g.sheet(ctx, p, group, note)
	if err != nil {
		return discord.Answer{}, err
	}
	return private(m), nil
}

func (g *Guild) sheet(ctx context.Context, p *discord.Press, group *settings.Group, note string) (discord.Message, error) {
	l := p.Language
	sheet, err := g.Book.Show(ctx, p.Place.Guild)
	if err != nil {
		return discord.Message{}, err
	}
	m := discord.Message{Content: fit(note, discord.MaxContent)}
	for _, f := range group.Fields() {
		v, _ := sheet.Value(f.Name())
		if menu := menuOf(l, f, v, sheet.Revision); menu != nil && len(m.Rows) < discord.MaxRows {
			m.Rows = append(m.Rows, discord.Row{Select: menu})
		}
	}
	m.Embeds = []discord.Embed{{Title: l.Say(group.Title(), nil), Text: values(l, group, sheet)}}
	return m, nil
}

// values lists a group's fields, each with its value, what it is for and its
// default. Where that is too much for one message, it is the values, then the
// values with long ones left to their menus and to export.
func values(l words.Language, group *settings.Group, sheet settings.Sheet) string {
	end := "\n" + l.Say(words.GuildHowToChange, words.Args{"command": "/settings " + group.Name()})
	room := mostText - discord.Length(end)
	list := func(most int, help bool) string {
		var b strings.Builder
		for _, f := range group.Fields() {
			v, _ := sheet.Value(f.Name())
			value := f.Display(l, v.Text)
			if n := len(f.Items(v.Text)); n > 1 && discord.Length(value) > most {
				value = strconv.Itoa(n)
			}
			b.WriteString(line(l, f, fit(value, most)) + "\n")
			if help {
				fmt.Fprintf(&b, "-# %s %s\n", l.Say(f.Help(), nil),
					l.Say(words.GuildDefault, words.Args{"default": fit(f.Display(l, f.Default()), shortest), "bounds": f.Bounds(l)}))
			}
		}
		return b.String()
	}
	text := list(room, true)
	if discord.Length(text) > room {
		text = list(room, false)
	}
	if discord.Length(text) > room {
		text = list(shortest, false)
	}
	return fit(text, room) + end
}

// shortest is how much of a value is shown where room is scarce.
const shortest = 60

// setAction begins the custom ids of the menus. What follows is the field, and
// the revision that was shown: whoever changes it meanwhile is not overwritten.
const setAction = "set"

// menuOf is the menu of a list of channels or roles; nil for other fields.
func menuOf(l words.Language, f *settings.Field, v settings.Value, r settings.Revision) *discord.Select {
	if !f.IsList() {
		return nil
	}
	_, most := f.Range()
	s := &discord.Select{ID: discord.CustomID(setAction, f.Name(), strconv.FormatInt(int64(r), 10)), Kind: discord.SelectRole,
		Placeholder: f.Short(), Min: 0, Max: int(min(most, discord.MaxChoices)), Selected: f.Items(v.Text)}
	if f.Kind() == settings.KindChannels {
		s.Kind, s.Channels = discord.SelectChannel, numbers(f.Channels().Kinds)
	}
	s.Placeholder = fit(l.Say(words.GuildChoose, words.Args{"setting": f.Name()}), 150)
	return s
}

// openTime is how long menus of ours can be used by those who do not manage the
// guild: it may have given them the command, of which a press says nothing.
const openTime = 15 * time.Minute

// entitled tells whether who presses may still change settings. Private messages
// stay open as long as their reader likes, and roles are taken away meanwhile.
func (g *Guild) entitled(p *discord.Press) bool {
	return p.Permissions.Has(discord.ManageGuild) || p.Message != nil && p.At.Sub(p.Message.At) < openTime
}

// chosen takes what was chosen in a menu of show.
func (g *Guild) chosen(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	if !g.entitled(p) {
		return say(p.Language.Say(words.GuildOpenTooLong, nil)), nil
	}
	if len(p.Args) != 2 {
		return say(p.Language.Say(words.PressUnknown, nil)), nil
	}
	f, known := g.Book.Field(p.Args[0])
	shown, ok := revision(p.Args[1])
	if !known || !ok {
		return say(p.Language.Say(words.PressUnknown, nil)), nil
	}
	changes, err := g.Book.Set(ctx, settings.Form{Guild: p.Place.Guild, By: by(p, "menu"), Check: checker{g.platform}, Shown: &shown,
		Values: []settings.Raw{{Field: f.Name(), Text: listText(p.Values)}}})
	text, err := changed(p.Language, changes, err)
	if err != nil {
		return discord.Answer{}, err
	}
	m, err := g.sheet(ctx, p, f.Group(), text)
	if err != nil {
		return discord.Answer{}, err
	}
	return discord.Answer{Update: &m}, nil
}

// revision reads the revision that a menu was shown with.
func revision(text string) (r settings.Revision, ok bool) {
	n, err := strconv.ParseInt(text, 10, 64)
	return settings.Revision(n), err == nil
}

// listText is what was chosen, as a field reads it.
func listText(ids []string) string {
	if len(ids) == 0 {
		return "none"
	}
	return strings.Join(ids, " ")
}
