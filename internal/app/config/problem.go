package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one mistake in the file, or one warning about it. It never holds
// a secret.
type Problem struct {
	File    string // as the caller named it
	Line    int    // from 1; 0 if the message names it, or if it is about none
	Key     string // path of the key, like "llm.model"; empty when it is about none
	Message string
}

// String is "file:line: message".
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Message)
}

// Errors are all mistakes of a file, in the order of their lines.
type Errors []Problem

// Error lists the mistakes, one a line.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.String()
	}
	return strings.Join(lines, "\n")
}

// report gathers problems.
type report struct {
	file     string
	mistakes Errors
	warnings []Problem
}

func (r *report) mistake(line int, key, format string, args ...any) {
	r.mistakes = append(r.mistakes, Problem{r.file, max(line, 1), key, fmt.Sprintf(format, args...)})
}

func (r *report) warn(line int, key, format string, args ...any) {
	r.warnings = append(r.warnings, Problem{r.file, max(line, 1), key, fmt.Sprintf(format, args...)})
}

func (r *report) sorted() Errors {
	slices.SortStableFunc(r.mistakes, func(a, b Problem) int { return cmp.Compare(a.Line, b.Line) })
	return slices.Compact(r.mistakes)
}
