package discordsim

import (
	"encoding/json"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// nameRule is the rule for names of slash commands and of their options.
// Source: interactions/application-commands#application-command-naming.
var nameRule = regexp.MustCompile(`^[-_'\p{L}\p{N}\p{Devanagari}\p{Thai}]{1,32}$`)

// namedRight adds to the rule that of a letter with two cases only the lower
// one is right.
func namedRight(name string) bool {
	return nameRule.MatchString(name) && name == strings.Map(unicode.ToLower, name)
}

// isLocale reports whether a text is one of Discord's languages. Source: reference#locales.
func isLocale(text string) bool {
	return oneOf(text, "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
		"ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko")
}

// commandCheck reads one command.
type commandCheck struct {
	errs *formErrors
	sum  int // characters of names, descriptions and values
}

// readCommand checks a command and fills in what it leaves out; nil when it is
// too wrong to say. Source: interactions/application-commands#application-command-object.
func readCommand(errs *formErrors, body obj, at, guild string) *command {
	c := &commandCheck{errs: errs}
	in := func(name string) string { return strings.TrimPrefix(at+"."+name, ".") }
	kind := int64(commandSlash)
	if n, ok := errs.number(body, "type", in("type")); ok {
		kind = n
		if n < commandSlash || n > commandMessage {
			errs.choice(in("type"), 1, 2, 3, 4)
			return nil
		}
	}
	o := obj{"type": int(kind)}
	o["name"] = c.name(body, in(""), kind == commandSlash)
	c.localizations(body, o, in(""), "name", 32, kind == commandSlash)
	o["description"] = ""
	if kind == commandSlash {
		o["description"] = c.described(body, in(""))
		c.localizations(body, o, in(""), "description", 100, false)
	} else {
		if textOf(body["description"]) != "" {
			errs.add(in("description"), "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET", "Context menu commands cannot have description")
		}
		if given(body["options"]) {
			errs.add(in("options"), "APPLICATION_COMMAND_CONTEXT_MENU_OPTIONS_CANNOT_BE_SET", "Context menu commands cannot have options")
		}
	}
	if options := c.options(body, in("options"), 0); len(options) > 0 {
		o["options"] = options
	}
	o["default_member_permissions"] = nil
	if v := body["default_member_permissions"]; v != nil {
		p, ok := parsePermission(v)
		if !ok {
			errs.add(in("default_member_permissions"), "PERMISSION_TYPE_CONVERT", "Could not interpret as permissions.")
		}
		o["default_member_permissions"] = p.String()
	}
	o["nsfw"] = errs.flag(body, "nsfw", in("nsfw"))
	c.whereabouts(body, o, in, guild)
	if c.sum > 8000 {
		errs.add(at, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")
	}
	return &command{guild: guild, kind: int(kind), name: textOf(o["name"]), body: o}
}

// whereabouts reads contexts and integration_types, which only global commands
// have. Source: interactions/application-commands#contexts.
func (c *commandCheck) whereabouts(body, o obj, in func(string) string, guild string) {
	contexts, types := c.numbers(body, "contexts", in("contexts"), 2), c.numbers(body, "integration_types", in("integration_types"), 1)
	if guild != "" {
		if contexts != nil {
			c.errs.add(in("contexts"), "APPLICATION_COMMAND_CONTEXTS_ONLY_GLOBAL", "Contexts can only be set for global commands")
		}
		o["contexts"], o["integration_types"] = nil, []any{0}
		return
	}
	if types == nil {
		types = []any{0, 1} // those that the application is set up for
	}
	o["integration_types"] = types
	o["contexts"] = nil
	if contexts != nil {
		o["contexts"] = contexts
	}
	dm := true
	if v, ok := body["dm_permission"].(bool); ok { // deprecated, and still taken
		dm = v
		if contexts == nil && !v {
			o["contexts"] = []any{0}
		}
	}
	if contexts != nil {
		dm = false
		for _, n := range contexts {
			dm = dm || n == 1
		}
	}
	o["dm_permission"] = dm
}

// numbers reads a list of numbers from 0 to most; nil when there is none.
func (c *commandCheck) numbers(body obj, name, at string, most int64) []any {
	v, ok := body[name]
	if !ok || v == nil {
		return nil
	}
	list, ok := v.([]any)
	if !ok {
		c.errs.add(at, "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return nil
	}
	out := []any{}
	for i, item := range list {
		n := intOf(item)
		if n < 0 || n > most {
			c.errs.add(at+"."+strconv.Itoa(i), "BASE_TYPE_CHOICES", "Value must be one of the known ones.")
			continue
		}
		out = append(out, int(n))
	}
	return out
}

// name checks a name: of slash commands and options by the naming rule, of
// others by its length alone.
func (c *commandCheck) name(body obj, at string, slash bool) string {
	where := strings.TrimPrefix(strings.TrimSuffix(at, ".")+".name", ".")
	name := c.errs.text(body, "name", where)
	if c.errs.length(where, name, 1, 32) && slash && !namedRight(name) {
		c.errs.add(where, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
	}
	c.sum += textLen(name)
	return name
}

func (c *commandCheck) described(body obj, at string) string {
	where := strings.TrimPrefix(strings.TrimSuffix(at, ".")+".description", ".")
	text := c.errs.text(body, "description", where)
	c.errs.length(where, text, 1, 100)
	c.sum += textLen(text)
	return text
}

// localizations copies name_localizations or description_localizations.
func (c *commandCheck) localizations(body, o obj, at, what string, most int, slash bool) {
	key := what + "_localizations"
	o[key] = nil
	v, ok := body[key]
	if !ok || v == nil {
		return
	}
	where := strings.TrimPrefix(strings.TrimSuffix(at, ".")+"."+key, ".")
	in, ok := v.(obj)
	if !ok {
		c.errs.add(where, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
		return
	}
	out := obj{}
	for locale, t := range in {
		lat := where + "." + locale
		text := textOf(t)
		switch {
		case !isLocale(locale):
			c.errs.choice(lat, "the locales of the reference")
		case !c.errs.length(lat, text, 1, most):
		case slash && !namedRight(text):
			c.errs.add(lat, "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
		}
		out[locale] = text
	}
	o[key] = out
}

// options reads the options of a command, a group or a subcommand. Source:
// interactions/application-commands#application-command-object-application-command-option-structure.
func (c *commandCheck) options(body obj, at string, depth int) []any {
	list := c.errs.objects(body, "options", at)
	if len(list) > 25 {
		c.errs.add(at, "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 25 in length.")
	}
	var out []any
	names := map[string]bool{}
	optional, nested := false, 0
	for i, in := range list {
		oat := at + "." + strconv.Itoa(i)
		o := c.option(in, oat, depth)
		name := textOf(o["name"])
		if names[name] {
			c.errs.add(oat, "APPLICATION_COMMAND_OPTIONS_NAME_INVALID", "Option name \""+name+"\" is already in use")
		}
		names[name] = true
		required, _ := o["required"].(bool)
		if kind, _ := o["type"].(int); kind <= optionGroup {
			nested++
		} else if required && optional {
			c.errs.add(oat, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", "Required options must be placed before non-required options")
		}
		optional = optional || !required
		out = append(out, o)
	}
	if nested > 0 && nested < len(list) {
		c.errs.add(at, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Sub-command and sub-command group option types are mutually exclusive to all other types")
	}
	return out
}

func (c *commandCheck) option(in obj, at string, depth int) obj {
	kind, _ := c.errs.number(in, "type", at+".type")
	// Groups hold subcommands, and subcommands hold neither.
	if kind < 1 || kind > optionAttachment || depth == 1 && kind != optionSubcommand || depth == 2 && kind <= optionGroup {
		c.errs.choice(at+".type", 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	}
	o := obj{"type": int(kind), "name": c.name(in, at, true), "description": c.described(in, at)}
	c.localizations(in, o, at, "name", 32, true)
	c.localizations(in, o, at, "description", 100, false)
	if kind <= optionGroup {
		next := depth + 1
		if kind == optionSubcommand {
			next = 2
		}
		o["options"] = c.options(in, at+".options", next)
		if o["options"] == nil {
			o["options"] = []any{}
		}
		return o
	}
	if c.errs.flag(in, "required", at+".required") {
		o["required"] = true
	}
	c.values(in, o, at, kind)
	return o
}

// values reads what says which values an option takes.
func (c *commandCheck) values(in, o obj, at string, kind int64) {
	valued := oneOf(kind, optionString, optionInteger, optionNumber)
	completes := c.errs.flag(in, "autocomplete", at+".autocomplete")
	choices := c.errs.objects(in, "choices", at+".choices")
	switch {
	case completes && !valued, len(choices) > 0 && !valued:
		c.errs.add(at, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "Choices and autocomplete are for STRING, INTEGER and NUMBER options")
	case completes && len(choices) > 0:
		c.errs.add(at, "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID", "Options with autocomplete cannot have choices")
	}
	if completes {
		o["autocomplete"] = true
	}
	if len(choices) > 25 {
		c.errs.add(at+".choices", "BASE_TYPE_BAD_LENGTH", "Must be between 0 and 25 in length.")
	}
	var out []any
	for i, choice := range choices {
		cat := at + ".choices." + strconv.Itoa(i)
		name := c.errs.text(choice, "name", cat+".name")
		c.errs.length(cat+".name", name, 1, 100)
		made := obj{"name": name, "value": choice["value"]}
		c.localizations(choice, made, cat, "name", 100, false)
		text, isText := choice["value"].(string)
		_, isNumber := choice["value"].(json.Number)
		if kind == optionString && !isText || kind != optionString && !isNumber {
			c.errs.add(cat+".value", "APPLICATION_COMMAND_OPTIONS_VALUE_INVALID", "The value is not of the option's type")
		}
		c.errs.length(cat+".value", text, 0, 100)
		c.sum += textLen(name) + textLen(text)
		out = append(out, made)
	}
	if out != nil {
		o["choices"] = out
	}
	if kinds := c.numbers(in, "channel_types", at+".channel_types", 16); kinds != nil {
		o["channel_types"] = kinds
		if kind != optionChannel {
			c.errs.add(at+".channel_types", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", "channel_types is for CHANNEL options")
		}
	}
	for _, name := range []string{"min_value", "max_value"} {
		if v := in[name]; v != nil {
			o[name] = v
			if kind != optionInteger && kind != optionNumber {
				c.errs.add(at+"."+name, "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID", name+" is for INTEGER and NUMBER options")
			}
		}
	}
	for name, least := range map[string]int64{"min_length": 0, "max_length": 1} {
		n, ok := c.errs.number(in, name, at+"."+name)
		if !ok {
			continue
		}
		o[name] = int(n)
		if n < least || n > 6000 || kind != optionString {
			c.errs.add(at+"."+name, "NUMBER_TYPE_MAX", name+" is for STRING options, up to 6000")
		}
	}
}
