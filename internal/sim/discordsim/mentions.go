package discordsim

import (
	"slices"
	"strings"
)

// mentioned is what a text names. Source: reference#message-formatting.
type mentioned struct {
	users, roles, channels []string
	everyone, here         bool
}

// parseMentions finds <@id>, <@!id>, <@&id>, <#id>, @everyone and @here.
func parseMentions(text string) mentioned {
	var m mentioned
	add := func(list *[]string, id string) {
		if isSnowflake(id) && !slices.Contains(*list, id) {
			*list = append(*list, id)
		}
	}
	m.everyone = strings.Contains(text, "@everyone")
	m.here = strings.Contains(text, "@here")
	for {
		_, rest, ok := strings.Cut(text, "<")
		if !ok {
			return m
		}
		text = rest
		inside, _, ok := strings.Cut(rest, ">")
		if !ok {
			return m
		}
		switch {
		case strings.HasPrefix(inside, "@&"):
			add(&m.roles, inside[2:])
		case strings.HasPrefix(inside, "@!"):
			add(&m.users, inside[2:])
		case strings.HasPrefix(inside, "@"):
			add(&m.users, inside[1:])
		case strings.HasPrefix(inside, "#"):
			add(&m.channels, inside[1:])
		}
	}
}

// allowed is an allowed_mentions object. Source: resources/message, "Allowed
// Mentions Object".
type allowed struct {
	parseUsers, parseRoles, everyone bool
	users, roles                     []string
	reply                            bool
}

// allowAll is what holds without an allowed_mentions object: everything the
// text names is mentioned, and an answer mentions whom it answers.
func allowAll() *allowed {
	return &allowed{parseUsers: true, parseRoles: true, everyone: true, reply: true}
}

// mention works out whom a message mentions: what its text names, as far as a
// allows it and the author may. With ping those who are mentioned and can see
// the channel are noted as pinged.
func (s *Server) mention(c *channel, m *message, a *allowed, ping bool) {
	if a == nil {
		a = allowAll()
	}
	found := parseMentions(contentOf(m))
	m.mentions, m.mentionRoles = nil, nil
	for _, id := range found.users {
		if s.users[id] != nil && (a.parseUsers || slices.Contains(a.users, id)) {
			m.mentions = append(m.mentions, id)
		}
	}
	if m.ref != nil && m.kind == 19 && a.reply {
		if to := s.messages[m.ref.message]; to != nil && to.author != m.author && !slices.Contains(m.mentions, to.author) {
			m.mentions = append(m.mentions, to.author)
		}
	}
	g := s.guilds[c.guild]
	whole := s.can(c, m.author, MentionEveryone)
	var pinged []string
	pinged = append(pinged, m.mentions...)
	if g != nil {
		for _, id := range found.roles {
			r := g.role(id)
			if r == nil || id == g.id || !a.parseRoles && !slices.Contains(a.roles, id) {
				continue
			}
			m.mentionRoles = append(m.mentionRoles, id)
			if !r.mentionable && !whole {
				continue
			}
			for _, o := range g.order {
				if slices.Contains(o.roles, id) {
					pinged = append(pinged, o.user.id)
				}
			}
		}
	}
	m.everyone = (found.everyone || found.here) && a.everyone && whole && g != nil
	if m.everyone {
		for _, o := range g.order {
			pinged = append(pinged, o.user.id)
		}
	}
	if !ping {
		return
	}
	m.pinged = nil
	for _, id := range pinged {
		if id != m.author && !slices.Contains(m.pinged, id) && s.can(c, id, ViewChannel) {
			m.pinged = append(m.pinged, id)
		}
	}
}

// contentOf is the text of a message that can mention somebody: its content,
// and the text displays of components v2. Source: components/reference#text-display.
func contentOf(m *message) string {
	var b strings.Builder
	b.WriteString(m.content)
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case []any:
			for _, item := range v {
				walk(item)
			}
		case obj:
			if intOf(v["type"]) == componentText {
				b.WriteString("\n" + textOf(v["content"]))
			}
			walk(v["components"])
		}
	}
	walk(any(m.components))
	return b.String()
}
