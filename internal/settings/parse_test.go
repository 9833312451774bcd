package settings

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"rookery/internal/words"
)

func TestWhatPeopleWrite(t *testing.T) {
	t.Parallel()
	f := declareAll()
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, "%d ", 100+i)
		}
		return strings.TrimSpace(b.String())
	}
	for _, test := range []struct {
		field *Field
		good  map[string]string
		bad   map[string]words.Key
	}{
		{f.enabled.Field, map[string]string{"on": "true", " Yes ": "true", "да": "true", "TRUE": "true", "вкл": "true", "off": "false", "нет": "false", "no": "false"},
			map[string]words.Key{"": words.SettingsNotBool, "maybe": words.SettingsNotBool, "2": words.SettingsNotBool}},
		{f.daily.Field, map[string]string{"20": "20", " 007 ": "7", "-5": "-5", "−5": "-5", "+3": "3", "5,000": "5000", "5\u00a0000": "5000", "5000": "5000"},
			map[string]words.Key{"": words.SettingsNotInt, "1.5": words.SettingsNotInt, "1,5": words.SettingsNotInt, "x": words.SettingsNotInt, "0x10": words.SettingsNotInt,
				"-6": words.SettingsOutOfRange, "5001": words.SettingsOutOfRange, "99999999999999999999": words.SettingsNotInt}},
		{f.pause.Field, map[string]string{"90s": "1m30s", "1h30m": "1h30m", "1 h 30 min": "1h30m", "2 часа": "2h", "1 ч, 5 мин.": "1h5m", "2d": "48h", "48h": "48h", "10 seconds": "10s", "60m": "1h"},
			map[string]words.Key{"": words.SettingsNotDuration, "20": words.SettingsNoUnit, "0": words.SettingsOutOfRange, "9s": words.SettingsOutOfRange, "48h1s": words.SettingsOutOfRange,
				"-1h": words.SettingsNotDuration, "1m1h": words.SettingsNotDuration, "1h1h": words.SettingsNotDuration, "1.5h": words.SettingsNotDuration,
				"1y": words.SettingsNotDuration, "999999999d": words.SettingsNotDuration, "h": words.SettingsNotDuration}},
		{f.about.Field, map[string]string{"": "", " a\r\nb ": "a\nb", "none": "none", strings.Repeat("ж", 300): strings.Repeat("ж", 300), "a\x00\xffb": "a\uFFFDb"},
			map[string]words.Key{strings.Repeat("ж", 301): words.SettingsTooLong, strings.Repeat("a", longestRaw+1): words.SettingsTooLong}},
		{f.mood.Field, map[string]string{"calm": "calm", "OFF": "off", "выкл": "off", "text channel": "calm"}, map[string]words.Key{"": words.SettingsNotChoice, "angry": words.SettingsNotChoice}},
		{f.channel.Field, map[string]string{"": "", "none": "", "нет": "", "<#123>": "123", " 123 ": "123"},
			map[string]words.Key{"#general": words.SettingsNotChannel, "<@&123>": words.SettingsNotChannel, "<#1> <#2>": words.SettingsNotChannel, "0": words.SettingsNotChannel, "123456789012345678901": words.SettingsNotChannel}},
		{f.channels.Field, map[string]string{"": "", "none": "", "<#1><#2>": "1 2", "3, <#1>; 2\n3": "3 1 2", many(25): many(25), many(25) + " 100": many(25)},
			map[string]words.Key{"1 none": words.SettingsNotChannel, many(26): words.SettingsTooMany}},
		{f.role.Field, map[string]string{"<@&5>": "5", "5": "5", "-": ""}, map[string]words.Key{"<#5>": words.SettingsNotRole, "@everyone": words.SettingsNotRole}},
		{f.roles.Field, map[string]string{"<@&5>,<@&6>": "5 6", "none": ""}, map[string]words.Key{"5 <#6>": words.SettingsNotRole}},
		{f.zone.Field, map[string]string{"Europe/Berlin": "Europe/Berlin", "europe/berlin": "Europe/Berlin", "america/new york": "America/New_York", "utc": "UTC", "Etc/GMT+3": "Etc/GMT+3"},
			map[string]words.Key{"": words.SettingsNotZone, "Local": words.SettingsNotZone, "../etc/passwd": words.SettingsNotZone, "Mars/Base": words.SettingsNotZone, "+03:00": words.SettingsNotZone}},
		{f.language.Field, map[string]string{"en": "en", "RU": "ru", "ru_RU": "ru", "en-GB": "en", "русский": "ru", "English": "en"}, map[string]words.Key{"": words.SettingsNotChoice, "de": words.SettingsNotChoice}},
	} {
		for raw, want := range test.good {
			got, bad := test.field.Parse(raw)
			if bad != nil || got != want {
				t.Errorf("%s: %q became %q, %v, want %q", test.field.Name(), raw, got, bad, want)
			}
		}
		for raw, want := range test.bad {
			got, bad := test.field.Parse(raw)
			if bad == nil {
				t.Errorf("%s: %q became %q, want %s", test.field.Name(), raw, got, want)
				continue
			}
			if bad.Key != want || bad.Field != test.field {
				t.Errorf("%s: %q: %v of %v, want %s", test.field.Name(), raw, bad.Key, bad.Field, want)
			}
			for _, l := range words.Languages() {
				if s := bad.Say(l); strings.ContainsAny(s, "{}") {
					t.Errorf("%s says %q", bad.Key, s)
				}
			}
		}
	}
}

