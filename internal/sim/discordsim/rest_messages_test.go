package discordsim

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCreateMessage(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	path := "/channels/" + p.general + "/messages"
	first := saying(t, c.s, p.ada, p.general, Draft{Content: "hi"})

	m := c.ok(c.do("POST", path, `{"content":"hello <@`+p.ada+`>","nonce":"n1","message_reference":{"message_id":"`+first+`"}}`))
	if m["nonce"] != "n1" || field(m, "author.id") != c.s.AppID() || field(m, "referenced_message.id") != first || intOf(m["type"]) != 19 {
		t.Errorf("got %v", m)
	}
	again := c.ok(c.do("GET", path+"/"+textOf(m["id"]), ""))
	if _, ok := again["nonce"]; ok {
		t.Error("GET tells the nonce")
	}
	if got, _ := c.s.Message(textOf(m["id"])); !slices.Equal(got.Pinged, []string{p.ada}) || got.Nonce != "n1" || got.ReplyTo != first {
		t.Errorf("got %+v", got)
	}
}

func TestMessageRules(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	path := "/channels/" + p.general + "/messages"
	button := func(fields string) string {
		return `{"content":"x","components":[{"type":1,"components":[{"type":2,` + fields + `}]}]}`
	}
	for name, tc := range map[string]struct {
		body string
		at   string // "" when the message is posted
		code string
	}{
		"text":                 {`{"content":"hello"}`, "", ""},
		"2,000":                {`{"content":"` + strings.Repeat("ä", 2000) + `"}`, "", ""},
		"2,001":                {`{"content":"` + strings.Repeat("a", 2001) + `"}`, "content", "BASE_TYPE_MAX_LENGTH"},
		"nonce of 26":          {`{"content":"x","nonce":"` + strings.Repeat("n", 26) + `"}`, "nonce", "BASE_TYPE_MAX_LENGTH"},
		"nonce as a number":    {`{"content":"x","nonce":17}`, "", ""},
		"embed":                {`{"embeds":[{"title":"T","description":"D","url":"https://example.org/a","color":255}]}`, "", ""},
		"embed title":          {`{"embeds":[{"title":"` + strings.Repeat("t", 257) + `"}]}`, "embeds.0.title", "BASE_TYPE_MAX_LENGTH"},
		"embed field":          {`{"embeds":[{"fields":[{"name":"n","value":""}]}]}`, "embeds.0.fields.0.value", "BASE_TYPE_REQUIRED"},
		"embed address":        {`{"embeds":[{"title":"t","url":"javascript:x"}]}`, "embeds.0.url", "URL_TYPE_INVALID_SCHEME"},
		"embeds together":      {`{"embeds":[{"description":"` + strings.Repeat("d", 4000) + `"},{"description":"` + strings.Repeat("d", 2001) + `"}]}`, "embeds", "MAX_EMBED_SIZE_EXCEEDED"},
		"11 embeds":            {`{"embeds":[` + strings.TrimSuffix(strings.Repeat(`{"title":"t"},`, 11), ",") + `]}`, "embeds", "BASE_TYPE_MAX_LENGTH"},
		"button":               {button(`"style":1,"label":"ok","custom_id":"a"`), "", ""},
		"button without id":    {button(`"style":1,"label":"ok"`), "components.0.components.0.custom_id", "BASE_TYPE_REQUIRED"},
		"button with long id":  {button(`"style":1,"label":"ok","custom_id":"` + strings.Repeat("c", 101) + `"`), "components.0.components.0.custom_id", "BASE_TYPE_BAD_LENGTH"},
		"button without label": {button(`"style":1,"custom_id":"a"`), "components.0.components.0", "BUTTON_COMPONENT_MISSING_LABEL_OR_EMOJI"},
		"link":                 {button(`"style":5,"label":"ok","url":"https://example.org"`), "", ""},
		"link with id":         {button(`"style":5,"label":"ok","url":"https://example.org","custom_id":"a"`), "components.0.components.0", "BUTTON_COMPONENT_CUSTOM_ID_AND_URL"},
		"twice the same id": {`{"content":"x","components":[{"type":1,"components":[{"type":2,"style":1,"label":"a","custom_id":"a"},{"type":2,"style":1,"label":"b","custom_id":"a"}]}]}`,
			"components.0.components.1.custom_id", "COMPONENT_CUSTOM_ID_DUPLICATED"},
		"a text outside of v2": {`{"content":"x","components":[{"type":10,"content":"y"}]}`, "components.0.type", "BASE_TYPE_CHOICES"},
		"six rows": {`{"content":"x","components":[` + strings.TrimSuffix(strings.Repeat(`{"type":1,"components":[{"type":2,"style":5,"label":"a","url":"https://example.org"}]},`, 6), ",") + `]}`,
			"components", "BASE_TYPE_BAD_LENGTH"},
		"select":                 {`{"content":"x","components":[{"type":1,"components":[{"type":3,"custom_id":"s","options":[{"label":"a","value":"1"}]}]}]}`, "", ""},
		"select, no options":     {`{"content":"x","components":[{"type":1,"components":[{"type":3,"custom_id":"s","options":[]}]}]}`, "components.0.components.0.options", "BASE_TYPE_BAD_LENGTH"},
		"components v2":          {`{"flags":32768,"components":[{"type":17,"components":[{"type":10,"content":"# hello"}]}]}`, "", ""},
		"components v2, text":    {`{"flags":32768,"content":"x","components":[{"type":10,"content":"y"}]}`, "content", "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"},
		"mentions twice":         {`{"content":"x","allowed_mentions":{"parse":["users"],"users":["1"]}}`, "allowed_mentions", "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"},
		"mentions of nothing":    {`{"content":"x","allowed_mentions":{"parse":["owls"]}}`, "allowed_mentions.parse.0", "BASE_TYPE_CHOICES"},
		"answer to nothing":      {`{"content":"x","message_reference":{"message_id":"1"}}`, "message_reference", "REPLIES_UNKNOWN_MESSAGE"},
		"or as it is":            {`{"content":"x","message_reference":{"message_id":"1","fail_if_not_exists":false}}`, "", ""},
		"attachment of nowhere":  {`{"content":"x","attachments":[{"id":0}]}`, "attachments.0.id", "ATTACHMENT_NOT_FOUND"},
		"text of the wrong kind": {`{"content":["x"]}`, "content", "STRING_TYPE_CONVERT"},
	} {
		r := c.do("POST", path, tc.body)
		if tc.at == "" {
			c.ok(r)
			continue
		}
		got := field(r.json(t), "errors."+tc.at+"._errors.0.code")
		if r.status != 400 || got != tc.code {
			t.Errorf("%s: got %d %s", name, r.status, r.body)
		}
	}
	c.is(c.do("POST", path, `{"content":""}`), 400, 50006)
	c.is(c.do("POST", path, `{`), 400, 50109)
	c.is(c.do("POST", path, `[]`), 400, 50035)
	c.is(c.send("POST", path, "text/plain", []byte("hello")), 400, 50035)
}

