package discordsim

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// What people send and then change, as the events and the API tell it.
func TestFilesOfPeople(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	gw, _ := start(t, c.s, IntentGuilds|IntentGuildMessages|IntentMessageContent, nil)
	gw.event("GUILD_CREATE")
	id := saying(t, c.s, p.ada, p.general, Draft{Content: "my owls", Files: []File{
		{Name: "SPOILER_owl.png", Description: "an owl", Data: square(false)},
		{Name: "flagged.gif", Spoiler: true, Data: square(true)},
		{Name: "film.mp4", Type: "video/mp4", Data: []byte("film"), Duration: 1500 * time.Millisecond, Width: 64, Height: 36},
		{Name: "lie.png", Type: "image/png", Data: []byte("<html>")},
		{Name: "nothing.png"},
	}})
	made := gw.event("MESSAGE_CREATE").object(t)
	path := "/channels/" + p.general + "/messages/" + id
	for _, m := range []obj{made, c.ok(c.do("GET", path, ""))} {
		for at, want := range map[string]string{
			"0.filename": "SPOILER_owl.png", "0.description": "an owl", "0.content_type": "image/png", "0.width": "16", "0.flags": "<nil>",
			"1.flags": "8", "1.content_type": "image/gif", "1.height": "16",
			"2.duration_secs": "1.5", "2.width": "64", "3.content_type": "image/png", "3.width": "<nil>", "4.size": "0",
		} {
			if got := strings.TrimSpace(textOrNumber(field(m, "attachments."+at))); got != want {
				t.Errorf("%s is %s, want %s", at, got, want)
			}
		}
	}
	m, _ := c.s.Message(id)
	owl, flagged := m.Attachments[0].ID, m.Attachments[1].ID

	// An edit by the author.
	if err := c.s.Edit(id, Edit{Remove: []string{flagged}, Describe: map[string]string{owl: "a wise owl"}, Spoiler: map[string]bool{owl: true}}); err != nil {
		t.Fatal(err)
	}
	got := gw.event("MESSAGE_UPDATE").object(t)
	if got["content"] != "my owls" || got["edited_timestamp"] == nil || field(got, "attachments.0.description") != "a wise owl" ||
		textOrNumber(field(got, "attachments.0.flags")) != "8" || field(got, "attachments.1.filename") != "film.mp4" {
		t.Errorf("after the edit: %v", got["attachments"])
	}
	for name, e := range map[string]Edit{
		"an unknown file":   {Describe: map[string]string{flagged: "x"}},
		"a long text":       {Describe: map[string]string{owl: strings.Repeat("x", 1025)}},
		"a file once again": {Remove: []string{flagged}},
	} {
		if c.s.Edit(id, e) == nil {
			t.Errorf("%s is taken", name)
		}
	}
	empty := ""
	one := saying(t, c.s, p.ada, p.general, Draft{Content: "x"})
	if err := c.s.Edit(one, Edit{Content: &empty}); err == nil || !strings.Contains(err.Error(), "50006") {
		t.Errorf("an empty message: %v", err)
	}
	two := saying(t, c.s, p.ada, p.general, Draft{Content: "y"})
	if err := c.s.DeleteMessages(one, two); err != nil {
		t.Fatal(err)
	}
	if got := gw.event("MESSAGE_DELETE_BULK").object(t); field(got, "ids.0") != one || field(got, "ids.1") != two || got["guild_id"] != p.guild {
		t.Errorf("got %v", got)
	}
	if c.s.DeleteMessages(one) == nil {
		t.Error("a message was deleted twice")
	}
}

// textOrNumber writes a value of JSON as a text.
func textOrNumber(v any) string {
	if v == nil {
		return "<nil>"
	}
	return strings.Trim(string(jsonAnswer(200, v).body), `"`)
}