func TestWhatPeopleSee(t *testing.T) {
	t.Parallel()
	f := declareAll()
	for _, test := range []struct {
		field     *Field
		text      string
		want      string
		inRussian string
		bounds    string
	}{
		{f.enabled.Field, "true", "on", "вкл", "on or off"},
		{f.enabled.Field, "false", "off", "выкл", "on or off"},
		{f.daily.Field, "5000", "5,000", "5000", "from -5 to 5,000"},
		{f.pause.Field, "1h30m", "1h30m", "1h30m", "from 10s to 48h"},
		{f.about.Field, "", "none", "нет", "a text of at most 300 characters"},
		{f.about.Field, "Hello", "Hello", "Hello", "a text of at most 300 characters"},
		{f.mood.Field, "off", "off", "выкл", "one of: calm (text channel), off"},
		{f.channel.Field, "12", "<#12>", "<#12>", "a channel, or none"},
		{f.channels.Field, "12 13", "<#12>, <#13>", "<#12>, <#13>", "at most 25 channels, or none"},
		{f.role.Field, "12", "<@&12>", "<@&12>", "a role, or none"},
		{f.roles.Field, "", "none", "нет", "at most 25 roles, or none"},
		{f.zone.Field, "Europe/Berlin", "Europe/Berlin", "Europe/Berlin", "a time zone, like Europe/Berlin"},
		{f.language.Field, "ru", "Russian", "русский", "one of: en (English), ru (Russian)"},
	} {
		if got := test.field.Display(words.English, test.text); got != test.want {
			t.Errorf("%s: %q is shown as %q, want %q", test.field.Name(), test.text, got, test.want)
		}
		if got := test.field.Display(words.Russian, test.text); got != test.inRussian {
			t.Errorf("%s: %q is shown in Russian as %q, want %q", test.field.Name(), test.text, got, test.inRussian)
		}
		if got := test.field.Bounds(words.English); got != test.bounds {
			t.Errorf("%s: bounds %q, want %q", test.field.Name(), got, test.bounds)
		}
		// What is shown may be written.
		if test.text == "" && test.field.kind == KindText {
			continue
		}
		for _, l := range words.Languages() {
			if got, bad := test.field.Parse(test.field.Display(l, test.text)); bad != nil || got != test.text {
				t.Errorf("%s: what is shown of %q is read as %q, %v", test.field.Name(), test.text, got, bad)
			}
		}
	}
}

