package mydata

import (
	"strings"
	"testing"

	"rookery/internal/community"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// kinds are what accounts may do; what does nothing else answers.
func kinds() map[string]Does {
	return map[string]Does{
		"answers":           {Answers: true},
		"pictures":          {Pictures: true, Word: "gif"},
		"answers, pictures": {Answers: true, Pictures: true, Word: "bild"},
		"shares":            {Shares: true},
		"nothing else":      {},
	}
}

// An account's help speaks of what it does, and of nothing that it does not.
func TestHelpSpeaksOfWhatTheAccountDoes(t *testing.T) {
	t.Parallel()
	for name, does := range kinds() {
		model := does.Answers || !does.Pictures && !does.Shares
		for l, said := range map[words.Language]struct{ bot, model, picture, quota, own string }{
			words.English: {"I am a bot", "model", "picture", "“quota”", "my operator's own computer"},
			words.Russian: {"Я бот", "модель", "картинк", "«квота»", "компьютер того, кто за меня отвечает"},
		} {
			for _, who := range []struct{ operator, processor string }{{"olga@social.example", "llm.example"}, {"", ""}} {
				got := request{MyData: &MyData{Config: Config{Operator: who.operator, Processor: who.processor}}, does: does, l: l}.help()
				for part, want := range map[string]bool{
					said.bot: true, said.model: model || does.Shares, said.picture: does.Pictures, said.quota: model, " bild": model && does.Pictures,
					"olga at social.example": who.operator != "", "llm.example": model && who.processor != "", said.own: model && who.processor == "",
					"{": false, "@": false,
				} {
					if strings.Contains(got, part) != want {
						t.Errorf("an account that does %s: %q in its help is %v: %s", name, part, !want, got)
					}
				}
				if n := len([]rune(got)); n > shortPost {
					t.Errorf("an account that does %s: its help has %d characters", name, n)
				}
			}
		}
	}
}

func TestAnswersSpeakOfWhatTheAccountDoes(t *testing.T) {
	each(t, func(w *world) {
		for _, c := range []struct {
			kind, text, want, not string
		}{
			{"pictures", "stop", "All right", "model"},
			{"pictures", "stop", "already", "model"},
			{"pictures", "start", "Gladly", "model"},
			{"pictures", "quota", "no daily limit on pictures", "20"},
			{"pictures", "help", "animated picture", "model"},
			{"answers, pictures", "стоп", "модел", ""},
			{"answers, pictures", "старт", "модел", ""},
			{"answers, pictures", "квота", "0 из 20", ""},
			{"answers, pictures", "квота", "Картинки не считаются", ""},
			{"answers", "quota", "0 of 20", "icture"},
			{"nothing else", "stop", "model", "icture"},
			{"shares", "start", "I may ask you again", "answer"},
			{"shares", "stop", "I do not ask you any more", "answer"},
			{"shares", "stop", "already: I do not ask you", "answer"},
			{"shares", "help", "“delete posts” (on Discord)", "“delete answers”"},
			{"shares", "quota", "nothing to count", "20"},
		} {
			does := kinds()[c.kind]
			w.data.Does = func(community.AccountID) Does { return does }
			if got := w.says(w.ada, c.text, fedisim.Language("en")); !strings.Contains(got, c.want) || c.not != "" && strings.Contains(got, c.not) {
				w.Errorf("an account that does %s answers %q with %q", c.kind, c.text, got)
			}
		}
	})
}