func TestNonce(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	c := newRESTClient(t, Options{NoRateLimits: true, Clock: clock.Now})
	p := small(c.s)
	path := "/channels/" + p.general + "/messages"
	const body = `{"content":"once","nonce":"a","enforce_nonce":true}`
	first := textOf(c.ok(c.do("POST", path, body))["id"])
	if again := c.ok(c.do("POST", path, body)); again["id"] != first || again["nonce"] != "a" {
		t.Errorf("got %v", again)
	}
	if other := c.ok(c.do("POST", path, `{"content":"once","nonce":"a"}`)); other["id"] == first {
		t.Error("a nonce that is not enforced was")
	}
	clock.advance(6 * time.Minute)
	if late := c.ok(c.do("POST", path, body)); late["id"] == first {
		t.Error("a nonce is known for ever")
	}
}

func TestPings(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	owls := c.s.AddRole(p.guild, "owls", 0)
	c.s.SetRoles(p.guild, p.bob, owls)
	answered := saying(t, c.s, p.bob, p.general, Draft{Content: "hm"})
	owner := c.s.Owner(p.guild)
	text := fmt.Sprintf("@everyone <@%s> <@&%s>", p.ada, owls)
	for name, tc := range map[string]struct {
		more string
		want []string
	}{
		"all":                              {``, []string{p.ada, owner, p.bob}},
		"none":                             {`,"allowed_mentions":{"parse":[]}`, nil},
		"an empty one":                     {`,"allowed_mentions":{}`, nil},
		"users":                            {`,"allowed_mentions":{"parse":["users"]}`, []string{p.ada}},
		"one user":                         {`,"allowed_mentions":{"users":["` + p.ada + `"]}`, []string{p.ada}},
		"another user":                     {`,"allowed_mentions":{"users":["` + p.bob + `"]}`, nil},
		"roles, but it is not mentionable": {`,"allowed_mentions":{"parse":["roles"]}`, []string{p.bob}},
		"the answered":                     {`,"allowed_mentions":{"parse":[],"replied_user":true},"message_reference":{"message_id":"` + answered + `"}`, []string{p.bob}},
		"not even them":                    {`,"allowed_mentions":{"parse":[]},"message_reference":{"message_id":"` + answered + `"}`, nil},
	} {
		m := c.ok(c.do("POST", "/channels/"+p.general+"/messages", `{"content":"`+text+`"`+tc.more+`}`))
		got, _ := c.s.Message(textOf(m["id"]))
		slices.Sort(got.Pinged)
		slices.Sort(tc.want)
		if !slices.Equal(got.Pinged, tc.want) {
			t.Errorf("%s: pinged %v, want %v", name, got.Pinged, tc.want)
		}
	}
	// Without MENTION_EVERYONE neither everybody nor a role that is not mentionable.
	c.s.SetPermission(p.guild, p.guild, EveryonePermissions&^MentionEveryone)
	ping := func() []string {
		m := c.ok(c.do("POST", "/channels/"+p.general+"/messages", `{"content":"@here <@&`+owls+`>"}`))
		got, _ := c.s.Message(textOf(m["id"]))
		return got.Pinged
	}
	if got := ping(); len(got) != 0 {
		t.Errorf("pinged %v", got)
	}
	c.s.SetMentionable(p.guild, owls, true)
	if got := ping(); !slices.Equal(got, []string{p.bob}) {
		t.Errorf("pinged %v", got)
	}
	// An edit pings nobody.
	m := c.ok(c.do("POST", "/channels/"+p.general+"/messages", `{"content":"x"}`))
	edited := c.ok(c.do("PATCH", "/channels/"+p.general+"/messages/"+textOf(m["id"]), `{"content":"<@`+p.ada+`>"}`))
	if got, _ := c.s.Message(textOf(m["id"])); len(got.Pinged) != 0 || field(edited, "mentions.0.id") != p.ada {
		t.Errorf("got %+v, %v", got.Pinged, edited["mentions"])
	}
}

