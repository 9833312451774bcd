package discordsim

import "testing"

// What the bot does itself comes back as events, with what the documentation
// adds to them.
func TestEventsOfRequests(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	gw, _ := start(t, c.s, IntentGuilds|IntentGuildMessages|IntentGuildMessageReactions|IntentMessageContent, nil)
	gw.event("GUILD_CREATE")
	path := "/channels/" + p.general + "/messages"
	id := textOf(c.ok(c.do("POST", path, `{"content":"<@`+p.ada+`>","nonce":"n"}`))["id"])
	made := gw.event("MESSAGE_CREATE").object(t)
	if made["nonce"] != "n" || made["guild_id"] != p.guild || field(made, "member.joined_at") == nil || field(made, "mentions.0.member.roles") == nil {
		t.Errorf("got %v", made)
	}
	c.ok(c.do("PATCH", path+"/"+id, `{"content":"x"}`))
	if got := gw.event("MESSAGE_UPDATE").object(t); got["content"] != "x" || got["edited_timestamp"] == nil {
		t.Errorf("got %v", got)
	}
	if err := c.s.React(p.bob, id, "🦉"); err != nil {
		t.Fatal(err)
	}
	if got := gw.event("MESSAGE_REACTION_ADD").object(t); got["user_id"] != p.bob || got["message_author_id"] != c.s.AppID() || field(got, "member.user.id") != p.bob {
		t.Errorf("got %v", got)
	}
	if err := c.s.Unreact(p.bob, id, "🦉"); err != nil {
		t.Fatal(err)
	}
	if got := gw.event("MESSAGE_REACTION_REMOVE").object(t); got["member"] != nil || field(got, "emoji.name") != "🦉" {
		t.Errorf("got %v", got)
	}
	c.ok(c.do("POST", path+"/"+id+"/threads", `{"name":"talk"}`))
	if got := gw.event("THREAD_CREATE").object(t); got["newly_created"] != true || got["parent_id"] != p.general {
		t.Errorf("got %v", got)
	}
	c.is(c.do("DELETE", path+"/"+id, ""), 204, 0)
	if got := gw.event("MESSAGE_DELETE").object(t); got["id"] != id || got["guild_id"] != p.guild {
		t.Errorf("got %v", got)
	}
	// What happens where the bot cannot look is not told.
	hidden := c.s.AddChannel(p.guild, "hidden", Text, Private(), Allow(p.ada, ViewChannel))
	saying(t, c.s, p.ada, hidden, Draft{Content: "secret"})
	saying(t, c.s, p.ada, p.general, Draft{Content: "open"})
	if got := gw.event("MESSAGE_CREATE").object(t); got["content"] != "open" {
		t.Errorf("got %v", got)
	}
}
