package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/words"
)

// MostItems is how many channels or roles a list may have: what one select
// menu offers.
const MostItems = 25

// Bool declares a field that is on or off.
func Bool(g *Group, name string, def bool, help words.Key) *Setting[bool] {
	f := &Field{name: name, kind: KindBool, help: help}
	f.parseText = func(raw string) (string, any, *Problem) {
		on, ok := parseBool(raw)
		if !ok {
			return "", nil, problem(words.SettingsNotBool, words.Args{"value": clip(raw)})
		}
		return strconv.FormatBool(on), on, nil
	}
	return declare[bool](g, f, strconv.FormatBool(def))
}

// Int declares a whole number from low to high.
func Int(g *Group, name string, def, low, high int, help words.Key) *Setting[int] {
	f := &Field{name: name, kind: KindInt, help: help, min: int64(low), max: int64(high)}
	f.parseText = func(raw string) (string, any, *Problem) {
		n, ok := parseInt(raw)
		if !ok {
			return "", nil, problem(words.SettingsNotInt, words.Args{"value": clip(raw)})
		}
		if n < f.min || n > f.max {
			return "", nil, problem(words.SettingsOutOfRange, words.Args{"min": low, "max": high})
		}
		return strconv.FormatInt(n, 10), int(n), nil
	}
	return declare[int](g, f, strconv.Itoa(def))
}

// Duration declares a length of time of whole seconds, from low to high.
func Duration(g *Group, name string, def, low, high time.Duration, help words.Key) *Setting[time.Duration] {
	f := &Field{name: name, kind: KindDuration, help: help, min: int64(low / time.Second), max: int64(high / time.Second)}
	f.parseText = func(raw string) (string, any, *Problem) {
		d, bad := parseDuration(raw)
		if bad != nil {
			return "", nil, bad
		}
		if d < low || d > high {
			return "", nil, problem(words.SettingsOutOfRange, words.Args{"min": formatDuration(low), "max": formatDuration(high)})
		}
		return formatDuration(d), d, nil
	}
	return declare[time.Duration](g, f, formatDuration(def))
}

// Text declares a text of at most so many characters; it may be empty. White
// space around it goes.
func Text(g *Group, name, def string, most int, help words.Key) *Setting[string] {
	f := &Field{name: name, kind: KindText, help: help, max: int64(most)}
	f.parseText = func(raw string) (string, any, *Problem) {
		s := store.Storable(raw, longestRaw)
		s = strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"))
		if n := utf8.RuneCountInString(s); n > most {
			return "", nil, problem(words.SettingsTooLong, words.Args{"n": n, "max": most})
		}
		return s, s, nil
	}
	return declare[string](g, f, def)
}

// Choice declares one of a few values. People may write the value or its label
// in any language of the catalogue.
func Choice[T ~string](g *Group, name string, def T, options []Option, help words.Key) *Setting[T] {
	f := &Field{name: name, kind: KindChoice, help: help, options: slices.Clone(options)}
	for _, o := range options {
		checkWord(o.Value)
	}
	f.parseText = func(raw string) (string, any, *Problem) {
		v, ok := f.option(raw)
		if !ok {
			return "", nil, problem(words.SettingsNotChoice, words.Args{"value": clip(raw), "choices": f.labels()})
		}
		return v, T(v), nil
	}
	return declare[T](g, f, string(def))
}

// option finds a value by what a person calls it; values before labels.
func (f *Field) option(raw string) (string, bool) {
	raw = strings.TrimSpace(raw)
	for _, o := range f.options {
		if strings.EqualFold(raw, o.Value) {
			return o.Value, true
		}
	}
	for _, o := range f.options {
		for _, l := range words.Languages() {
			if strings.EqualFold(raw, l.Say(o.Label, nil)) {
				return o.Value, true
			}
		}
	}
	return "", false
}

func (f *Field) labels() phrases {
	var all phrases
	for _, o := range f.options {
		all = append(all, o.Label)
	}
	return all
}

// Language declares a language of the catalogue.
func Language(g *Group, name string, def words.Language, help words.Key) *Setting[words.Language] {
	f := &Field{name: name, kind: KindLanguage, help: help}
	for _, l := range words.Languages() {
		f.options = append(f.options, Option{string(l), languageName(l)})
	}
	f.parseText = func(raw string) (string, any, *Problem) {
		v, ok := f.option(raw)
		if !ok { // "en-GB", "ru_RU"
			base, _, _ := strings.Cut(strings.ReplaceAll(strings.TrimSpace(raw), "_", "-"), "-")
			if v, ok = f.option(base); !ok {
				return "", nil, problem(words.SettingsNotChoice, words.Args{"value": clip(raw), "choices": f.labels()})
			}
		}
		return v, words.Language(v), nil
	}
	return declare[words.Language](g, f, string(def))
}

func languageName(l words.Language) words.Key {
	if l == words.Russian {
		return words.SettingsLanguageRussian
	}
	return words.SettingsLanguageEnglish
}

// Zone declares a time zone by its IANA name.
func Zone(g *Group, name, def string, help words.Key) *Setting[*time.Location] {
	f := &Field{name: name, kind: KindZone, help: help}
	f.parseText = func(raw string) (string, any, *Problem) {
		z, ok := parseZone(raw)
		if !ok {
			return "", nil, problem(words.SettingsNotZone, words.Args{"value": clip(raw)})
		}
		return z.String(), z, nil
	}
	return declare[*time.Location](g, f, def)
}

