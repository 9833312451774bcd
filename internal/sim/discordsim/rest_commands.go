package discordsim

import (
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"time"
)

const (
	slashMost   = 100 // of one scope. Source: interactions/application-commands#registering-a-command
	menuMost    = 15  // of users, and of messages. Source: change-log, "Increased Context Menu Command Limits"
	createsMost = 200 // of one scope in a day
)

// command is a registered one. body is what the API writes of it besides
// ids: defaults are filled in, localizations are whole.
type command struct {
	id, guild, version string
	kind               int
	name               string
	body               obj
}

func (s *Server) routesCommands(t *router) {
	for _, at := range []string{"/applications/{application_id}/commands", "/applications/{application_id}/guilds/{guild_id}/commands"} {
		t.rest("GET "+at, s.ofCommands(s.getCommands))
		t.rest("PUT "+at, s.ofCommands(s.putCommands))
		t.rest("POST "+at, s.ofCommands(s.postCommand))
		t.rest("GET "+at+"/{command_id}", s.ofCommands(s.getCommand))
		t.rest("PATCH "+at+"/{command_id}", s.ofCommands(s.patchCommand))
		t.rest("DELETE "+at+"/{command_id}", s.ofCommands(s.deleteCommand))
	}
}

// ofCommands holds the ids of a path: the application is the bot's own, and the
// guild one that it is in.
func (s *Server) ofCommands(h func(q *request, guild string) *answer) handler {
	return func(q *request) *answer {
		if q.id("application_id") != s.appID {
			return failWith(http.StatusForbidden, 20012, "You are not authorized to perform this action on this application")
		}
		id := q.id("guild_id")
		if id != "" {
			if g := s.guilds[id]; g == nil || !g.botIn {
				return fail(50001)
			}
		}
		return h(q, id)
	}
}

// scope are the commands of a guild, or the global ones.
func (s *Server) scope(guild string) []*command {
	var out []*command
	for _, c := range s.commands {
		if c.guild == guild {
			out = append(out, c)
		}
	}
	return out
}

// renderCommand. Source: interactions/application-commands#application-command-object.
func (s *Server) renderCommand(c *command, localizations bool) obj {
	o := cloneObj(c.body)
	o["id"], o["application_id"], o["version"] = c.id, s.appID, c.version
	if c.guild != "" {
		o["guild_id"] = c.guild
	}
	if !localizations {
		stripLocalizations(o)
	}
	return o
}

func stripLocalizations(v any) {
	switch v := v.(type) {
	case obj:
		delete(v, "name_localizations")
		delete(v, "description_localizations")
		for _, item := range v {
			stripLocalizations(item)
		}
	case []any:
		for _, item := range v {
			stripLocalizations(item)
		}
	}
}

// getCommands leaves localizations out unless they are asked for. Source:
// interactions/application-commands#get-global-application-commands.
func (s *Server) getCommands(q *request, guild string) *answer {
	out := []any{}
	for _, c := range s.scope(guild) {
		out = append(out, s.renderCommand(c, q.query.Get("with_localizations") == "true"))
	}
	return jsonAnswer(http.StatusOK, out)
}

func (s *Server) theCommand(q *request, guild string) *command {
	for _, c := range s.commands {
		if c.guild == guild && c.id == q.id("command_id") {
			return c
		}
	}
	return nil
}

func (s *Server) getCommand(q *request, guild string) *answer {
	c := s.theCommand(q, guild)
	if c == nil {
		return fail(10063)
	}
	return jsonAnswer(http.StatusOK, s.renderCommand(c, true))
}

