package discordsim

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
)

// Types of commands and of their options. Source:
// interactions/application-commands, "Application Command Types" and
// "Application Command Option Type".
const (
	commandSlash   = 1
	commandUser    = 2
	commandMessage = 3

	optionSubcommand  = 1
	optionGroup       = 2
	optionString      = 3
	optionInteger     = 4
	optionBoolean     = 5
	optionUser        = 6
	optionChannel     = 7
	optionRole        = 8
	optionMentionable = 9
	optionNumber      = 10
	optionAttachment  = 11
)

// filler fills in a command's options as a client does.
type filler struct {
	r       *resolver
	args    Args
	focused string
	partial bool // autocomplete: options may be missing and the focused one is a text
}

// level fills in the options of a command, a group or a subcommand.
func (f *filler) level(options []obj, path []string) ([]any, error) {
	nested := slices.IndexFunc(options, func(o obj) bool { return intOf(o["type"]) <= optionGroup })
	if nested < 0 {
		if len(path) > 0 {
			return nil, notOffered("there is no subcommand %q", path[0])
		}
		return f.values(options)
	}
	if len(path) == 0 {
		return nil, notOffered("one of the subcommands has to be chosen")
	}
	for _, o := range options {
		if textOf(o["name"]) != path[0] || intOf(o["type"]) > optionGroup {
			continue
		}
		inner, err := f.level(objects(o["options"]), path[1:])
		if err != nil {
			return nil, err
		}
		out := obj{"name": path[0], "type": intOf(o["type"]), "options": inner}
		if len(inner) == 0 {
			out["options"] = []any{}
		}
		return []any{out}, nil
	}
	return nil, notOffered("there is no subcommand %q", path[0])
}

// values fills in options that have values, in the order of the command.
func (f *filler) values(options []obj) ([]any, error) {
	var out []any
	used := map[string]bool{}
	for _, o := range options {
		name := textOf(o["name"])
		used[name] = true
		v, given := f.args[name]
		if f.partial && name == f.focused {
			if on, _ := o["autocomplete"].(bool); !on {
				return nil, notOffered("the option %q has no autocomplete", name)
			}
			out = append(out, obj{"name": name, "type": intOf(o["type"]), "value": typed(v), "focused": true})
			continue
		}
		if !given {
			if required, _ := o["required"].(bool); required && !f.partial {
				return nil, notOffered("the option %q is required", name)
			}
			continue
		}
		value, err := f.value(o, v)
		if err != nil {
			return nil, fmt.Errorf("the option %q: %w", name, err)
		}
		out = append(out, obj{"name": name, "type": intOf(o["type"]), "value": value})
	}
	for name := range f.args {
		if !used[name] {
			return nil, notOffered("there is no option %q", name)
		}
	}
	if f.partial && !used[f.focused] {
		return nil, notOffered("there is no option %q", f.focused)
	}
	return out, nil
}

// typed is what stands in a field so far, as a text.
func typed(v any) any {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// value checks one value against its option. Source:
// interactions/application-commands, "Application Command Option Structure".
func (f *filler) value(o obj, v any) (any, error) {
	kind := intOf(o["type"])
	text, isText := v.(string)
	switch kind {
	case optionString:
		if !isText {
			return nil, notOffered("%v is no text", v)
		}
		most := int64(6000)
		if m, ok := o["max_length"]; ok && m != nil {
			most = intOf(m)
		}
		if n := int64(textLen(text)); n > most || o["min_length"] != nil && n < intOf(o["min_length"]) {
			return nil, notOffered("the text is too long or too short")
		}
		return text, offeredChoice(o, v)
	case optionInteger, optionNumber:
		n, ok := number(v)
		if !ok || kind == optionInteger && n != math.Trunc(n) {
			return nil, notOffered("%v is no number of the kind", v)
		}
		if least, ok := number(o["min_value"]); ok && n < least {
			return nil, notOffered("%v is too small", v)
		}
		if most, ok := number(o["max_value"]); ok && n > most {
			return nil, notOffered("%v is too large", v)
		}
		return v, offeredChoice(o, v)
	case optionBoolean:
		if _, ok := v.(bool); !ok {
			return nil, notOffered("%v is not true or false", v)
		}
		return v, nil
	case optionAttachment:
		file, ok := v.(File)
		if !ok {
			return nil, notOffered("%v is no File", v)
		}
		return f.r.addFile(file), nil
	}
	found := false
	switch kind {
	case optionUser:
		found = f.r.addUser(text)
	case optionChannel:
		found = f.r.addChannel(text, ints(o["channel_types"]))
	case optionRole:
		found = f.r.addRole(text)
	case optionMentionable:
		found = f.r.addUser(text) || f.r.addRole(text)
	}
	if !found {
		return nil, notOffered("there is no %v to choose", v)
	}
	return text, nil
}

// offeredChoice checks that a value is one of the option's choices, if it has any.
func offeredChoice(o obj, v any) error {
	choices := objects(o["choices"])
	if len(choices) == 0 {
		return nil
	}
	for _, c := range choices {
		if c["value"] == v {
			return nil
		}
		a, okA := number(c["value"])
		b, okB := number(v)
		if okA && okB && a == b {
			return nil
		}
	}
	return notOffered("%v is none of the choices", v)
}

// number reads a number of Go or of decoded JSON.
func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int:
		return float64(n), true
	case int64:
		return float64(n), true
	case float64:
		return n, true
	case json.Number:
		x, err := n.Float64()
		return x, err == nil
	}
	return 0, false
}

// objects reads a list of objects.
func objects(v any) []obj {
	switch list := v.(type) {
	case []obj:
		return list
	case []any:
		var out []obj
		for _, item := range list {
			if o := asObj(item); o != nil {
				out = append(out, o)
			}
		}
		return out
	}
	return nil
}
