// Package texts holds what the operator says in other words than the
// catalogue: texts of a closed list of keys, from a TOML file with a section
// for each language.
//
//	[en]
//	gallery.terms = "Our terms: https://art.example/terms"
//
//	[ru]
//	gallery.terms = "Наши правила: https://art.example/terms"
//
// A text keeps the placeholders of the catalogue's, and its plural forms as a
// table where that has some. What the file leaves out is said as the catalogue
// says it.
//
// It leaves to others which keys there are, and what a text may hold beside
// that: nothing is escaped, and no mention is taken out.
package texts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"rookery/internal/words"
)

// Key is a text that may be changed.
type Key struct {
	Name words.Key
	// Most is how many characters it may have, as Discord counts them (those
	// beyond U+FFFF twice), without its placeholders: the room for their
	// values is not in it. 0 means no limit.
	Most int
}

// Texts are the operator's. A nil *Texts has none.
type Texts struct {
	own map[words.Language]map[words.Key]words.Template
}

// maxFile is the most that is read of a file, in bytes.
const maxFile = 256 << 10

// Load reads a file. Its error names all that is wrong, each with its line and
// what to do; one that wraps fs.ErrNotExist says that there is no such file.
func Load(path string, keys []Key) (*Texts, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("there is no file of texts %s: write it, or take its name out of the configuration: %w", path, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("read the texts: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("read the texts: %w", err)
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s is larger than %d KiB: is this really the file of texts?", path, maxFile>>10)
	}
	t, err := parse(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), keys)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return t, nil
}

// Say is the operator's text of a key, or the catalogue's, with its
// placeholders filled in as words.Language.Say does. A language that the
// catalogue does not have is English.
func (t *Texts) Say(l words.Language, k words.Key, a words.Args) string {
	if t != nil {
		if own, ok := t.own[known(l)][k]; ok {
			return l.Fill(own, a)
		}
	}
	return l.Say(k, a)
}

// Changed tells whether the key's text is the operator's own in that language.
func (t *Texts) Changed(l words.Language, k words.Key) bool {
	if t == nil {
		return false
	}
	_, ok := t.own[known(l)][k]
	return ok
}

// known is the language whose texts are said to l.
func known(l words.Language) words.Language {
	for _, has := range words.Languages() {
		if l == has {
			return l
		}
	}
	return words.English
}
