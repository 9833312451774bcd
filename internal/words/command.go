package words

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"unicode"

	"github.com/pelletier/go-toml/v2"
)

// Command is what a member may ask for by sending a certain word alone.
type Command string

// The commands. commands/LANGUAGE.toml has the words for each.
const (
	Help          Command = "help"
	Stop          Command = "stop"
	Start         Command = "start"
	MyData        Command = "my_data"
	ForgetMe      Command = "forget_me"
	DeleteAnswers Command = "delete_answers"
	DeletePosts   Command = "delete_posts"
	Quota         Command = "quota"
)

// Commands are all commands, in the order in which a help text shows them.
func Commands() []Command {
	return []Command{Help, Stop, Start, MyData, ForgetMe, DeleteAnswers, DeletePosts, Quota}
}

// longestCommand bounds what is looked at; no command is nearly as long.
const longestCommand = 200

// ParseCommand tells whether a text, the mentions taken out of it, is a command
// and nothing else, in any of the languages. Case, space, invisible characters
// and punctuation at the end do not matter; every other character does.
func ParseCommand(text string) (Command, bool) {
	if len(text) > longestCommand {
		return "", false
	}
	c, ok := commands().meaning[fold(text)]
	return c, ok
}

// Word is what a member sends for the command in this language; "" for an
// unknown command.
func (l Language) Word(c Command) string {
	words := commands().words
	if w, ok := words[l][c]; ok {
		return w
	}
	return words[English][c]
}

// fold leaves of a text what decides whether it is a command.
func fold(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Cf, r) {
			return -1 // direction marks that clients put around mentions
		}
		return unicode.ToLower(r)
	}, text)
	text = strings.Join(strings.Fields(text), " ")
	// As help texts show them, and as other bots want them: “stop”, /stop.
	text = strings.TrimLeft(text, "/\"'“”„«»‘’")
	return strings.TrimRightFunc(text, func(r rune) bool { return unicode.IsPunct(r) || r == ' ' })
}

// commandWords are the words of all languages.
type commandWords struct {
	meaning map[string]Command              // of each word, folded
	words   map[Language]map[Command]string // the first of each command
}

var commands = sync.OnceValue(func() commandWords {
	w, _ := loadCommands(files)
	return w
})

// loadCommands reads commands/LANGUAGE.toml; like load, it returns what it
// could read.
func loadCommands(files fs.FS) (commandWords, error) {
	w := commandWords{map[string]Command{}, map[Language]map[Command]string{}}
	var wrong []error
	for _, l := range Languages() {
		w.words[l] = map[Command]string{}
		var entries map[Command][]string
		b, err := fs.ReadFile(files, "commands/"+string(l)+".toml")
		if err == nil {
			err = toml.Unmarshal(b, &entries)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("commands in %s: %w", l, err))
			continue
		}
		for _, c := range Commands() {
			if len(entries[c]) == 0 {
				wrong = append(wrong, fmt.Errorf("commands in %s: %s has no word", l, c))
				continue
			}
			w.words[l][c] = entries[c][0]
			for _, word := range entries[c] {
				if other, ok := w.meaning[fold(word)]; ok && other != c {
					wrong = append(wrong, fmt.Errorf("commands in %s: %q is %s and %s", l, word, other, c))
				}
				w.meaning[fold(word)] = c
			}
			delete(entries, c)
		}
		for c := range entries {
			wrong = append(wrong, fmt.Errorf("commands in %s: there is no command %s", l, c))
		}
	}
	return w, errors.Join(wrong...)
}
