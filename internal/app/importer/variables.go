package importer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"
)

// readVariables reads a file of variables as a shell would, as far as such
// files go. Its errors name lines, never what is in them.
func readVariables(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the settings: %w", err)
	}
	vars, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return vars, nil
}

var (
	assignment = regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)=(.*)$`)
	// idle are the lines of a shell's that change no variable of ours.
	idle = regexp.MustCompile(`^(?:set[ \t]+[-+]\w+|export(?:[ \t]+[A-Za-z_][A-Za-z0-9_]*)+)$`)
)

// parse reads NAME=value lines: with or without export, with quotes of either
// kind or none, comments, and either system's line ends. Of two lines of one
// name the later counts.
func parse(data []byte) (map[string]string, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := strings.ReplaceAll(string(data), "\r\n", "\n")
	switch trimmed := strings.TrimSpace(text); {
	case len(data) > maxFile:
		return nil, fmt.Errorf("it is larger than %d KiB: give the file with the bot's variables, secrets.env", maxFile>>10)
	case trimmed == "":
		return nil, errors.New("it is empty: give the file with the bot's variables, secrets.env")
	case strings.ContainsRune(text, 0) || !utf8.ValidString(text):
		return nil, errors.New("it is no text: give the file with the bot's variables, secrets.env")
	case trimmed[0] == '<':
		return nil, errors.New("it is a web page: save the file itself, not the page that shows it")
	case trimmed[0] == '{' || trimmed[0] == '[':
		return nil, errors.New("it is not a file of NAME=value lines: give the file with the bot's variables, secrets.env")
	}
	vars := map[string]string{}
	var wrong []error
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || idle.MatchString(line) {
			continue
		}
		m := assignment.FindStringSubmatch(line)
		if m == nil {
			wrong = append(wrong, fmt.Errorf("line %d: expected NAME=value, without a space around the =", i+1))
			continue
		}
		value, err := unquote(m[2])
		if err != nil {
			wrong = append(wrong, fmt.Errorf("line %d: %w", i+1, err))
			continue
		}
		vars[m[1]] = value
	}
	const most = 10
	if len(wrong) > most {
		wrong = append(wrong[:most], fmt.Errorf("and so on: is this really the file with the bot's variables, secrets.env?"))
	}
	return vars, errors.Join(wrong...)
}

// unquote is the value of what stands after the =, as a shell takes it: pieces
// with and without quotes may follow each other. What only a shell can work
// out is an error.
func unquote(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ' ', '\t', ';':
			rest := strings.TrimLeft(s[i:], " \t;")
			if rest != "" && rest[0] != '#' {
				return "", errors.New("there is something after the value: put quotes around a value with spaces")
			}
			return b.String(), nil
		case '\'':
			end := strings.IndexByte(s[i+1:], '\'')
			if end < 0 {
				return "", errors.New("the closing quote is missing")
			}
			b.WriteString(s[i+1 : i+1+end])
			i += end + 1
		case '"':
			n, err := double(&b, s[i+1:])
			if err != nil {
				return "", err
			}
			i += n
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '$', '`':
			return "", errors.New("the value is worked out from something else: write the value itself")
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), nil
}

// double reads a text up to its closing double quote and returns how far it
// went, that quote included.
func double(b *strings.Builder, s string) (int, error) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"':
			return i + 1, nil
		case c == '$' || c == '`':
			return 0, errors.New("the value is worked out from something else: write the value itself")
		case c == '\\' && i+1 < len(s) && strings.IndexByte("\"\\$`", s[i+1]) >= 0:
			i++
			b.WriteByte(s[i])
		default:
			b.WriteByte(c)
		}
	}
	return 0, errors.New("the closing quote is missing")
}
