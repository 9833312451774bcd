package words

import (
	"strings"
	"testing"
	"testing/fstest"
)

func TestParseCommand(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Command{
		"help": Help, " Help! ": Help, "HELP...": Help, "help ?!": Help, "помощь": Help, "Помощь.": Help,
		"stop": Stop, "СТОП!": Stop, "start": Start, "старт": Start,
		"mydata": MyData, "my data": MyData, "My  Data": MyData, "my\ndata": MyData, "my\u00a0data": MyData, "мои данные": MyData,
		"forget me": ForgetMe, "Забудь меня…": ForgetMe,
		"delete answers": DeleteAnswers, "удали ответы": DeleteAnswers,
		"quota?": Quota, "квота": Quota, "/help": Help, "\"help\"": Help, "“stop”": Stop, "«забудь меня»": ForgetMe, "\u2068quota\u2069": Quota, "\ufeffquota\u200b": Quota,
	} {
		if got, ok := ParseCommand(text); !ok || got != want {
			t.Errorf("%q is %q, %t; want %q", text, got, ok, want)
		}
	}
	for _, text := range []string{
		"", " ", "!", "?help", "help me", "please stop", "stop it", "don't stop", "forget", "me", "data", "help\x00", "«»",
		"stop stop", "s top", "помощь!!!я", "не забудь меня", "stop" + strings.Repeat(" ", longestCommand), strings.Repeat("help", 1000),
	} {
		if got, ok := ParseCommand(text); ok {
			t.Errorf("%q is taken for %q", text, got)
		}
	}
}

func TestEveryCommandHasAWordInEveryLanguage(t *testing.T) {
	t.Parallel()
	if _, err := loadCommands(files); err != nil {
		t.Fatal(err)
	}
	for _, l := range append(Languages(), "de") {
		for _, c := range Commands() {
			if got, ok := ParseCommand(l.Word(c)); !ok || got != c {
				t.Errorf("%s in %s: its word %q means %q", c, l, l.Word(c), got)
			}
		}
	}
	if w := English.Word("no_such"); w != "" {
		t.Errorf("an unknown command has the word %q", w)
	}
}

func TestBrokenCommandsAreReported(t *testing.T) {
	t.Parallel()
	whole := "help=['a']\nstop=['b']\nstart=['c']\nmy_data=['d']\nforget_me=['e']\ndelete_answers=['f']\nquota=['g']\n"
	for name, test := range map[string]struct{ text, want string }{
		"not TOML":        {"help", "commands in en"},
		"missing":         {strings.Replace(whole, "quota=['g']", "", 1), "quota has no word"},
		"unknown":         {whole + "dance=['h']", "no command dance"},
		"two of one word": {strings.Replace(whole, "'g'", "'A!'", 1), "is quota and help"},
	} {
		_, err := loadCommands(fstest.MapFS{"commands/en.toml": {Data: []byte(test.text)}, "commands/ru.toml": {Data: []byte(whole)}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: error %v, want %q in it", name, err, test.want)
		}
	}
}

func FuzzParseCommand(f *testing.F) {
	for _, s := range []string{"help", "Мои  данные!", "\u2068stop\u2069", "\xff", "İ"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, ok := ParseCommand(text)
		if !ok {
			return
		}
		// A command's text is as long as one of its words, space and
		// punctuation aside: nothing that says more is ever taken for it.
		kept := fold(text)
		for _, l := range Languages() {
			for _, other := range Commands() {
				if fold(l.Word(other)) == kept && other != c {
					t.Errorf("%q is %s, but its word is %s's", text, c, other)
				}
			}
		}
		if again, _ := ParseCommand(kept + " !"); again != c {
			t.Errorf("%q is %s, and folded %q it is %s", text, c, kept, again)
		}
	})
}
