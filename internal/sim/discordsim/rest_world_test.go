package discordsim

import (
	"encoding/json"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rookery/internal/sim/apicheck"
)

func TestSelf(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{RefusedIntents: IntentGuildMembers})
	p := small(c.s)
	if me := c.ok(c.do("GET", "/users/@me", "")); me["id"] != c.s.AppID() || me["bot"] != true {
		t.Errorf("got %v", me)
	}
	if u := c.ok(c.do("GET", "/users/"+p.ada, "")); u["username"] != "ada" {
		t.Errorf("got %v", u)
	}
	c.is(c.do("GET", "/users/1", ""), 404, 10013)
	for _, path := range []string{"/applications/@me", "/oauth2/applications/@me"} {
		app := c.ok(c.do("GET", path, ""))
		if flags := intOf(app["flags"]); app["id"] != c.s.AppID() || flags&(1<<15) != 0 || flags&(1<<19) == 0 {
			t.Errorf("%s: got %v", path, app)
		}
	}
	guilds := c.list(c.do("GET", "/users/@me/guilds?with_counts=true", ""))
	if len(guilds) != 1 || field(guilds, "0.id") != p.guild || intOf(field(guilds, "0.approximate_member_count")) != 4 {
		t.Errorf("got %v", guilds)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	c.is(c.do("GET", "/owls", ""), 404, 0)
	c.is(c.do("POST", "/users/@me", ""), 405, 0)
	auth := c.auth
	for _, bad := range []string{"", "Bot wrong", strings.TrimPrefix(auth, "Bot ")} {
		c.auth = bad
		c.is(c.do("GET", "/users/@me", ""), 401, 0)
	}
	c.auth = auth
	c.agent = "Go-http-client/1.1"
	c.is(c.do("GET", "/users/@me", ""), 403, 40333)
	c.agent = "DiscordBot (x, 1)"
	c.s.Revoke()
	c.is(c.do("GET", "/users/@me", ""), 401, 0)
	c.s.Restore()
	c.ok(c.do("GET", "/users/@me", ""))
}

func TestGuilds(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	g := c.ok(c.do("GET", "/guilds/"+p.guild+"?with_counts=true", ""))
	if g["name"] != "Owls" || intOf(g["approximate_member_count"]) != 4 || field(g, "roles.0.name") != "@everyone" || field(g, "roles.0.id") != p.guild {
		t.Errorf("got %v", g)
	}
	if roles := c.list(c.do("GET", "/guilds/"+p.guild+"/roles", "")); field(roles, "1.tags.bot_id") != c.s.AppID() {
		t.Errorf("got %v", roles)
	}
	c.s.Names(p.ada, "Ada L.", p.guild, "owl queen")
	if m := c.ok(c.do("GET", "/guilds/"+p.guild+"/members/"+p.ada, "")); m["nick"] != "owl queen" || field(m, "user.global_name") != "Ada L." {
		t.Errorf("got %v", m)
	}
	all := c.list(c.do("GET", "/guilds/"+p.guild+"/members?limit=1000", ""))
	next := c.list(c.do("GET", "/guilds/"+p.guild+"/members?limit=2&after="+textOf(field(all, "0.user.id")), ""))
	if len(all) != 4 || len(next) != 2 || field(next, "0.user.id") != field(all, "1.user.id") {
		t.Errorf("got %d members, then %v", len(all), next)
	}
	if found := c.list(c.do("GET", "/guilds/"+p.guild+"/members/search?query=OWL&limit=5", "")); len(found) == 0 || field(found, "0.user.id") == nil {
		t.Errorf("got %v", found)
	}
	c.is(c.do("GET", "/guilds/"+p.guild+"/members/1", ""), 404, 10013)
	c.is(c.do("GET", "/guilds/"+p.guild+"/members/"+c.s.AddUser("eve"), ""), 404, 10007)
	c.is(c.do("GET", "/guilds/1", ""), 404, 10004)
	c.is(c.do("GET", "/guilds/"+c.s.AddGuild("Larks"), ""), 403, 50001)

	// Roles: only with the permission, and only below the bot's own.
	low := c.s.AddRole(p.guild, "above", 0)
	at := "/guilds/" + p.guild + "/members/" + p.ada + "/roles/"
	c.s.SetBotPermissions(p.guild, botMay|ManageRoles)
	c.is(c.do("PUT", at+low, ""), 403, 50013)
	c.s.BotLeaves(p.guild)
	c.is(c.do("GET", "/guilds/"+p.guild, ""), 403, 50001)
	c.s.BotJoins(p.guild, botMay, ManageRoles)
	c.is(c.do("PUT", at+low, ""), 204, 0)
	c.is(c.do("DELETE", at+low, ""), 204, 0)
	c.is(c.do("PUT", at+"1", ""), 404, 10011)
	c.s.SetUnavailable(p.guild, true)
	if r := c.do("GET", "/guilds/"+p.guild, ""); r.status != 503 {
		t.Errorf("an outage gets %d", r.status)
	}
	c.s.SetUnavailable(p.guild, false)
	c.is(c.do("DELETE", "/users/@me/guilds/"+p.guild, ""), 204, 0)
}

