package discord

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"rookery/internal/words"
)

// Limits of commands. Source: interactions/application-commands, "Registering a
// Command" and "Application Command Structure".
const (
	maxOptions     = 25
	maxCommandName = 32
	maxCommandHelp = 100
	maxCommandText = 8000 // names, descriptions and values of a command together
	maxTextOption  = 6000 // characters of a text that is given
)

// checker collects the mistakes in declared commands.
type checker struct {
	name     *regexp.Regexp
	mistakes []error
}

// checkCommands finds everything in the declarations that Discord would
// refuse; one refusal would leave a guild without any command.
func checkCommands(all []Command) error {
	// Source: interactions/application-commands, "Application Command Naming".
	k := &checker{name: regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)}
	count, seen := map[CommandKind]int{}, map[string]bool{}
	for i := range all {
		c := &all[i]
		count[c.kind()]++
		for locale, name := range k.names(c) {
			id := fmt.Sprint(c.kind(), locale, name)
			if seen[id] {
				k.add("command %q: its name %q (%s) is taken", c.Name, name, locale)
			}
			seen[id] = true
		}
		k.command(c)
	}
	for kind, most := range map[CommandKind]int{Slash: 100, OnMember: 15, OnMessage: 15} {
		if count[kind] > most {
			k.add("%d commands of kind %d: Discord takes %d", count[kind], kind, most)
		}
	}
	return errors.Join(k.mistakes...)
}

func (k *checker) add(format string, args ...any) {
	k.mistakes = append(k.mistakes, fmt.Errorf(format, args...))
}

// names are a command's names by language.
func (k *checker) names(c *Command) map[string]string {
	all := map[string]string{"": c.Name}
	for locale, name := range localized(c.Names, c.Name) {
		all[locale] = name
	}
	if _, ok := all[russian]; !ok {
		all[russian] = c.Name
	}
	return all
}

func (k *checker) command(c *Command) {
	what := fmt.Sprintf("command %q", c.Name)
	if c.kind() < Slash || c.kind() > OnMessage {
		k.add("%s: there is no kind %d", what, c.Kind)
		return
	}
	if c.kind() != Slash {
		for _, n := range k.names(c) {
			if n == "" || utf8.RuneCountInString(n) > maxCommandName {
				k.add("%s: its name %q has not 1 to %d characters", what, n, maxCommandName)
			}
		}
		if c.Help != "" || len(c.Options) > 0 || len(c.Subs) > 0 || c.Complete != nil {
			k.add("%s: one of a context menu has no description, options or subcommands", what)
		}
		k.handled(what, c)
		return
	}
	text := k.described(what, c.Name, c.Names, c.Help) + k.options(what, c)
	if len(c.Subs) == 0 {
		k.handled(what, c)
	} else {
		text += k.subs(what, c)
	}
	if text > maxCommandText {
		k.add("%s: its texts have %d characters together; Discord takes %d", what, text, maxCommandText)
	}
}

func (k *checker) handled(what string, c *Command) {
	if c.Handle == nil {
		k.add("%s: nobody handles it", what)
	}
}

// subs looks subcommands over, and counts the characters of their texts.
func (k *checker) subs(what string, c *Command) (text int) {
	if c.Handle != nil || len(c.Options) > 0 {
		k.add("%s: with subcommands it can have no options and no Handle of its own", what)
	}
	if len(c.Subs) > maxOptions {
		k.add("%s: %d subcommands; Discord takes %d", what, len(c.Subs), maxOptions)
	}
	seen := map[string]bool{}
	for i := range c.Subs {
		s := &c.Subs[i]
		at := fmt.Sprintf("%s: subcommand %q", what, s.Name)
		if seen[s.Name] {
			k.add("%s: there are two", at)
		}
		seen[s.Name] = true
		if len(s.Subs) > 0 {
			k.add("%s: it has subcommands again", at)
		}
		if s.Kind != 0 && s.Kind != Slash {
			k.add("%s: it is no slash command", at)
		}
		if s.Permission != 0 || s.Direct || s.AgeRestricted {
			k.add("%s: Permission, Direct and AgeRestricted are the whole command's", at)
		}
		text += k.described(at, s.Name, s.Names, s.Help) + k.options(at, s)
		k.handled(at, s)
	}
	return text
}

