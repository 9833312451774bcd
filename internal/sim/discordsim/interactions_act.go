package discordsim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// ErrNotOffered is why a client would not let its user do something: the
// command does not exist there, or the user may not use it, or the component
// does not stand on the message or is disabled. The errors of Slash, PressButton
// and the like wrap it, and nothing is sent.
var ErrNotOffered = errors.New("the client does not offer it")

func notOffered(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrNotOffered, fmt.Sprintf(format, args...))
}

// Args are the values of a command's options by name: texts, whole numbers,
// floating numbers, booleans, the id of a user, role or channel, or a File.
type Args map[string]any

// Slash uses a command, as in Slash(ada, general, "gif search", Args{"text": "cat"}):
// the name has the subcommands after it.
func (s *Server) Slash(userID, channelID, name string, args Args) (*Interaction, error) {
	return s.slash(KindCommand, userID, channelID, name, args, "")
}

// Autocomplete types into one option of a command; the others may be missing.
func (s *Server) Autocomplete(userID, channelID, name string, args Args, focused string) (*Interaction, error) {
	return s.slash(KindAutocomplete, userID, channelID, name, args, focused)
}

func (s *Server) slash(kind int, userID, channelID, name string, args Args, focused string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	path := strings.Fields(name)
	if len(path) == 0 {
		return nil, notOffered("a command has a name")
	}
	c, cmd, owners, err := s.offered(userID, channelID, path[0], commandSlash)
	if err != nil {
		return nil, err
	}
	r := &resolver{s: s, c: c, user: userID, out: obj{}}
	fill := &filler{r: r, args: args, focused: focused, partial: kind == KindAutocomplete}
	options, err := fill.level(cmd.optionList(), path[1:])
	if err != nil {
		return nil, fmt.Errorf("/%s: %w", name, err)
	}
	in := s.newInteraction(kind, userID, c, owners)
	in.command, in.name = cmd, strings.Join(path, " ")
	data := cmd.data()
	if len(options) > 0 {
		data["options"] = options
	}
	r.into(data)
	in.payload["data"] = data
	return s.keep(in), nil
}

// UserCommand uses a command of the context menu of a user.
func (s *Server) UserCommand(userID, channelID, name, targetUser string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contextMenu(userID, channelID, name, commandUser, targetUser, func(r *resolver) error {
		if !r.addUser(targetUser) {
			return notOffered("there is no user %s", targetUser)
		}
		return nil
	})
}

// MessageCommand uses a command of the context menu of a message. The
// application gets the message with its content, whatever its intents.
func (s *Server) MessageCommand(userID, channelID, name, targetMessage string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.contextMenu(userID, channelID, name, commandMessage, targetMessage, func(r *resolver) error {
		m := s.messages[targetMessage]
		if m == nil || m.channel != channelID {
			return notOffered("there is no message %s in the channel", targetMessage)
		}
		r.put("messages", m.id, s.renderMessage(m))
		return nil
	})
}

func (s *Server) contextMenu(userID, channelID, name string, kind int, target string, resolve func(*resolver) error) (*Interaction, error) {
	c, cmd, owners, err := s.offered(userID, channelID, name, kind)
	if err != nil {
		return nil, err
	}
	r := &resolver{s: s, c: c, user: userID, out: obj{}}
	if err := resolve(r); err != nil {
		return nil, err
	}
	in := s.newInteraction(KindCommand, userID, c, owners)
	in.command, in.name, in.contextMenu = cmd, name, true
	data := cmd.data()
	data["target_id"] = target
	r.into(data)
	in.payload["data"] = data
	return s.keep(in), nil
}

// offered finds a command as the client of a user in a channel would offer it.
// Source: interactions/application-commands, "Contexts", "Permissions" and
// "Age-Restricted Commands".
func (s *Server) offered(userID, channelID, name string, kind int) (*channel, *command, obj, error) {
	c := s.place(channelID)
	if c == nil || s.users[userID] == nil {
		return nil, nil, nil, notOffered("there is no channel %s or no user %s", channelID, userID)
	}
	if err := s.mayAct(userID, c); err != nil {
		return nil, nil, nil, err
	}
	if c.thread != nil && c.thread.archived { // Source: topics/threads#active-archived-threads
		return nil, nil, nil, notOffered("%s is archived", c.name)
	}
	if c.guild != "" && !s.can(c, userID, UseApplicationCommands) {
		return nil, nil, nil, notOffered("%s may not use commands in %s", userID, c.name)
	}
	why := notOffered("there is no command %q", name)
	for _, cmd := range s.commandsAt(c) {
		if cmd.commandName() != name || cmd.commandKind() != kind {
			continue
		}
		owners, err := s.usable(cmd, userID, c)
		if err == nil {
			return c, cmd, owners, nil
		}
		why = err
	}
	return nil, nil, nil, why
}