func TestServeFile(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{})
	p := small(c.s)
	id := saying(t, c.s, p.ada, p.general, Draft{Files: []File{{Name: "owl.txt", Type: "text/plain", Data: []byte("an owl")}}})
	m, _ := c.s.Message(id)
	file := m.Attachments[0]
	for name, x := range map[string]struct {
		how    Serving
		status int
		body   string
	}{
		"as it is": {Serving{}, 200, "an owl"},
		"vanished": {Serving{Status: 404}, 404, "Not Found\n"},
		"empty":    {Serving{Empty: true}, 200, ""},
		"other":    {Serving{Data: []byte("a cat"), Delay: time.Millisecond}, 200, "a cat"},
	} {
		c.s.ServeFile(file.ID, x.how)
		if status, body := httpGet(t, file.URL); status != x.status || string(body) != x.body {
			t.Errorf("%s: %d %q", name, status, body)
		}
	}
	c.s.ServeFile(file.ID, Serving{Torn: true})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, file.URL, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err == nil {
		_, err = io.ReadAll(res.Body)
		_ = res.Body.Close()
	}
	if err == nil {
		t.Errorf("a torn file came whole, with %d", res.StatusCode)
	}
	if len(c.s.Messages(p.general)[0].Attachments[0].Data) != 6 {
		t.Error("the message's own file changed")
	}
}

func TestLinksBecomeEmbeds(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	gw, _ := start(t, c.s, IntentGuilds|IntentGuildMessages|IntentMessageContent, nil)
	id := saying(t, c.s, p.ada, p.general, Draft{Content: "https://art.example/owl.png"})
	const owl, film, page = "https://art.example/owl.png", "https://art.example/owl.mp4", "https://art.example/owls?page=1"
	if err := c.s.EmbedLinks(id, c.s.ImageEmbed(owl, "image/png", square(false)), c.s.VideoEmbed(film, "video/mp4", []byte("film"), 64, 36),
		c.s.PageEmbed(page, "Owls", "Art", owl+"?w=1", "image/png", square(false))); err != nil {
		t.Fatal(err)
	}
	got := gw.event("MESSAGE_UPDATE").object(t)
	if got["edited_timestamp"] != nil || field(got, "embeds.0.type") != "image" || field(got, "embeds.0.thumbnail.url") != owl ||
		textOrNumber(field(got, "embeds.0.thumbnail.width")) != "16" || field(got, "embeds.1.type") != "video" ||
		textOrNumber(field(got, "embeds.1.video.height")) != "36" || field(got, "embeds.2.provider.name") != "Art" {
		t.Errorf("got %v", got["embeds"])
	}
	c.ok(c.do("GET", "/channels/"+p.general+"/messages/"+id, "")) // as described
	proxy := textOf(field(got, "embeds.1.video.proxy_url"))
	if status, body := httpGet(t, proxy); status != 200 || string(body) != "film" {
		t.Errorf("the proxy of the film: %d %q", status, body)
	}
	if status, body := httpGet(t, textOf(field(got, "embeds.2.thumbnail.proxy_url"))); status != 200 || len(body) == 0 {
		t.Errorf("the proxy of an address with a query: %d", status)
	}
	c.s.ServeFile(film, Serving{Status: 415})
	if status, _ := httpGet(t, proxy); status != 415 {
		t.Errorf("a film that the proxy does not take: %d", status)
	}
	if status, _ := httpGet(t, c.s.CDN()+"/external/x/https/art.example/owl.png"); status != 404 {
		t.Errorf("an unknown address: %d", status)
	}
	own := c.ok(c.do("POST", "/channels/"+p.general+"/messages", `{"embeds":[{"type":"image","title":"x"}]}`))
	if field(own, "embeds.0.type") != "rich" {
		t.Errorf("the bot's own embed: %v", own["embeds"])
	}
}

func TestForward(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, Options{NoRateLimits: true}) // not held against the description, which does not know type 1 yet
	p := small(s)
	gw, _ := start(t, s, IntentGuilds|IntentGuildMessages, nil)
	id := saying(t, s, p.ada, p.general, Draft{Content: "mine", Files: []File{{Name: "a.png", Data: square(false)}}})
	gw.event("MESSAGE_CREATE")
	on, err := s.Forward(p.bob, id, p.general)
	if err != nil {
		t.Fatal(err)
	}
	if got := gw.event("MESSAGE_CREATE").object(t); field(got, "message_snapshots.0.message.content") != "" {
		t.Errorf("without the intent: %v", got["message_snapshots"])
	}
	_, m := call(t, s, "GET", "/channels/"+p.general+"/messages/"+on, nil)
	if m["content"] != "" || field(m, "message_snapshots.0.message.content") != "mine" || field(m, "message_snapshots.0.message.attachments.0.filename") != "a.png" ||
		textOrNumber(field(m, "message_reference.type")) != "1" || intOf(m["flags"])&flagHasSnapshot == 0 || intOf(m["type"]) != messageDefault {
		t.Errorf("got %v", m)
	}
	if got, _ := s.Message(on); got.ForwardOf != id || got.ReplyTo != "" {
		t.Errorf("got %+v", got)
	}
	if _, err := s.Forward(p.bob, "1", p.general); err == nil {
		t.Error("a message that is not there was forwarded")
	}
}