// described looks a name and a description over in every language, and counts
// the characters of the longest.
func (k *checker) described(what, name string, names, help words.Key) (text int) {
	for _, l := range words.Languages() {
		n, h := name, l.Say(help, nil)
		if names != "" {
			n = l.Say(names, nil)
		}
		for _, n := range []string{name, n} {
			if !k.name.MatchString(n) || strings.ToLower(n) != n {
				k.add("%s: the name %q (%s) is not 1 to %d small letters, numbers, - and _", what, n, l, maxCommandName)
			}
		}
		chars := utf8.RuneCountInString(h)
		if help == "" || h == string(help) || chars < 1 || chars > maxCommandHelp {
			k.add("%s: the description %q (%s) has not 1 to %d characters", what, h, l, maxCommandHelp)
		}
		text = max(text, chars+utf8.RuneCountInString(n))
	}
	return text
}

// options looks a command's options over, and counts the characters of their
// texts.
func (k *checker) options(what string, c *Command) (text int) {
	if len(c.Options) > maxOptions {
		k.add("%s: %d options; Discord takes %d", what, len(c.Options), maxOptions)
	}
	seen, optional := map[string]bool{}, false
	for _, o := range c.Options {
		at := fmt.Sprintf("%s: option %q", what, o.Name)
		if seen[o.Name] {
			k.add("%s: there are two", at)
		}
		seen[o.Name] = true
		if o.Required && optional {
			k.add("%s: what is required comes before what is not", at)
		}
		optional = optional || !o.Required
		if o.Complete && c.Complete == nil {
			k.add("%s: the command has no Complete", at)
		}
		text += k.described(at, o.Name, o.Names, o.Help) + k.option(at, o)
	}
	return text
}

func (k *checker) option(at string, o Option) (text int) {
	number, chosen := o.Kind == OptionInt || o.Kind == OptionNumber, o.Kind == OptionText
	switch o.Kind {
	case OptionText, OptionInt, OptionNumber, OptionBool, OptionMember, OptionChannel, OptionRole, OptionFile:
	default:
		k.add("%s: there is no kind %d", at, o.Kind)
	}
	if (o.Complete || len(o.Choices) > 0) && !number && !chosen {
		k.add("%s: only texts and numbers are chosen from", at)
	}
	if o.Complete && len(o.Choices) > 0 {
		k.add("%s: either Choices or Complete", at)
	}
	if len(o.Channels) > 0 && o.Kind != OptionChannel {
		k.add("%s: it is no channel", at)
	}
	if (o.Min != nil || o.Max != nil) && !number && !chosen {
		k.add("%s: only texts and numbers have bounds", at)
	}
	if o.Min != nil && o.Max != nil && *o.Min > *o.Max {
		k.add("%s: the least is more than the most", at)
	}
	for _, b := range []*float64{o.Min, o.Max} {
		if b != nil && chosen && (*b < 0 || *b > maxTextOption) {
			k.add("%s: a text has 0 to %d characters", at, maxTextOption)
		}
	}
	if len(o.Choices) > MaxChoices {
		k.add("%s: %d choices; Discord takes %d", at, len(o.Choices), MaxChoices)
	}
	for _, c := range o.Choices {
		label, value := utf8.RuneCountInString(c.Label), utf8.RuneCountInString(c.Value)
		if label < 1 || label > longestChoice || value > longestChoice {
			k.add("%s: the choice %q is empty or longer than %d characters", at, c.Label, longestChoice)
		}
		if _, err := strconv.ParseFloat(c.Value, 64); number && err != nil {
			k.add("%s: the choice %q is no number", at, c.Value)
		}
		text += label + value
	}
	return text
}
