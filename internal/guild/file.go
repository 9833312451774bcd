package guild

import (
	"context"
	"fmt"
	"strings"

	"rookery/internal/discord"
	"rookery/internal/words"
)

// fileName is what an export is called.
const fileName = "rookery-settings.toml"

// largestFile is the most that is fetched of a file of settings, in bytes.
const largestFile = 256 << 10

// reset gives a field its default.
func (g *Guild) reset(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	changes, err := g.Book.Reset(ctx, p.Place.Guild, by(p, "command"), strings.TrimSpace(p.Options.Text("setting")))
	text, err := changed(p.Language, changes, err)
	if err != nil {
		return discord.Answer{}, err
	}
	return say(text), nil
}

// completeReset offers the fields by their names.
func (g *Guild) completeReset(_ context.Context, _ *discord.Press, _, typed string) []discord.Choice {
	var all []discord.Choice
	for _, group := range g.Book.Groups() {
		for _, f := range group.Fields() {
			if matches(f.Name(), typed) && len(all) < discord.MaxChoices {
				all = append(all, discord.Choice{Label: f.Name(), Value: f.Name()})
			}
		}
	}
	return all
}

// told is how many changes /settings history lists.
const told = 15

// history tells who changed what.
func (g *Guild) history(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	lines, err := g.Book.History(ctx, p.Place.Guild, told)
	if err != nil {
		return discord.Answer{}, err
	}
	if len(lines) == 0 {
		return say(p.Language.Say(words.GuildNoHistory, nil)), nil
	}
	var b strings.Builder
	for _, c := range lines {
		who := p.Language.Say(words.SettingsSomebody, nil)
		if c.By.Name != "" {
			who = discord.Name(c.By.Name)
		}
		old, now := c.Old, c.New
		if f, ok := g.Book.Field(c.Field); ok {
			old, now = f.Display(p.Language, c.Old), f.Display(p.Language, c.New)
		}
		fmt.Fprintf(&b, "- %s %s\n", discord.FormatTime(c.At, "f"), p.Language.Say(words.GuildHistoryLine, words.Args{
			"who": who, "setting": "**" + c.Field + "**", "old": old, "new": now}))
	}
	return private(discord.Message{Embeds: []discord.Embed{{Title: p.Language.Say(words.GuildHistoryTitle, nil), Text: fit(b.String(), mostText)}}}), nil
}

// export answers with the settings as a file.
func (g *Guild) export(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	file, err := g.Book.Export(ctx, p.Place.Guild, p.Language)
	if err != nil {
		return discord.Answer{}, err
	}
	return private(discord.Message{Content: p.Language.Say(words.GuildExported, words.Args{"command": "/settings " + subImport}),
		Files: []discord.File{{Text: string(file), Name: fileName, Description: p.Language.Say(words.GuildExportAlt, nil)}}}), nil
}

// importFile takes such a file over, whole or not at all.
func (g *Guild) importFile(ctx context.Context, p *discord.Press) (discord.Answer, error) {
	l := p.Language
	file := p.Options["file"].File
	if file == nil {
		return say(l.Say(words.GuildNoFile, nil)), nil
	}
	if file.Size > largestFile {
		return say(l.Say(words.SettingsFileTooLarge, words.Args{"max": largestFile >> 10})), nil
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTime)
	defer cancel()
	data, err := g.Fetch(ctx, file.URL, largestFile)
	if err != nil {
		g.Log.Warn("a file of settings could not be fetched", "guild", p.Place.Guild, "error", err)
		return say(l.Say(words.GuildFileLost, nil)), nil
	}
	changes, err := g.Book.Import(ctx, p.Place.Guild, data, by(p, "import"), checker{g.platform})
	text, err := changed(l, changes, err)
	if err != nil {
		return discord.Answer{}, err
	}
	return say(text), nil
}