// putCommands replaces all commands of a scope. Those that stay keep their ids
// and are not counted as created. Source:
// interactions/application-commands#bulk-overwrite-global-application-commands.
func (s *Server) putCommands(q *request, guild string) *answer {
	f, bad := q.readForm()
	if bad != nil {
		return bad
	}
	errs := newFormErrors()
	if f.list == nil {
		errs.add("", "LIST_TYPE_CONVERT", "Only iterables may be used in a ListType")
		return errs.answer()
	}
	var made []*command
	counts := map[int]int{}
	for i, v := range f.list {
		at := strconv.Itoa(i)
		o, ok := v.(obj)
		if !ok {
			errs.add(at, "DICT_TYPE_CONVERT", "Only dictionaries may be used in a DictType")
			continue
		}
		c := readCommand(errs, o, at, guild)
		if c == nil {
			continue
		}
		if slices.ContainsFunc(made, func(other *command) bool { return other.kind == c.kind && other.name == c.name }) {
			errs.add(at, "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
		}
		counts[c.kind]++
		made = append(made, c)
	}
	if bad := errs.answer(); bad != nil {
		return bad
	}
	if tooMany(counts) {
		return fail(30032)
	}
	old := s.scope(guild)
	fresh := 0
	for _, c := range made {
		if sameNamed(old, c) == nil {
			fresh++
		}
	}
	if bad := s.countCreates(guild, fresh); bad != nil {
		return bad
	}
	s.commands = slices.DeleteFunc(s.commands, func(c *command) bool { return c.guild == guild })
	out := []any{}
	for _, c := range made {
		s.identify(c, sameNamed(old, c))
		s.commands = append(s.commands, c)
		out = append(out, s.renderCommand(c, true))
	}
	return jsonAnswer(http.StatusOK, out)
}

func tooMany(counts map[int]int) bool {
	return counts[commandSlash] > slashMost || counts[commandUser] > menuMost || counts[commandMessage] > menuMost
}

func sameNamed(list []*command, c *command) *command {
	for _, old := range list {
		if old.kind == c.kind && old.name == c.name {
			return old
		}
	}
	return nil
}

// identify gives a command the id of the one that it replaces, or its own, and
// a new version when something changed.
func (s *Server) identify(c, old *command) {
	if old == nil {
		c.id, c.version = s.nextID(), s.nextID()
		return
	}
	c.id, c.version = old.id, old.version
	if !reflect.DeepEqual(old.body, c.body) {
		c.version = s.nextID()
	}
}

// countCreates holds the daily limit of a scope.
func (s *Server) countCreates(guild string, n int) *answer {
	now := s.now()
	times := slices.DeleteFunc(s.created[guild], func(t time.Time) bool { return now.Sub(t) >= 24*time.Hour })
	if len(times)+n > createsMost {
		s.created[guild] = times
		return fail(30034)
	}
	for range n {
		times = append(times, now)
	}
	s.created[guild] = times
	return nil
}

// postCommand creates a command, or replaces the one of that name. Source:
// interactions/application-commands#create-global-application-command.
func (s *Server) postCommand(q *request, guild string) *answer {
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	errs := newFormErrors()
	c := readCommand(errs, body, "", guild)
	if bad := errs.answer(); bad != nil {
		return bad
	}
	list := s.scope(guild)
	old := sameNamed(list, c)
	if old == nil {
		counts := map[int]int{c.kind: 1}
		for _, other := range list {
			counts[other.kind]++
		}
		if tooMany(counts) {
			return fail(30032)
		}
		if bad := s.countCreates(guild, 1); bad != nil {
			return bad
		}
	}
	s.identify(c, old)
	if old != nil {
		*old = *c
		return jsonAnswer(http.StatusOK, s.renderCommand(c, true))
	}
	s.commands = append(s.commands, c)
	return jsonAnswer(http.StatusCreated, s.renderCommand(c, true))
}

// patchCommand changes the fields that are given. Source:
// interactions/application-commands#edit-global-application-command.
func (s *Server) patchCommand(q *request, guild string) *answer {
	old := s.theCommand(q, guild)
	if old == nil {
		return fail(10063)
	}
	body, bad := q.object()
	if bad != nil {
		return bad
	}
	whole := cloneObj(old.body)
	for k, v := range body {
		if k != "type" {
			whole[k] = v
		}
	}
	errs := newFormErrors()
	c := readCommand(errs, whole, "", guild)
	if bad := errs.answer(); bad != nil {
		return bad
	}
	if other := sameNamed(s.scope(guild), c); other != nil && other != old {
		errs.add("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
		return errs.answer()
	}
	s.identify(c, old)
	*old = *c
	return jsonAnswer(http.StatusOK, s.renderCommand(old, true))
}

func (s *Server) deleteCommand(q *request, guild string) *answer {
	c := s.theCommand(q, guild)
	if c == nil {
		return fail(10063)
	}
	s.commands = remove(s.commands, c)
	return noContent()
}