// Channel declares a channel that is fit for something; none by default.
func Channel(g *Group, name string, rule ChannelRule, help words.Key) *Setting[community.ChannelID] {
	f := &Field{name: name, kind: KindChannel, help: help, rule: rule.clone()}
	f.parseText = one[community.ChannelID](channelID, words.SettingsNotChannel)
	return declare[community.ChannelID](g, f, "")
}

// Channels declares a list of at most 25 channels, each fit for something;
// empty by default.
func Channels(g *Group, name string, rule ChannelRule, help words.Key) *Setting[[]community.ChannelID] {
	f := &Field{name: name, kind: KindChannels, help: help, rule: rule.clone(), max: MostItems}
	f.parseText = several[community.ChannelID](channelID, words.SettingsNotChannel)
	return declare[[]community.ChannelID](g, f, "")
}

// Role declares a role; none by default.
func Role(g *Group, name string, help words.Key) *Setting[community.RoleID] {
	f := &Field{name: name, kind: KindRole, help: help}
	f.parseText = one[community.RoleID](roleID, words.SettingsNotRole)
	return declare[community.RoleID](g, f, "")
}

// Roles declares a list of at most 25 roles; empty by default.
func Roles(g *Group, name string, help words.Key) *Setting[[]community.RoleID] {
	f := &Field{name: name, kind: KindRoles, help: help, max: MostItems}
	f.parseText = several[community.RoleID](roleID, words.SettingsNotRole)
	return declare[[]community.RoleID](g, f, "")
}

// one parses an id, or none.
func one[T ~string](id func(string) (string, bool), wrong words.Key) func(string) (string, any, *Problem) {
	return func(raw string) (string, any, *Problem) {
		if isNone(raw) {
			return "", T(""), nil
		}
		s, ok := id(strings.TrimSpace(raw))
		if !ok {
			return "", nil, problem(wrong, words.Args{"value": clip(raw)})
		}
		return s, T(s), nil
	}
}

// several parses a list of ids, each kept once, in the order given.
func several[T ~string](id func(string) (string, bool), wrong words.Key) func(string) (string, any, *Problem) {
	return func(raw string) (string, any, *Problem) {
		list := []T{}
		if isNone(raw) {
			return "", list, nil
		}
		var texts []string
		for _, item := range split(raw) {
			s, ok := id(item)
			if !ok {
				return "", nil, problem(wrong, words.Args{"value": clip(item)})
			}
			if !slices.Contains(texts, s) {
				texts = append(texts, s)
				list = append(list, T(s))
			}
			if len(list) > MostItems {
				return "", nil, problem(words.SettingsTooMany, words.Args{"max": MostItems})
			}
		}
		return strings.Join(texts, " "), list, nil
	}
}

// Items are the ids in the canonical text of a channel, a role or a list of
// them; empty for none.
func (f *Field) Items(text string) []string {
	switch f.kind {
	case KindChannel, KindChannels, KindRole, KindRoles:
		return strings.Fields(text)
	}
	return nil
}

// Display is how a canonical text is shown to people: "on", "1h30m", a label,
// a mention as Discord writes it (<#1>, <@&1>), which Parse takes too.
func (f *Field) Display(l words.Language, text string) string {
	switch f.kind {
	case KindBool:
		if text == "true" {
			return l.Say(words.SettingsOn, nil)
		}
		return l.Say(words.SettingsOff, nil)
	case KindInt:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return l.Number(n)
		}
	case KindChoice, KindLanguage:
		for _, o := range f.options {
			if o.Value == text {
				return l.Say(o.Label, nil)
			}
		}
	case KindChannel, KindChannels, KindRole, KindRoles:
		form := "<#%s>"
		if f.kind == KindRole || f.kind == KindRoles {
			form = "<@&%s>"
		}
		items := f.Items(text)
		for i := range items {
			items[i] = fmt.Sprintf(form, items[i])
		}
		text = strings.Join(items, ", ")
	}
	if text == "" {
		return l.Say(words.SettingsNone, nil)
	}
	return text
}

// Bounds says what a value may be: "from 1 to 20", "one of: …".
func (f *Field) Bounds(l words.Language) string {
	switch f.kind {
	case KindBool:
		return l.Say(words.SettingsBoundsBool, nil)
	case KindInt:
		return l.Say(words.SettingsBoundsRange, words.Args{"min": f.min, "max": f.max})
	case KindDuration:
		return l.Say(words.SettingsBoundsRange, words.Args{"min": formatDuration(time.Duration(f.min) * time.Second), "max": formatDuration(time.Duration(f.max) * time.Second)})
	case KindText:
		return l.Say(words.SettingsBoundsText, words.Args{"max": f.max})
	case KindChoice, KindLanguage:
		values := make([]string, len(f.options))
		for i, o := range f.options {
			values[i] = o.Value
			if label := l.Say(o.Label, nil); !strings.EqualFold(label, o.Value) {
				values[i] += " (" + label + ")"
			}
		}
		return l.Say(words.SettingsBoundsChoice, words.Args{"choices": strings.Join(values, ", ")})
	case KindChannel:
		return l.Say(words.SettingsBoundsChannel, nil)
	case KindRole:
		return l.Say(words.SettingsBoundsRole, nil)
	case KindChannels:
		return l.Say(words.SettingsBoundsChannels, words.Args{"max": f.max})
	case KindRoles:
		return l.Say(words.SettingsBoundsRoles, words.Args{"max": f.max})
	}
	return l.Say(words.SettingsBoundsZone, nil)
}