// mayAct says whether a user is in a channel at all.
func (s *Server) mayAct(userID string, c *channel) error {
	switch {
	case c.guild != "" && !s.can(c, userID, ViewChannel):
		return notOffered("%s cannot see %s", userID, c.name)
	case s.it.private[c.id] != nil && userID != c.recipient && userID != c.topic,
		c.guild == "" && s.it.private[c.id] == nil && userID != c.recipient:
		return notOffered("%s is not in that conversation", userID)
	}
	return nil
}

// commandsAt are the commands registered for a channel's guild, then the global ones.
func (s *Server) commandsAt(c *channel) []*command {
	var own, global []*command
	for _, cmd := range s.commands {
		switch cmd.guild {
		case "":
			global = append(global, cmd)
		case c.guild:
			own = append(own, cmd)
		}
	}
	return append(own, global...)
}

// usable checks a command for a user in a channel.
func (s *Server) usable(cmd *command, userID string, c *channel) (obj, error) {
	name := cmd.commandName()
	if cmd.guild == "" && !oneOf(s.contextOf(c), cmd.contextList()...) {
		return nil, notOffered("the command %q is not for this kind of channel", name)
	}
	owners := s.ownersOf(userID, c, func(integration int) bool {
		if cmd.guild != "" {
			return integration == 0
		}
		return oneOf(integration, cmd.integrationList()...)
	})
	if len(owners) == 0 {
		return nil, notOffered("the application is installed neither here nor for %s, or not for the command %q", userID, name)
	}
	if c.guild == "" {
		return owners, nil
	}
	if need, restricted := cmd.needs(); restricted {
		has := s.permissions(c, userID)
		// "0" is for administrators only.
		if has&Administrator == 0 && (need == 0 || has&need != need) {
			return nil, notOffered("%s may not use the command %q", userID, name)
		}
	}
	if cmd.adult() && !s.ageRestricted(c) {
		return nil, notOffered("the command %q is for age-restricted channels", name)
	}
	return owners, nil
}

// PressButton presses a button of a message that the user sees.
func (s *Server) PressButton(userID, messageID, customID string) (*Interaction, error) {
	return s.component(userID, messageID, customID, func(_ *resolver, comp obj) ([]string, error) {
		if intOf(comp["type"]) != componentButton {
			return nil, notOffered("%q is no button", customID)
		}
		return nil, nil
	})
}

// ForgeButton presses a button that the message does not have, or that is
// disabled: what a client does that keeps to nothing, or one whose user pressed
// while the message was being edited. The user must see the message, and it must
// be the application's.
func (s *Server) ForgeButton(userID, messageID, customID string) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, c, err := s.seen(userID, messageID)
	if err != nil {
		return nil, err
	}
	in := s.newInteraction(KindComponent, userID, c, s.messageOwners(m, c))
	in.source = m
	in.payload["data"] = obj{"custom_id": customID, "component_type": componentButton, "id": 1}
	in.payload["message"] = s.renderMessage(m)
	return s.keep(in), nil
}

// Select chooses values in a select menu of a message that the user sees: its
// options' values, or ids.
func (s *Server) Select(userID, messageID, customID string, values ...string) (*Interaction, error) {
	return s.component(userID, messageID, customID, func(r *resolver, comp obj) ([]string, error) {
		if !isSelect(intOf(comp["type"])) {
			return nil, notOffered("%q is no select menu", customID)
		}
		return append([]string{}, values...), r.choose(comp, values)
	})
}