func TestLockedAndArchivedThreads(t *testing.T) {
	t.Parallel()
	st := newStage(t)
	thread, err := st.StartPost(st.ada, st.AddForum(st.guild, "art"), "owl", Draft{Content: "my owl"})
	if err != nil {
		t.Fatal(err)
	}
	at := "/channels/" + thread + "/messages"
	status, body := call(t, st.Server, "POST", at, map[string]any{"content": "hi"})
	if status != 200 {
		t.Fatalf("%d %v", status, body)
	}
	own := at + "/" + textOf(body["id"])
	edit := func() float64 {
		_, body := call(t, st.Server, "PATCH", own, map[string]any{"content": "x"})
		return code(body)
	}
	send := func() float64 {
		_, body := call(t, st.Server, "POST", at, map[string]any{"content": "x"})
		return code(body)
	}
	react := func() float64 {
		st.clock.advance(time.Second) // past the limit of reactions
		_, body := call(t, st.Server, "PUT", own+"/reactions/%F0%9F%A6%89/@me", nil)
		return code(body)
	}
	st.ArchiveThread(thread, false, true)
	if e, s, r := edit(), send(), react(); e != 160005 || s != 160005 || r != 0 {
		t.Errorf("locked: edit %v, send %v, react %v", e, s, r)
	}
	if err := st.EditMessage(thread, "another text"); err == nil || !strings.Contains(err.Error(), "160005") {
		t.Errorf("the author's edit in a locked thread: %v", err)
	}
	st.ArchiveThread(thread, true, true)
	if _, body := call(t, st.Server, "DELETE", own, nil); code(body) != 160005 {
		t.Errorf("a delete in what is locked and archived: %v", body)
	}
	st.ArchiveThread(thread, true, false)
	if e, r := edit(), react(); e != 50083 || r != 50083 {
		t.Errorf("archived: edit %v, react %v", e, r)
	}
	if _, err := st.Slash(st.ada, thread, "anywhere", nil); !errors.Is(err, ErrNotOffered) {
		t.Errorf("a command in an archived thread: %v", err)
	}
	if s := send(); s != 0 {
		t.Errorf("archived: send %v", s)
	}
	st.ArchiveThread(thread, false, true)
	if status, body := call(t, st.Server, "DELETE", own, nil); status != 204 {
		t.Errorf("a delete in what is only locked: %v", body)
	}
	st.SetBotPermissions(st.guild, ManageThreads)
	if s := send(); s != 0 {
		t.Errorf("by who may manage threads: %v", s)
	}
}

func TestThreadFromAMessage(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	id := saying(t, c.s, p.ada, p.general, Draft{Content: "my owl"})
	thread, err := c.s.StartThread(p.bob, p.general, id, "owl")
	if err != nil || thread != id {
		t.Fatal(thread, err)
	}
	list := c.list(c.do("GET", "/channels/"+thread+"/messages", ""))
	if len(list) != 1 || intOf(field(list[0], "type")) != messageThreadStart || field(list[0], "content") != "" ||
		field(list[0], "message_reference.message_id") != id || field(list[0], "referenced_message.content") != "my owl" {
		t.Fatalf("the thread begins with %v", list)
	}
	c.is(c.do("DELETE", "/channels/"+thread+"/messages/"+textOf(field(list[0], "id")), ""), 403, 50013)
	if got := c.ok(c.do("GET", "/channels/"+thread, "")); intOf(got["message_count"]) != 0 {
		t.Errorf("message_count is %v", got["message_count"])
	}
}

func TestJoinedAt(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	c.s.JoinedAt(p.guild, p.ada, time.Date(2020, 5, 1, 0, 0, 0, 0, time.UTC))
	if got := c.ok(c.do("GET", "/guilds/"+p.guild+"/members/"+p.ada, "")); !strings.HasPrefix(textOf(got["joined_at"]), "2020-05-01T00:00:00") {
		t.Errorf("got %v", got)
	}
	c.s.Kick(p.guild, p.ada)
	c.is(c.do("GET", "/guilds/"+p.guild+"/members/"+p.ada, ""), 404, 10007)
}