func TestChannels(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	category := c.s.AddChannel(p.guild, "rooms", Category, Deny(p.guild, SendMessages))
	adult := c.s.AddChannel(p.guild, "adult", Text, AgeRestricted(), In(category), Topic("owls"), Slowmode(5))
	c.s.AddChannel(p.guild, "talk", Voice)
	c.s.AddForum(p.guild, "help", "solved")
	got := c.ok(c.do("GET", "/channels/"+adult, ""))
	if got["nsfw"] != true || got["parent_id"] != category || field(got, "permission_overwrites.0.deny") != SendMessages.String() {
		t.Errorf("got %v", got)
	}
	if all := c.list(c.do("GET", "/guilds/"+p.guild+"/channels", "")); len(all) != 5 {
		t.Errorf("got %v", all)
	}
	c.is(c.do("PATCH", "/channels/"+adult, `{"name":"x"}`), 403, 50013)
	c.s.SetBotPermissions(p.guild, botMay|ManageChannels|ManageRoles)
	got = c.ok(c.do("PATCH", "/channels/"+adult, `{"name":"den","nsfw":false}`))
	if got["name"] != "den" || got["nsfw"] != false || got["topic"] != "owls" {
		t.Errorf("got %v", got)
	}
	c.is(c.do("PATCH", "/channels/"+adult, `{"name":""}`), 400, 50035)
	c.is(c.do("PUT", "/channels/"+adult+"/permissions/"+p.ada, `{"type":1,"allow":"2048","deny":"0"}`), 204, 0)
	if _, err := c.s.Say(p.ada, adult, Draft{Content: "x"}); err != nil {
		t.Error(err)
	}
	if _, err := c.s.Say(p.bob, adult, Draft{Content: "x"}); err == nil {
		t.Error("bob may write")
	}
	c.is(c.do("DELETE", "/channels/"+adult+"/permissions/"+p.ada, ""), 204, 0)
	c.is(c.do("POST", "/channels/"+p.general+"/typing", ""), 204, 0)
	c.ok(c.do("DELETE", "/channels/"+adult, ""))
	c.is(c.do("GET", "/channels/"+adult, ""), 404, 10003)
	dm := c.s.DMChannel(p.ada)
	c.ok(c.do("DELETE", "/channels/"+dm, ""))
}

func TestPins(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	id := saying(t, c.s, p.ada, p.general, Draft{Content: "keep"})
	at := "/channels/" + p.general + "/messages/pins"
	c.is(c.do("PUT", at+"/"+id, ""), 403, 50013)
	c.s.SetBotPermissions(p.guild, botMay|PinMessages)
	c.is(c.do("PUT", at+"/"+id, ""), 204, 0)
	if got := c.ok(c.do("GET", at, "")); field(got, "items.0.message.id") != id || field(got, "items.0.message.pinned") != true {
		t.Errorf("got %v", got)
	}
	if got := c.list(c.do("GET", "/channels/"+p.general+"/pins", "")); len(got) != 1 {
		t.Errorf("got %v", got)
	}
	if got := c.list(c.do("GET", "/channels/"+p.general+"/messages?limit=1", "")); intOf(field(got, "0.type")) != 6 {
		t.Errorf("pinning says nothing: %v", got)
	}
	c.is(c.do("DELETE", at+"/"+id, ""), 204, 0)
	if got := c.ok(c.do("GET", at, "")); field(got, "items.0") != nil {
		t.Errorf("got %v", got)
	}
	c.is(c.do("PUT", at+"/1", ""), 404, 10008)
}