func TestListMessages(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	var ids []string
	for i := range 7 {
		ids = append(ids, saying(t, c.s, p.ada, p.general, Draft{Content: fmt.Sprint(i)}))
	}
	path := "/channels/" + p.general + "/messages"
	for query, want := range map[string]string{
		"":                               "6543210",
		"?limit=2":                       "65",
		"?before=" + ids[3]:              "210",
		"?before=" + ids[3] + "&limit=2": "21",
		"?after=" + ids[3] + "&limit=2":  "54",
		"?around=" + ids[3] + "&limit=3": "432",
	} {
		got := ""
		for _, m := range c.list(c.do("GET", path+query, "")) {
			got += textOf(asObj(m)["content"])
		}
		if got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	c.is(c.do("GET", path+"?limit=101", ""), 400, 50035)
	c.is(c.do("GET", path+"?before=x", ""), 400, 50035)
	if got := c.list(c.do("GET", "/guilds/"+p.guild+"/channels", "")); field(got, "0.last_message_id") != ids[6] {
		t.Errorf("got %v", got)
	}
}

func TestEditAndDelete(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	path := "/channels/" + p.general + "/messages"
	theirs := saying(t, c.s, p.ada, p.general, Draft{Content: "mine"})
	c.is(c.do("PATCH", path+"/"+theirs, `{"content":"yours"}`), 403, 50005)
	c.is(c.do("PATCH", path+"/"+theirs, `{"flags":4}`), 403, 50013)
	c.is(c.do("DELETE", path+"/"+theirs, ""), 403, 50013)
	c.s.SetBotPermissions(p.guild, botMay|ManageMessages)
	if got := c.ok(c.do("PATCH", path+"/"+theirs, `{"flags":4}`)); intOf(got["flags"]) != 4 {
		t.Errorf("got %v", got)
	}
	c.is(c.do("DELETE", path+"/"+theirs, ""), 204, 0)
	c.is(c.do("GET", path+"/"+theirs, ""), 404, 10008)

	m := c.ok(c.do("POST", path, `{"content":"one","embeds":[{"title":"t"}]}`))
	at := path + "/" + textOf(m["id"])
	got := c.ok(c.do("PATCH", at, `{"content":"two"}`))
	if got["content"] != "two" || field(got, "embeds.0.title") != "t" || got["edited_timestamp"] == nil {
		t.Errorf("got %v", got)
	}
	got = c.ok(c.do("PATCH", at, `{"embeds":[]}`))
	if got["content"] != "two" || field(got, "embeds.0") != nil {
		t.Errorf("got %v", got)
	}
	c.is(c.do("PATCH", at, `{"content":null}`), 400, 50006)
	c.is(c.do("DELETE", at, ""), 204, 0)
	c.is(c.do("DELETE", at, ""), 404, 10008)
}

func TestUploads(t *testing.T) {
	t.Parallel()
	clock := newTestClock()
	c := newRESTClient(t, Options{NoRateLimits: true, Clock: clock.Now, FileLife: time.Hour})
	p := small(c.s)
	path := "/channels/" + p.general + "/messages"
	m := c.ok(c.upload("POST", path, `{"content":"look","embeds":[{"image":{"url":"attachment://b.gif"}}],"attachments":[{"id":"0","description":"an owl"},{"id":1}]}`,
		File{Name: "a b.png", Data: []byte("one")}, File{Name: "b.gif", Data: []byte("two")}))
	id, address := textOf(m["id"]), textOf(field(m, "attachments.0.url"))
	if field(m, "attachments.0.description") != "an owl" || field(m, "attachments.0.filename") != "a_b.png" || !strings.HasPrefix(address, c.s.CDN()) {
		t.Errorf("got %v", m["attachments"])
	}
	if got := textOf(field(m, "embeds.0.image.url")); got != textOf(field(m, "attachments.1.url")) {
		t.Errorf("the embed shows %s", got)
	}
	if status, data := httpGet(t, address); status != 200 || string(data) != "one" {
		t.Errorf("got %d %q", status, data)
	}
	if status, _ := httpGet(t, strings.Replace(address, "hm=", "hm=0", 1)); status != 404 {
		t.Errorf("a wrong signature gets %d", status)
	}
	bare, _, _ := strings.Cut(address, "?")
	if status, _ := httpGet(t, bare); status != 404 {
		t.Errorf("no signature gets %d", status)
	}
	clock.advance(2 * time.Hour)
	if status, _ := httpGet(t, address); status != 404 {
		t.Errorf("an old address gets %d", status)
	}
	fresh := textOf(field(c.ok(c.do("GET", path+"/"+id, "")), "attachments.0.url"))
	if status, _ := httpGet(t, fresh); status != 200 || fresh == address {
		t.Errorf("a fresh address gets %d", status)
	}
	refreshed := c.ok(c.do("POST", "/attachments/refresh-urls", `{"attachment_urls":["`+address+`"]}`))
	if status, _ := httpGet(t, textOf(field(refreshed, "refreshed_urls.0.refreshed"))); status != 200 {
		t.Errorf("got %v", refreshed)
	}
	// An edit keeps what it lists, with a new description, and adds.
	kept := textOf(field(m, "attachments.0.id"))
	got := c.ok(c.upload("PATCH", path+"/"+id, `{"attachments":[{"id":"`+kept+`","description":"a wise owl"},{"id":"0"}]}`, File{Name: "c.txt", Data: []byte("three")}))
	if field(got, "attachments.0.description") != "a wise owl" || field(got, "attachments.1.filename") != "c.txt" || field(got, "attachments.2") != nil {
		t.Errorf("got %v", got["attachments"])
	}
	if got := c.ok(c.do("PATCH", path+"/"+id, `{"attachments":[]}`)); field(got, "attachments.0") != nil {
		t.Errorf("got %v", got["attachments"])
	}
	long := strings.Repeat("d", 1025)
	r := c.upload("POST", path, `{"attachments":[{"id":0,"description":"`+long+`"}]}`, File{Name: "a", Data: []byte("x")})
	if field(r.json(t), "errors.attachments.0.description._errors.0.code") != "BASE_TYPE_MAX_LENGTH" {
		t.Errorf("got %s", r.body)
	}
	c.is(c.upload("POST", path, `{}`, File{Name: "a", Data: make([]byte, fileSizeCap+1)}), 413, 40005)
	c.is(c.send("POST", path, "multipart/form-data; boundary=x", []byte("--y\r\n")), 400, 50035)
}

func TestImageSizes(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{})
	p := small(c.s)
	status, png := httpGet(t, c.s.AvatarURL(p.ada)+"?size=32")
	if status != 200 || !bytes.HasPrefix(png, []byte("\x89PNG")) {
		t.Fatalf("got %d", status)
	}
	if status, _ := httpGet(t, c.s.CDN()+"/avatars/"+p.ada+"/0.png"); status != 404 {
		t.Errorf("an avatar of nobody gets %d", status)
	}
	m := c.ok(c.upload("POST", "/channels/"+p.general+"/messages", "", File{Name: "a.png", Data: png}))
	if intOf(field(m, "attachments.0.width")) != 32 || field(m, "attachments.0.content_type") != "image/png" {
		t.Errorf("got %v", m["attachments"])
	}
}

