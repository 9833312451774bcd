package doctor

import (
	"fmt"
	"io"
	"strings"

	"rookery/internal/words"
)

// Print writes the lines and a summary, as plain text: the level comes first
// and in words, so that nothing depends on colour, and a screen reader says
// what matters before the rest.
func Print(w io.Writer, lines []Line, lang words.Language) error {
	for _, l := range lines {
		if err := PrintLine(w, l, lang); err != nil {
			return err
		}
	}
	return PrintSummary(w, lines, lang)
}

// PrintLine writes one line, and what to do below it.
func PrintLine(w io.Writer, l Line, lang words.Language) error {
	var b strings.Builder
	b.WriteString(lang.Say(levelKey(l.Level), nil) + ": ")
	if l.Account != "" {
		b.WriteString(l.Account + ": ")
	}
	b.WriteString(l.Text + "\n")
	if l.Help != "" {
		b.WriteString("    " + lang.Say(words.DoctorToDo, words.Args{"help": l.Help}) + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// PrintSummary writes how many lines there are of each level.
func PrintSummary(w io.Writer, lines []Line, lang words.Language) error {
	n := map[Level]int{}
	for _, l := range lines {
		n[l.Level]++
	}
	count := func(k words.Key, level Level) words.Phrase {
		return words.Phrase{Key: k, Args: words.Args{"n": n[level]}}
	}
	_, err := fmt.Fprintf(w, "\n%s\n", lang.Say(words.DoctorSummary, words.Args{
		"errors": count(words.DoctorErrors, Error), "warnings": count(words.DoctorWarnings, Warning), "fine": n[OK]}))
	return err
}

func levelKey(l Level) words.Key {
	switch l {
	case OK:
		return words.DoctorLevelOk
	case Warning:
		return words.DoctorLevelWarning
	}
	return words.DoctorLevelError
}

// oneLine makes text from outside fit for a terminal: one line without
// control characters, and not without an end.
func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069
	}), " ")
	return cut(s, 1500)
}

// cut shortens to most characters.
func cut(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return s
}