func TestReactions(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	id := saying(t, c.s, p.ada, p.general, Draft{Content: "hi"})
	at := "/channels/" + p.general + "/messages/" + id + "/reactions"
	owl := url.PathEscape("🦉")
	c.is(c.do("PUT", at+"/"+owl+"/@me", ""), 204, 0)
	c.is(c.do("PUT", at+"/"+owl+"/@me", ""), 204, 0)
	c.is(c.do("PUT", at+"/owl/@me", ""), 400, 10014)
	c.is(c.do("PUT", at+"/"+url.PathEscape("owl:123")+"/@me", ""), 400, 10014)
	if err := c.s.React(p.bob, id, "🦉"); err != nil {
		t.Fatal(err)
	}
	m := c.ok(c.do("GET", "/channels/"+p.general+"/messages/"+id, ""))
	if intOf(field(m, "reactions.0.count")) != 2 || field(m, "reactions.0.me") != true {
		t.Errorf("got %v", m["reactions"])
	}
	if who := c.list(c.do("GET", at+"/"+owl, "")); len(who) != 2 || field(who, "0.id") != c.s.AppID() {
		t.Errorf("got %v", who)
	}
	c.is(c.do("DELETE", at+"/"+owl+"/"+p.bob, ""), 403, 50013)
	c.is(c.do("DELETE", at+"/"+owl+"/@me", ""), 204, 0)
	c.is(c.do("DELETE", at+"/"+owl+"/@me", ""), 400, 10014)
	// Joining in needs no ADD_REACTIONS, beginning does.
	c.s.ChangeChannel(p.general, Deny(c.s.BotRole(p.guild), AddReactions))
	c.is(c.do("PUT", at+"/"+owl+"/@me", ""), 204, 0)
	c.is(c.do("PUT", at+"/"+url.PathEscape("👍")+"/@me", ""), 403, 50013)
	c.s.SetBotPermissions(p.guild, botMay|ManageMessages)
	c.is(c.do("DELETE", at+"/"+owl, ""), 204, 0)
	c.is(c.do("DELETE", at, ""), 204, 0)
	if got, _ := c.s.Message(id); len(got.Reactions) != 0 {
		t.Errorf("got %v", got.Reactions)
	}
}