func TestPermissionsOfPosting(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	path := "/channels/" + p.general + "/messages"
	role := c.s.BotRole(p.guild)
	c.s.ChangeChannel(p.general, Deny(role, AttachFiles|EmbedLinks))
	c.is(c.upload("POST", path, `{"content":"x"}`, File{Name: "a", Data: []byte("x")}), 403, 50013)
	c.is(c.do("POST", path, `{"embeds":[{"title":"x"}]}`), 403, 50013)
	c.s.ChangeChannel(p.general, Deny(role, SendMessages))
	c.is(c.do("POST", path, `{"content":"x"}`), 403, 50013)
	c.s.ChangeChannel(p.general, Deny(role, ReadMessageHistory))
	if got := c.list(c.do("GET", path, "")); len(got) != 0 {
		t.Errorf("got %v", got)
	}
	c.s.ChangeChannel(p.general, Deny(role, ViewChannel))
	c.is(c.do("POST", path, `{"content":"x"}`), 403, 50001)
	c.is(c.do("GET", "/channels/"+p.general, ""), 403, 50001)
	c.is(c.do("POST", "/channels/1/messages", `{"content":"x"}`), 404, 10003)
	c.is(c.do("POST", "/channels/x/messages", `{"content":"x"}`), 400, 50035)
	// The member's own overwrite comes last.
	c.s.ChangeChannel(p.general, Allow(c.s.AppID(), ViewChannel|SendMessages))
	c.ok(c.do("POST", path, `{"content":"x"}`))
	category := c.s.AddChannel(p.guild, "rooms", Category)
	c.is(c.do("POST", "/channels/"+category+"/messages", `{"content":"x"}`), 400, 50008)
	// A member who is timed out can only read.
	c.s.TimeOut(p.guild, p.ada, time.Now().Add(time.Hour))
	if _, err := c.s.Say(p.ada, p.general, Draft{Content: "x"}); err == nil {
		t.Error("a member who is timed out may write")
	}
}

