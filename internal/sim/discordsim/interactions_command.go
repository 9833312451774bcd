package discordsim

// The functions here read a registered command. Source:
// interactions/application-commands, "Application Command Structure".

func (c *command) commandName() string { return c.name }

func (c *command) commandKind() int { return c.kind }

// data is what an interaction says of its command. Source:
// interactions/receiving-and-responding, "Application Command Data Structure".
func (c *command) data() obj {
	o := obj{"id": c.id, "name": c.name, "type": c.kind}
	if c.guild != "" {
		o["guild_id"] = c.guild
	}
	return o
}

func (c *command) optionList() []obj { return objects(c.body["options"]) }

// contextList are the contexts of a global command, all of them if it names none.
func (c *command) contextList() []int {
	return intList(c.body["contexts"], ContextGuild, ContextBotDM, ContextPrivate)
}

// integrationList are the installations of a global command; that of guilds if
// it names none.
func (c *command) integrationList() []int { return intList(c.body["integration_types"], 0) }

func intList(v any, usual ...int) []int {
	if _, ok := v.([]any); !ok {
		return usual
	}
	var out []int
	for _, n := range ints(v) {
		out = append(out, int(n))
	}
	return out
}

// needs are the permissions that the command takes by default.
func (c *command) needs() (p Permission, restricted bool) {
	v := c.body["default_member_permissions"]
	if v == nil {
		return 0, false
	}
	p, _ = parsePermission(v)
	return p, true
}

func (c *command) adult() bool {
	yes, _ := c.body["nsfw"].(bool)
	return yes
}
