package discordsim

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	c := newRESTClient(t, Options{NoRateLimits: true, Clock: clock.Now})
	p := small(c.s)
	at := "/applications/" + c.s.AppID() + "/commands"
	const gif = `{"name":"gif","description":"Find a GIF","name_localizations":{"ru":"гифка"},"contexts":[0,1],"integration_types":[0],` +
		`"default_member_permissions":"2048","options":[{"type":3,"name":"text","description":"What","required":true,"autocomplete":true},` +
		`{"type":4,"name":"count","description":"How many","min_value":1,"choices":[{"name":"one","value":1}]}]}`
	r := c.do("POST", at, gif)
	if r.status != 201 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	made := c.ok(r)
	if r := c.do("POST", at, gif); r.status != 200 || asObj(r.json(t))["id"] != made["id"] || asObj(r.json(t))["version"] != made["version"] {
		t.Errorf("again: got %d %s", r.status, r.body)
	}
	if list := c.list(c.do("GET", at, "")); len(list) != 1 || field(list, "0.name_localizations") != nil {
		t.Errorf("got %v", list)
	}
	if list := c.list(c.do("GET", at+"?with_localizations=true", "")); field(list, "0.name_localizations.ru") != "гифка" {
		t.Errorf("got %v", list)
	}
	id := textOf(made["id"])
	if got := c.ok(c.do("PATCH", at+"/"+id, `{"description":"Find it"}`)); got["description"] != "Find it" || field(got, "options.0.name") != "text" || got["version"] == made["version"] {
		t.Errorf("got %v", got)
	}
	// A bulk overwrite keeps the ids of those that stay.
	list := c.list(c.do("PUT", at, `[`+gif+`,{"type":3,"name":"Share this"}]`))
	if len(list) != 2 || field(list, "0.id") != id || intOf(field(list, "1.type")) != 3 {
		t.Errorf("got %v", list)
	}
	if got := c.s.Commands(""); len(got) != 2 || got[1].Name != "Share this" || got[1].Kind != 3 {
		t.Errorf("got %+v", got)
	}
	c.is(c.do("DELETE", at+"/"+id, ""), 204, 0)
	c.is(c.do("GET", at+"/"+id, ""), 404, 10063)
	guild := "/applications/" + c.s.AppID() + "/guilds/" + p.guild + "/commands"
	c.ok(c.do("POST", guild, `{"name":"here","description":"Only here"}`))
	if got := c.s.Commands(p.guild); len(got) != 1 || got[0].Guild != p.guild {
		t.Errorf("got %+v", got)
	}
	c.is(c.do("GET", "/applications/1/commands", ""), 403, 20012)
	c.is(c.do("GET", "/applications/"+c.s.AppID()+"/guilds/1/commands", ""), 403, 50001)

	// 200 creates in a day, of each scope.
	for i := range createsMost - 1 {
		c.ok(c.do("POST", guild, fmt.Sprintf(`{"name":"n%d","description":"d"}`, i)))
		if i%50 == 0 {
			c.list(c.do("PUT", guild, `[]`))
		}
	}
	c.list(c.do("PUT", guild, `[]`))
	c.is(c.do("POST", guild, `{"name":"more","description":"d"}`), 400, 30034)
	clock.advance(25 * time.Hour)
	c.ok(c.do("POST", guild, `{"name":"more","description":"d"}`))
}

func TestCommandRules(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	at := "/applications/" + c.s.AppID() + "/commands"
	option := func(options string) string {
		return `{"name":"a","description":"d","options":[` + options + `]}`
	}
	const sub = `{"type":1,"name":"s","description":"d"`
	for name, tc := range map[string]struct{ body, at, code string }{
		"plain":            {`{"name":"owl-watch","description":"d"}`, "", ""},
		"another alphabet": {`{"name":"сова","description":"d"}`, "", ""},
		"upper case":       {`{"name":"Owl","description":"d"}`, "name", "APPLICATION_COMMAND_INVALID_NAME"},
		"a space":          {`{"name":"owl watch","description":"d"}`, "name", "APPLICATION_COMMAND_INVALID_NAME"},
		"33 letters":       {`{"name":"` + strings.Repeat("a", 33) + `","description":"d"}`, "name", "BASE_TYPE_BAD_LENGTH"},
		"no description":   {`{"name":"owl"}`, "description", "BASE_TYPE_REQUIRED"},
		"long description": {`{"name":"owl","description":"` + strings.Repeat("d", 101) + `"}`, "description", "BASE_TYPE_BAD_LENGTH"},
		"context menu":     {`{"name":"Say Who","type":2}`, "", ""},
		"described menu":   {`{"name":"Say Who","type":2,"description":"x"}`, "description", "APPLICATION_COMMAND_CONTEXT_MENU_DESCRIPTION_CANNOT_BE_SET"},
		"language":         {`{"name":"owl","description":"d","name_localizations":{"xx":"owl"}}`, "name_localizations.xx", "BASE_TYPE_CHOICES"},
		"localized badly":  {`{"name":"owl","description":"d","name_localizations":{"de":"Eule"}}`, "name_localizations.de", "APPLICATION_COMMAND_INVALID_NAME"},
		"required last":    {option(`{"type":3,"name":"x","description":"d"},{"type":3,"name":"y","description":"d","required":true}`), "options.1", "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"},
		"same option":      {option(`{"type":3,"name":"x","description":"d"},{"type":3,"name":"x","description":"d"}`), "options.1", "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"},
		"26 options":       {option(strings.TrimSuffix(strings.Repeat(`{"type":3,"name":"x","description":"d"},`, 26), ",")), "options", "BASE_TYPE_BAD_LENGTH"},
		"mixed":            {option(sub + `},{"type":3,"name":"x","description":"d"}`), "options", "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
		"subcommands":      {option(`{"type":2,"name":"g","description":"d","options":[` + sub + `,"options":[{"type":3,"name":"x","description":"d"}]}]}`), "", ""},
		"subs in subs":     {option(sub + `,"options":[` + sub + `}]}`), "options.0.options.0.type", "BASE_TYPE_CHOICES"},
		"choices and more": {option(`{"type":3,"name":"x","description":"d","autocomplete":true,"choices":[{"name":"a","value":"a"}]}`), "options.0", "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID"},
		"choice of a kind": {option(`{"type":4,"name":"x","description":"d","choices":[{"name":"a","value":"a"}]}`), "options.0.choices.0.value", "APPLICATION_COMMAND_OPTIONS_VALUE_INVALID"},
		"context":          {`{"name":"owl","description":"d","contexts":[3]}`, "contexts.0", "BASE_TYPE_CHOICES"},
		"permissions":      {`{"name":"owl","description":"d","default_member_permissions":"all"}`, "default_member_permissions", "PERMISSION_TYPE_CONVERT"},
	} {
		r := c.do("POST", at, tc.body)
		if tc.at == "" {
			c.ok(r)
			continue
		}
		if got := field(r.json(t), "errors."+tc.at+"._errors.0.code"); r.status != 400 || got != tc.code {
			t.Errorf("%s: got %d %s", name, r.status, r.body)
		}
	}
	r := c.do("PUT", at, `[{"name":"a","description":"d"},{"name":"a","description":"e"}]`)
	if field(r.json(t), "errors.1._errors.0.code") != "APPLICATION_COMMANDS_DUPLICATE_NAME" {
		t.Errorf("got %s", r.body)
	}
	c.is(c.do("PUT", at, `{}`), 400, 50035)
}
