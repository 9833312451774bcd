package discordsim

import (
	"testing"
)

// stage is a world with a guild, members, commands and a raw client of the
// gateway.
type stage struct {
	*Server
	t                           *testing.T
	clock                       *testClock
	guild, general, adult, away string // away: a guild without the bot; its channel
	awayRoom                    string
	ada, bob, mod               string
	client                      *rawClient
}

func newStage(t *testing.T) *stage {
	t.Helper()
	st := &stage{t: t, clock: newTestClock()}
	s := newTestServer(t, Options{Clock: st.clock.Now})
	st.Server = s
	st.guild = s.AddGuild("Owls")
	st.general = s.AddChannel(st.guild, "general", Text)
	st.adult = s.AddChannel(st.guild, "adult", Text, AgeRestricted())
	st.ada, st.bob, st.mod = s.AddUser("ada"), s.AddUser("bob"), s.AddUser("mod")
	s.Join(st.guild, st.ada)
	s.Join(st.guild, st.bob)
	s.Join(st.guild, st.mod, s.AddRole(st.guild, "mods", ManageGuild))
	s.BotJoins(st.guild)
	st.away = s.AddGuild("Away")
	st.awayRoom = s.AddChannel(st.away, "room", Text)
	s.Join(st.away, st.ada)
	commands := []map[string]any{
		{"name": "gif", "description": "d", "options": []map[string]any{
			{"type": 1, "name": "search", "description": "d", "options": []map[string]any{
				{"type": 3, "name": "text", "description": "d", "required": true, "autocomplete": true, "max_length": 20},
				{"type": 4, "name": "count", "description": "d", "min_value": 1, "max_value": 5},
				{"type": 6, "name": "who", "description": "d"},
				{"type": 7, "name": "where", "description": "d", "channel_types": []int{0}},
				{"type": 8, "name": "role", "description": "d"},
				{"type": 9, "name": "whom", "description": "d"},
				{"type": 5, "name": "loud", "description": "d"},
				{"type": 10, "name": "weight", "description": "d"},
				{"type": 11, "name": "file", "description": "d"},
				{"type": 3, "name": "kind", "description": "d", "choices": []map[string]any{{"name": "Cat", "value": "cat"}, {"name": "Dog", "value": "dog"}}},
			}},
		}},
		{"name": "setup", "description": "d", "default_member_permissions": ManageGuild.String(), "contexts": []int{0}},
		{"name": "owners", "description": "d", "default_member_permissions": "0"},
		{"name": "spicy", "description": "d", "nsfw": true},
		{"name": "anywhere", "description": "d", "integration_types": []int{0, 1}, "contexts": []int{0, 1, 2}},
		{"name": "guilds", "description": "d", "integration_types": []int{0}, "contexts": []int{0}},
		{"name": "Wave", "type": 2},
		{"name": "Quote", "type": 3},
	}
	for _, c := range commands {
		if status, out := call(t, s, "POST", "/applications/"+s.AppID()+"/commands", c); status != 201 {
			t.Fatalf("register %v: %d %v", c["name"], status, out)
		}
	}
	st.client, _ = start(t, s, IntentGuilds, nil)
	return st
}

// hear is the next interaction that the client gets.
func (st *stage) hear() map[string]any {
	st.t.Helper()
	return st.client.event("INTERACTION_CREATE").object(st.t)
}

// answer answers an interaction.
func (st *stage) answer(i *Interaction, body any) (int, map[string]any) {
	st.t.Helper()
	return call(st.t, st.Server, "POST", "/interactions/"+i.ID+"/"+i.Token+"/callback?with_response=true", body)
}

func (st *stage) hook(i *Interaction, method, path string, body any) (int, map[string]any) {
	st.t.Helper()
	return call(st.t, st.Server, method, "/webhooks/"+st.AppID()+"/"+i.Token+path, body)
}

// slash uses a command that is offered.
func (st *stage) slash(user, channel, name string, args Args) *Interaction {
	st.t.Helper()
	i, err := st.Slash(user, channel, name, args)
	if err != nil {
		st.t.Fatal(err)
	}
	return i
}

func code(body map[string]any) float64 {
	n, _ := body["code"].(float64)
	return n
}
