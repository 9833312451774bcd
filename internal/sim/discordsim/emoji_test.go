package discordsim

import (
	"bytes"
	"testing"
)

func TestEmoji(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	owl := c.s.AddEmoji(p.guild, "owl", false, nil)
	gw, _ := start(t, c.s, IntentGuilds|IntentGuildExpressions|IntentGuildMessageReactions, nil)
	if got := gw.event("GUILD_CREATE").object(t); field(got, "emojis.0.name") != "owl" || field(got, "emojis.0.animated") != false {
		t.Errorf("the guild came with %v", got["emojis"])
	}
	dance := c.s.AddEmoji(p.guild, "owl", true, nil)
	if got := gw.event("GUILD_EMOJIS_UPDATE").object(t); got["guild_id"] != p.guild || field(got, "emojis.1.id") != dance || field(got, "emojis.1.name") != "owl" {
		t.Errorf("got %v", got)
	}
	at := "/guilds/" + p.guild + "/emojis"
	if got := c.list(c.do("GET", at, "")); len(got) != 2 || field(got[0], "user") != nil {
		t.Errorf("got %v", got)
	}
	c.s.SetBotPermissions(p.guild, botMay|ManageGuildExpressions)
	if got := c.list(c.do("GET", at, "")); field(got[0], "user.id") != c.s.Owner(p.guild) {
		t.Errorf("got %v", got)
	}
	if got := c.ok(c.do("GET", at+"/"+dance, "")); got["animated"] != true {
		t.Errorf("got %v", got)
	}
	c.is(c.do("GET", at+"/"+p.ada, ""), 404, 10014)

	files := map[string]struct {
		status int
		begins string
	}{
		owl + ".png": {200, "\x89PNG"}, owl + ".webp": {200, "\x89PNG"}, owl + ".gif": {415, ""},
		dance + ".gif": {200, "GIF89a"}, dance + ".png": {200, "\x89PNG"}, dance + ".webp?animated=true": {200, "GIF89a"},
		owl + ".exe": {404, ""}, p.ada + ".png": {404, ""},
	}
	for name, want := range files {
		if status, data := httpGet(t, c.s.CDN()+"/emojis/"+name); status != want.status || !bytes.HasPrefix(data, []byte(want.begins)) {
			t.Errorf("%s: %d %.10q", name, status, data)
		}
	}

	// Reactions with a guild's emoji.
	message := saying(t, c.s, p.ada, p.general, Draft{Content: "x"})
	if err := c.s.React(p.bob, message, "owl:"+dance); err != nil {
		t.Fatal(err)
	}
	if got := gw.event("MESSAGE_REACTION_ADD").object(t); field(got, "emoji.id") != dance || field(got, "emoji.animated") != true {
		t.Errorf("got %v", got)
	}
	away := c.s.AddGuild("Away")
	c.is(c.do("PUT", "/channels/"+p.general+"/messages/"+message+"/reactions/cat:"+c.s.AddEmoji(away, "cat", false, nil)+"/@me", ""), 400, 10014)

	c.s.RenameEmoji(p.guild, owl, "wise_owl")
	c.s.DeleteEmoji(p.guild, dance)
	if got := c.s.Emojis(p.guild); len(got) != 1 || got[0].Name != "wise_owl" || got[0].Animated || len(got[0].Data) == 0 {
		t.Errorf("got %v", got)
	}
}
