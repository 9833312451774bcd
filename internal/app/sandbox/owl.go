package sandbox

import (
	"regexp"
	"strings"

	"rookery/internal/sim/llmsim"
)

// owl plays the model: a clockwork owl who takes up the words of the question
// and of the post that the thread began with, so that a reader sees what the
// model was given.
func owl(r llmsim.Request) llmsim.Answer {
	var said []string
	for _, m := range r.Messages {
		if m.Role == "user" {
			said = append(said, spoken(m.Text))
		}
	}
	if len(said) == 0 {
		return llmsim.Answer{Text: "Hoo. Nobody has asked me anything yet."}
	}
	question := said[len(said)-1]
	var b strings.Builder
	b.WriteString("Hoo. ")
	if len(said) > 1 {
		b.WriteString("Up there it says “" + firstWords(said[0], 6) + "”, and you ask “" + firstWords(question, 12) + "” ")
	} else {
		b.WriteString("“" + firstWords(question, 12) + "” ")
	}
	ends := []string{
		"I have turned that over on every cogwheel I own, and I would trust the slower clock.",
		"My mainspring says yes, and it has only ever been wrong about the weather.",
		"Wind it up, set it down and look again at noon: most things tick by then.",
		"I would oil it first and worry about it afterwards.",
		"Between one tick and the next there is always time for a mouse.",
		"The cuckoo claims to know, but she says the same thing every hour.",
		"I was built in an age that left such things to the pendulum.",
	}
	b.WriteString(ends[r.Number%len(ends)])
	return llmsim.Answer{Text: b.String()}
}

// tag is what a prompt puts around a member's words.
var tag = regexp.MustCompile(`</?\w+[^>\n]*>|\(content warning: [^\n]*\)\n`)

// spoken is a member's own words, without what the prompt puts around them.
func spoken(text string) string { return strings.TrimSpace(tag.ReplaceAllString(text, " ")) }

// firstWords are the first words of a text, without handles.
func firstWords(text string, most int) string {
	var kept []string
	for _, w := range strings.Fields(text) {
		if strings.Contains(w, "@") {
			continue
		}
		if len(kept) == most {
			return strings.TrimRight(strings.Join(kept, " "), ".,;:!?") + "…"
		}
		kept = append(kept, w)
	}
	return strings.Join(kept, " ")
}