func TestDirectMessages(t *testing.T) {
	t.Parallel()
	c := newRESTClient(t, Options{NoRateLimits: true})
	p := small(c.s)
	ch := c.ok(c.do("POST", "/users/@me/channels", `{"recipient_id":"`+p.ada+`"}`))
	path := "/channels/" + textOf(ch["id"]) + "/messages"
	if field(ch, "recipients.0.id") != p.ada || ch["id"] != c.s.DMChannel(p.ada) {
		t.Errorf("got %v", ch)
	}
	c.ok(c.do("POST", path, `{"content":"hello"}`))
	c.s.BlockDMs(p.ada, true)
	c.is(c.do("POST", path, `{"content":"hello"}`), 403, 50007)
	c.s.BlockDMs(p.ada, false)
	c.s.Kick(p.guild, p.ada)
	c.is(c.do("POST", path, `{"content":"hello"}`), 403, 50007) // no guild in common
	c.is(c.do("POST", "/users/@me/channels", `{"recipient_id":"1"}`), 404, 10013)
	c.is(c.do("POST", "/users/@me/channels", `{}`), 400, 50035)
	dm, id, err := c.s.DM(p.bob, "psst")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.ok(c.do("GET", "/channels/"+dm+"/messages/"+id, "")); got["content"] != "psst" {
		t.Errorf("got %v", got)
	}
	c.is(c.do("DELETE", "/channels/"+dm+"/messages/"+id, ""), 403, 50003)
}