// component finds a component of a message as its user could use it.
func (s *Server) component(userID, messageID, customID string, use func(*resolver, obj) ([]string, error)) (*Interaction, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m, c, err := s.seen(userID, messageID)
	if err != nil {
		return nil, err
	}
	comp := findComponent(m.components, customID)
	if comp == nil {
		return nil, notOffered("the message has no component %q", customID)
	}
	if off, _ := comp["disabled"].(bool); off {
		return nil, notOffered("the component %q is disabled", customID)
	}
	r := &resolver{s: s, c: c, user: userID, out: obj{}}
	values, err := use(r, comp)
	if err != nil {
		return nil, err
	}
	owners := s.messageOwners(m, c)
	in := s.newInteraction(KindComponent, userID, c, owners)
	in.source = m
	data := obj{"custom_id": customID, "component_type": intOf(comp["type"]), "id": componentID(m.components, comp)}
	if values != nil {
		data["values"] = values
		r.into(data)
	}
	in.payload["data"], in.payload["message"] = data, s.renderMessage(m)
	return s.keep(in), nil
}

// seen finds a message of the application that a user sees, and its channel.
func (s *Server) seen(userID, messageID string) (*message, *channel, error) {
	m := s.messages[messageID]
	if m == nil {
		m = s.it.hidden[messageID]
	}
	if m == nil || s.users[userID] == nil || m.flags&flagEphemeral != 0 && m.onlyFor != userID {
		return nil, nil, notOffered("%s sees no message %s", userID, messageID)
	}
	c := s.place(m.channel)
	if c == nil {
		return nil, nil, notOffered("the message's channel is gone")
	}
	if err := s.mayAct(userID, c); err != nil {
		return nil, nil, err
	}
	if m.author != s.appID {
		return nil, nil, notOffered("the message is not of the application")
	}
	return m, c, nil
}

// messageOwners are the installations behind a message's components: those of
// the interaction that made it, or the guild's.
func (s *Server) messageOwners(m *message, c *channel) obj {
	if owners := asObj(m.interaction["authorizing_integration_owners"]); owners != nil {
		return cloneObj(owners)
	}
	if c.guild != "" {
		return obj{"0": c.guild}
	}
	return obj{"0": "0"}
}

// findComponent looks for a component by its custom id, in rows, sections and
// containers.
func findComponent(list []any, customID string) obj {
	var found obj
	eachComponent(list, func(o obj) {
		if found == nil && customID != "" && textOf(o["custom_id"]) == customID {
			found = o
		}
	})
	return found
}

// eachComponent visits components in the order in which they are numbered.
func eachComponent(v any, visit func(obj)) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			eachComponent(item, visit)
		}
	case obj:
		if _, ok := v["type"]; ok && v["value"] == nil {
			visit(v)
		}
		for _, k := range sortedKeys(v) {
			switch k {
			case "components", "accessory", "component":
				eachComponent(v[k], visit)
			}
		}
	}
}

// componentID is a component's number: its own, or its place.
func componentID(list []any, of obj) int64 {
	if id := intOf(of["id"]); id > 0 {
		return id
	}
	n, at := int64(0), int64(0)
	eachComponent(list, func(o obj) {
		n++
		if at == 0 && textOf(o["custom_id"]) == textOf(of["custom_id"]) && textOf(o["custom_id"]) != "" {
			at = n
		}
	})
	return at
}

func isSelect(kind int64) bool { return kind == 3 || kind >= 5 && kind <= 8 }

// choose checks the values of a select menu and resolves them. Source:
// components/reference, the five select menus.
func (r *resolver) choose(comp obj, values []string) error {
	least, most := int64(1), int64(1)
	if v, ok := comp["min_values"]; ok && v != nil {
		least = intOf(v)
	}
	if v, ok := comp["max_values"]; ok && v != nil {
		most = intOf(v)
	}
	if n := int64(len(values)); n < least || n > most {
		return notOffered("%d values are chosen, %d to %d may be", n, least, most)
	}
	for i, v := range values {
		if slices.Contains(values[:i], v) || !r.chosen(comp, v) {
			return notOffered("the menu does not have %q, or has it once", v)
		}
	}
	return nil
}

func (r *resolver) chosen(comp obj, v string) bool {
	switch intOf(comp["type"]) {
	case 3:
		options, _ := comp["options"].([]any)
		return slices.ContainsFunc(options, func(o any) bool { return textOf(asObj(o)["value"]) == v })
	case 5:
		return r.addUser(v)
	case 6:
		return r.addRole(v)
	case 7:
		return r.addUser(v) || r.addRole(v)
	case 8:
		return r.addChannel(v, ints(comp["channel_types"]))
	}
	return false
}

// ints reads a list of whole numbers.
func ints(v any) []int64 {
	list, _ := v.([]any)
	var out []int64
	for _, item := range list {
		out = append(out, intOf(item))
	}
	return out
}
