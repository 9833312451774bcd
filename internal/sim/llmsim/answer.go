package llmsim

import (
	"hash/fnv"
	"strings"
	"unicode"
)

// Answer is what the model says.
type Answer struct {
	Text    string
	Refusal string // not empty: the model refuses in these words, and there is no text
	Finish  string // empty: "stop", or "length" when the text had to be cut
}

// fit cuts the text as the request's stop and max_tokens ask for, and says why
// the answer ends.
func (a Answer) fit(r Request) (text, finish string) {
	text, finish = a.Text, "stop"
	for _, stop := range r.Stop {
		if before, _, found := strings.Cut(text, stop); found && stop != "" {
			text = before
		}
	}
	if r.MaxTokens > 0 && Tokens(text) > r.MaxTokens {
		text, finish = string([]rune(text)[:4*r.MaxTokens]), "length"
	}
	if a.Finish != "" {
		finish = a.Finish
	}
	return text, finish
}

// Witty answers in one short line that takes up a few words of the last user
// message. The same message always gets the same line.
func Witty(r Request) Answer {
	asked := r.LastUser()
	words := lastWords(asked, 4)
	h := fnv.New32a()
	_, _ = h.Write([]byte(asked)) // a hash never fails
	if len(words) == 0 {
		quiet := []string{
			"A silence like that deserves a better audience than me.",
			"I would answer, but you seem to have posted the pause.",
		}
		return Answer{Text: quiet[h.Sum32()%uint32(len(quiet))]}
	}
	lines := []string{
		"Ah, “…”: I wound my clock around that very thought this morning.",
		"“…” – and they say the age of poetry is over.",
		"If “…” is the question, then tea is at least half of the answer.",
		"I filed “…” under things that are true on Tuesdays.",
		"“…”? My grandmother's cuckoo said the same, and she was never wrong before noon.",
	}
	line := lines[h.Sum32()%uint32(len(lines))]
	return Answer{Text: strings.Replace(line, "…", strings.Join(words, " "), 1)}
}

// lastWords are the last words of a text that are neither a name with an @
// nor a link, without the signs around them. A colon ends the name of who
// speaks, so nothing before it counts.
func lastWords(text string, most int) []string {
	var words []string
	for _, f := range strings.Fields(text) {
		if strings.Contains(f, "@") || strings.Contains(f, "://") {
			if strings.HasSuffix(f, ":") {
				words = nil
			}
			continue
		}
		w := strings.TrimFunc(f, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		if r := []rune(w); len(r) > 24 {
			w = string(r[:24])
		}
		if w != "" {
			words = append(words, w)
		}
	}
	return words[max(0, len(words)-most):]
}
