package discordsim

import "slices"

// View is what a member sees in their client.
type View struct {
	Channels []ChannelView // of the guilds they are in, that they may see
	Direct   []Message     // direct messages with the bot
	Private  []Message     // answers that only they see
	Thinking []string      // names of what is still loading
	Failed   []string      // names of what did not respond
	Modal    *Modal        // that is open; nil for none
	Choices  []Choice      // that autocomplete last offered
}

// ChannelView is a channel as a member sees it.
type ChannelView struct {
	ID, Guild, Name string
	Kind            Kind
	NSFW            bool
	Messages        []Message // empty without the right to read the history
}

// Channel is one of the channels that are seen.
func (v View) Channel(id string) (ChannelView, bool) {
	i := slices.IndexFunc(v.Channels, func(c ChannelView) bool { return c.ID == id })
	if i < 0 {
		return ChannelView{}, false
	}
	return v.Channels[i], true
}

// View is what a user sees now.
func (s *Server) View(userID string) View {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mustUser(userID)
	var v View
	for _, g := range s.order {
		if g.members[userID] == nil {
			continue
		}
		for _, c := range slices.Concat(g.channels, g.threads) {
			if !s.can(c, userID, ViewChannel) {
				continue
			}
			seen := ChannelView{ID: c.id, Guild: g.id, Name: c.name, Kind: c.kind, NSFW: s.ageRestricted(c)}
			if s.can(c, userID, ReadMessageHistory) {
				seen.Messages = s.lookAll(c.messages)
			}
			v.Channels = append(v.Channels, seen)
		}
	}
	if c := s.dms[userID]; c != nil {
		v.Direct = s.lookAll(c.messages)
	}
	for _, m := range s.it.reads[userID] {
		if s.there(m) {
			v.Private = append(v.Private, s.look(m))
		}
	}
	for _, in := range s.it.order {
		s.overdue(in)
		if in.user == userID && in.loading {
			v.Thinking = append(v.Thinking, in.title())
		}
	}
	v.Failed = slices.Clone(s.it.failed[userID])
	v.Modal = s.it.modals[userID]
	v.Choices = slices.Clone(s.it.choices[userID])
	return v
}

func (s *Server) lookAll(list []*message) []Message {
	var out []Message
	for _, m := range list {
		out = append(out, s.look(m))
	}
	return out
}
