package config

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// load reads the env_file; line is where the configuration names it.
func (s *secrets) load(path string, line int) {
	data, err := s.read(path)
	if errors.Is(err, fs.ErrNotExist) && !s.tokens {
		return // whoever logs in may be about to write it
	}
	if err != nil {
		s.rep.mistake(line, "env_file", "env_file: %s cannot be read: %s (a relative path starts at %s)", path, reason(err), s.dir)
		return
	}
	vars, bad := parseEnv(string(data))
	for _, b := range bad {
		s.rep.mistake(line, "env_file", "env_file: %s:%d: %s", filepath.Base(path), b.line, b.message)
	}
	s.extra = vars
}

type envProblem struct {
	line    int
	message string
}

// parseEnv reads NAME=value lines. "export " before the name is allowed, and
// so are quotes: between single ones nothing is special, between double ones
// \n, \t, \" and \\ are. Without quotes a # after a space begins a comment.
// A later line of the same name goes over an earlier one. Problems never hold
// any of the text.
func parseEnv(data string) (map[string]string, []envProblem) {
	vars := map[string]string{}
	var bad []envProblem
	data = strings.TrimPrefix(data, "\ufeff")
	for i, line := range strings.Split(data, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		if rest, ok := strings.CutPrefix(line, "export"); ok && strings.TrimLeft(rest, " \t") != rest {
			line = strings.TrimSpace(rest)
		}
		name, val, found := strings.Cut(line, "=")
		name = strings.TrimSpace(name)
		if !found || isVariable(name) != "" {
			bad = append(bad, envProblem{i + 1, "expected NAME=value"})
			continue
		}
		val, err := unquote(strings.TrimSpace(val))
		if err != nil {
			bad = append(bad, envProblem{i + 1, err.Error()})
			continue
		}
		vars[name] = val
	}
	return vars, bad
}

func unquote(s string) (string, error) {
	if s == "" || (s[0] != '"' && s[0] != '\'') {
		for i := range s {
			if s[i] == '#' && (i == 0 || s[i-1] == ' ' || s[i-1] == '\t') {
				return strings.TrimSpace(s[:i]), nil
			}
		}
		return s, nil
	}
	quote := s[0]
	var b strings.Builder
	for i := 1; i < len(s); i++ {
		c := s[i]
		switch {
		case c == quote:
			if rest := strings.TrimSpace(s[i+1:]); rest != "" && rest[0] != '#' {
				return "", fmt.Errorf("there is something after the closing quote")
			}
			return b.String(), nil
		case c == '\\' && quote == '"' && i+1 < len(s):
			i++
			switch s[i] {
			case 'n':
				b.WriteByte('\n')
			case 't':
				b.WriteByte('\t')
			case '"', '\\', '$', '`':
				b.WriteByte(s[i])
			default:
				b.WriteByte('\\')
				b.WriteByte(s[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return "", fmt.Errorf("the closing quote is missing")
}