func TestProblemsOfThePlatformName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		p       *Problem
		en, rus string
	}{
		{Missing("12", []Permission{SendMessages, EmbedLinks}), "I lack permissions in <#12>: Send Messages, Embed Links.", "прав в <#12>: Отправлять сообщения, Встраивать ссылки."},
		{WrongKind("12", []ChannelKind{TextChannel, ForumChannel}), "one of: text channel, forum.", "один из: текстовый канал, форум."},
		{ChannelGone("12"), "<#12>", "<#12>"},
		{RoleGone("12"), "<@&12>", "<@&12>"},
	} {
		if got := test.p.Say(words.English); !strings.Contains(got, test.en) {
			t.Errorf("%q has no %q", got, test.en)
		}
		if got := test.p.Say(words.Russian); !strings.Contains(got, test.rus) {
			t.Errorf("%q has no %q", got, test.rus)
		}
	}
	for _, k := range []ChannelKind{TextChannel, AnnouncementChannel, ForumChannel, VoiceChannel, StageChannel, Thread, Category} {
		if k.key() == words.SettingsKindText && k != TextChannel {
			t.Errorf("the kind %s has no name", k)
		}
	}
	for _, p := range []Permission{ViewChannel, SendMessages, SendMessagesInThreads, EmbedLinks, AttachFiles, AddReactions, ReadMessageHistory, ManageMessages,
		CreatePublicThreads, ManageThreads, UseExternalEmojis, Connect, Speak} {
		if !strings.HasSuffix(string(p.Key()), string(p)) || words.English.Say(p.Key(), nil) == string(p.Key()) {
			t.Errorf("the permission %s has no name", p)
		}
	}
}

func TestMistakesInDeclarationsPanic(t *testing.T) {
	t.Parallel()
	for name, fn := range map[string]func(g *Group){
		"twice":           func(g *Group) { Bool(g, "a", true, ""); Bool(g, "a", true, "") },
		"default":         func(g *Group) { Int(g, "a", 5, 6, 7, "") },
		"default choice":  func(g *Group) { Choice(g, "a", "x", []Option{{"y", ""}}, "") },
		"default zone":    func(g *Group) { Zone(g, "a", "x", "") },
		"name":            func(g *Group) { Bool(g, "A b", true, "") },
		"name of a group": func(*Group) { NewGroup("a.b", "", "") },
		"option":          func(g *Group) { Choice(g, "a", "x", []Option{{"x", ""}, {"Y", ""}}, "") },
		"two groups":      func(g *Group) { New(Config{Groups: []*Group{g, NewGroup("g", "", "")}}) },
		"two books":       func(g *Group) { New(Config{Groups: []*Group{g}}); New(Config{Groups: []*Group{g}}) },
		"too late":        func(g *Group) { New(Config{Groups: []*Group{g}}); Bool(g, "a", true, "") },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			fn(NewGroup("g", "", ""))
		}()
	}
	g := NewGroup("g", "", "")
	if _, err := Bool(g, "a", true, "").In(t.Context(), guild); err == nil {
		t.Error("a group in no book was read")
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"", "on", "20", "-5,000", "1h30m", "2 ч 3 мин", "<#1><#2>, 3", "<@&5>", "none", "Europe/Berlin", "port-au-prince", "ru_RU", "a\r\n\x00\xffb", "9999999999d"} {
		f.Add(s)
	}
	all := declareAll()
	f.Fuzz(func(t *testing.T, raw string) {
		for _, g := range all.all {
			for _, field := range g.fields {
				text, bad := field.Parse(raw)
				if bad != nil {
					if bad.Field != field || bad.Error() == "" || text != "" {
						t.Errorf("%s: %q: problem %v with %q", field.Name(), raw, bad, text)
					}
					continue
				}
				again, bad := field.Parse(text)
				if bad != nil || again != text {
					t.Errorf("%s: %q became %q, and that %q, %v", field.Name(), raw, text, again, bad)
				}
				if strings.ContainsRune(text, 0) || !isText(text) {
					t.Errorf("%s: %q became %q, which cannot be stored", field.Name(), raw, text)
				}
			}
		}
	})
}

func isText(s string) bool { return strings.ToValidUTF8(s, "") == s }

func TestDurationsAreWrittenShort(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{0: "0s", time.Second: "1s", time.Minute: "1m", 10 * time.Minute: "10m", time.Hour: "1h", 24 * time.Hour: "24h",
		time.Hour + time.Second: "1h0m1s", 90 * time.Minute: "1h30m", 20*time.Hour + 20*time.Second: "20h0m20s"} {
		got := formatDuration(d)
		if got != want {
			t.Errorf("%v is %q, want %q", d, got, want)
		}
		if back, bad := parseDuration(got); bad != nil || back != d {
			t.Errorf("%q is read as %v, %v", got, back, bad)
		}
	}
}
