package settings

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"rookery/internal/community"
	"rookery/internal/words"
)

// Export is a guild's settings as a TOML file that a person can read, edit and
// give to Import: a section for each group, and all fields with help, default
// and bounds, in the given language, as comments.
func (b *Book) Export(ctx context.Context, guild community.GuildID, l words.Language) ([]byte, error) {
	sheet, err := b.Show(ctx, guild)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	var w strings.Builder
	comment(&w, l.Say(words.SettingsFileHeader, nil))
	var last *Group
	for _, v := range sheet.Values {
		f := v.Field
		w.WriteString("\n")
		if f.group != last {
			last = f.group
			comment(&w, l.Say(last.title, nil))
			comment(&w, l.Say(last.help, nil))
			fmt.Fprintf(&w, "[%s]\n\n", last.name)
		}
		comment(&w, l.Say(f.help, nil))
		comment(&w, l.Say(words.SettingsFileDefault, words.Args{"value": f.literal(f.def), "bounds": f.Bounds(l)}))
		fmt.Fprintf(&w, "%s = %s\n", f.name, f.literal(v.Text))
	}
	return []byte(w.String()), nil
}

// comment writes a text of any number of lines as a comment.
func comment(w *strings.Builder, text string) {
	for line := range strings.Lines(text) {
		line = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) && r != '\t' {
				return -1
			}
			return r
		}, strings.TrimRight(line, "\r\n"))
		w.WriteString(strings.TrimRight("# "+line, " ") + "\n")
	}
}

// literal is a canonical text as a TOML value.
func (f *Field) literal(text string) string {
	switch f.kind {
	case KindBool, KindInt:
		return text
	case KindChannels, KindRoles:
		items := f.Items(text)
		for i := range items {
			items[i] = quoted(items[i])
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return quoted(text)
}

// quoted is a TOML string, over several lines if the text has them.
// Source: https://toml.io/en/v1.0.0#string
func quoted(s string) string {
	var b strings.Builder
	quote := `"`
	if strings.Contains(s, "\n") {
		quote = `"""`
		b.WriteString(quote + "\n") // this first line break is not part of it
	} else {
		b.WriteString(quote)
	}
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteRune('\\')
			b.WriteRune(r)
		case r == '\t', r == '\n':
			b.WriteRune(r)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(quote)
	return b.String()
}