func TestThreads(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	id := saying(t, c.s, p.ada, p.general, Draft{Content: "topic"})
	start := "/channels/" + p.general + "/messages/" + id + "/threads"
	th := c.ok(c.do("POST", start, `{"name":"talk","auto_archive_duration":60}`))
	if th["id"] != id || intOf(th["type"]) != 11 || th["parent_id"] != p.general || field(th, "thread_metadata.archived") != false {
		t.Errorf("got %v", th)
	}
	c.is(c.do("POST", start, `{"name":"talk"}`), 400, 160004)
	c.is(c.do("POST", "/channels/"+p.general+"/threads", `{"name":"x","auto_archive_duration":61}`), 400, 50035)
	if m := c.ok(c.do("GET", "/channels/"+p.general+"/messages/"+id, "")); field(m, "thread.id") != id || intOf(m["flags"])&flagHasThread == 0 {
		t.Errorf("got %v", m)
	}
	saying(t, c.s, p.bob, id, Draft{Content: "in here"})
	c.ok(c.do("POST", "/channels/"+id+"/messages", `{"content":"hello"}`))
	if got := c.ok(c.do("GET", "/guilds/"+p.guild+"/threads/active", "")); field(got, "threads.0.id") != id || intOf(field(got, "threads.0.message_count")) != 2 {
		t.Errorf("got %v", got)
	}
	if got := c.list(c.do("GET", "/channels/"+id+"/thread-members", "")); len(got) != 2 {
		t.Errorf("got %v", got)
	}
	c.is(c.do("PUT", "/channels/"+id+"/thread-members/"+p.ada, ""), 204, 0)
	c.ok(c.do("GET", "/channels/"+id+"/thread-members/"+p.ada, ""))
	c.is(c.do("DELETE", "/channels/"+id+"/thread-members/@me", ""), 204, 0)
	c.is(c.do("GET", "/channels/"+id+"/thread-members/"+c.s.AppID(), ""), 404, 10007)
	// Archived: a message brings it back, unless it is locked.
	c.s.ArchiveThread(id, true, false)
	if got := c.ok(c.do("GET", "/channels/"+p.general+"/threads/archived/public", "")); field(got, "threads.0.id") != id {
		t.Errorf("got %v", got)
	}
	c.ok(c.do("POST", "/channels/"+id+"/messages", `{"content":"again"}`))
	if got := c.ok(c.do("GET", "/channels/"+id, "")); field(got, "thread_metadata.archived") != false {
		t.Errorf("got %v", got)
	}
	c.s.ArchiveThread(id, true, true)
	c.is(c.do("POST", "/channels/"+id+"/messages", `{"content":"again"}`), 400, 160005)
	c.is(c.do("PATCH", "/channels/"+id, `{"archived":false}`), 403, 50013)

	// Private ones are the members' own.
	private, err := c.s.StartPrivateThread(p.ada, p.general, "secret", p.bob)
	if err != nil {
		t.Fatal(err)
	}
	c.is(c.do("GET", "/channels/"+private, ""), 403, 50001)

	forum := c.s.AddForum(p.guild, "help", "open", "solved")
	tag := c.s.Channels(p.guild)[1].Tags[1].ID
	post := c.ok(c.do("POST", "/channels/"+forum+"/threads", `{"name":"how?","applied_tags":["`+tag+`"],"message":{"content":"like this"}}`))
	if field(post, "message.id") != post["id"] || field(post, "applied_tags.0") != tag {
		t.Errorf("got %v", post)
	}
	c.is(c.do("POST", "/channels/"+forum+"/threads", `{"name":"how?"}`), 400, 50035)
	c.is(c.do("POST", "/channels/"+forum+"/messages", `{"content":"x"}`), 400, 50008)
	c.ok(c.upload("POST", "/channels/"+forum+"/threads", `{"name":"file","message":{"content":"x","attachments":[{"id":0,"description":"d"}]}}`, File{Name: "a", Data: []byte("x")}))
	c.ok(c.do("POST", "/channels/"+p.general+"/threads", `{"name":"own","type":11}`))
}

// The frames are a recording of the real gateway. A guild of the simulator has
// every field of theirs but those that are left out on purpose.
func TestGuildHasTheRecordedFields(t *testing.T) {
	t.Parallel()
	data := apicheck.FromEnv(t)
	if data == nil {
		t.Skip(apicheck.Variable + " is not set")
	}
	raw, err := os.ReadFile(filepath.Join(data.Dir, "captures", "discord-zlib-stream", "frame-02.json"))
	if err != nil {
		t.Fatal(err)
	}
	var frame struct{ D map[string]any }
	if err := json.Unmarshal(raw, &frame); err != nil {
		t.Fatal(err)
	}
	c := newRESTClient(t, Options{})
	p := small(c.s)
	c.s.mu.Lock()
	ours := jsonAnswer(200, c.s.renderGuildCreate(c.s.guilds[p.guild]))
	c.s.mu.Unlock()
	var have map[string]any
	if err := json.Unmarshal(ours.body, &have); err != nil {
		t.Fatal(err)
	}
	// Undocumented: hashes and versions are of the caches of Discord's own
	// clients, and the emoji are other guilds'.
	left := []string{"guild_hashes", "version"}
	for name := range frame.D {
		if _, ok := have[name]; !ok && !slices.Contains(left, name) {
			t.Errorf("there is no %q", name)
		}
	}
	for _, list := range []string{"members", "roles"} {
		theirs, _ := field(frame.D, list+".0").(map[string]any)
		mine, _ := field(have, list+".0").(map[string]any)
		for name := range theirs {
			if _, ok := mine[name]; !ok && !slices.Contains(append(left, "tags"), name) {
				t.Errorf("%s: there is no %q", list, name)
			}
		}
	}
}
