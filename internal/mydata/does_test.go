package mydata

import (
	"strings"
	"testing"

	"rookery/internal/community"
	"rookery/internal/sim/fedisim"
)

// An account speaks of what it does, and of nothing that it does not.
func TestAnswersSpeakOfWhatTheAccountDoes(t *testing.T) {
	each(t, func(w *world) {
		for name, does := range map[string]Does{
			"answers":            {Answers: true},
			"pictures":           {Pictures: true, Word: "gif"},
			"answers, pictures":  {Answers: true, Pictures: true, Word: "bild"},
			"nothing":           {}, // as one that answers
		} {
			w.data.Does = func(community.AccountID) Does { return does }
			model := !does.Pictures || does.Answers
			for language, l := range map[string]struct{ help, stop, start, quota, model, picture, word, count string }{
				"en": {"help", "stop", "start", "quota", "model", "icture", "“quota”", " of 20"},
				"ru": {"помощь", "стоп", "старт", "квота", "модел", "артин", "«квота»", " из 20"},
			} {
				answer := func(text string, want map[string]bool) {
					w.Helper()
					got := w.says(w.ada, text, fedisim.Language(language))
					for part, there := range want {
						if strings.Contains(got, part) != there {
							w.Errorf("an account that does %s answers %q: %q in it is %v: %s", name, text, part, !there, got)
						}
					}
				}
				answer(l.help, map[string]bool{l.model: model, "llm.example": model, l.word: model, l.picture: does.Pictures,
					" bild": model && does.Pictures, "me at " + w.sim.Domain(): true})
				answer(l.stop, map[string]bool{l.model: model})
				answer(l.stop, map[string]bool{l.model: model})
				answer(l.start, map[string]bool{l.model: model})
				answer(l.quota, map[string]bool{l.count: model, l.picture: does.Pictures})
			}
		}
		for _, p := range w.sim.PostsBy(w.bot.ID) {
			if n := len([]rune(p.Text)); n > 500 {
				w.Errorf("a post of %d characters: %s", n, p.Text)
			}
		}
	})
}

// Without an operator to name, the help of each kind of account has no gap.
func TestHelpWithoutAnOperator(t *testing.T) {
	each(t, func(w *world) {
		w.data.Operator, w.data.Processor = "", ""
		for _, does := range []Does{{Answers: true}, {Pictures: true, Word: "gif"}, {Answers: true, Pictures: true, Word: "gif"}} {
			w.data.Does = func(community.AccountID) Does { return does }
			for text, want := range map[string]string{"help": "I am a bot.", "помощь": "Я бот."} {
				if got := w.says(w.ada, text); !strings.Contains(got, want) || strings.ContainsAny(got, "{}") {
					w.Errorf("%+v: %q is answered %q", does, text, got)
				}
			}
		}
	})
}
