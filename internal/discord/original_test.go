package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
)

func (b *bench) read(channel, id string) Original {
	b.t.Helper()
	o, err := b.d.Read(b.t.Context(), b.account, PostOf(community.ChannelID(channel), id))
	b.must(err)
	return o
}

func TestReadShowsTheMessageAsItStands(t *testing.T) {
	b := newBench(t, onSQLite(t))
	role := b.sim.AddRole(b.guild, "painter", 0)
	secret := b.sim.AddChannel(b.guild, "secret", discordsim.Text, discordsim.Private())
	bob := b.sim.AddUser("bob")
	b.sim.Join(b.guild, bob)
	b.sim.Join(b.guild, b.ada, role)
	b.sim.Names(b.ada, "Ada Lovelace", b.guild, "The Countess")
	b.know()
	text := "**look** <@" + bob + ">, <@&" + role + ">, <@&404>, <#" + b.general + "> <#" + secret + "> https://art.example/owl ||hoo||"
	id, err := b.sim.Say(b.ada, b.general, discordsim.Draft{Content: text, Files: []discordsim.File{
		{Name: "owl.png", Type: "image/png", Description: "an owl\nat night", Data: []byte("12345"), Width: 640, Height: 480},
		{Name: "SPOILER_owl.gif", Type: "image/gif", Data: []byte("x")},
		{Name: "film.mp4", Type: "video/mp4", Data: []byte("x"), Spoiler: true},
	}})
	b.must(err)
	b.must(b.sim.EmbedLinks(id, b.sim.PageEmbed("https://art.example/owl", "An\nowl", "Art", "https://art.example/o.png", "image/png", []byte("x"))))
	o := b.read(b.general, id)
	if o.Content != text || o.Author.Name != "The Countess" || len(o.Place.Roles) != 1 || o.Thread != "" || o.Place.Parent != "" || o.Begins ||
		o.Hidden || o.Forwarded || o.Quotes || !o.Edited.IsZero() || !o.Sensitive || o.At.IsZero() {
		t.Errorf("it is %+v", o)
	}
	if !maps.Equal(o.Members, map[string]string{bob: "bob"}) || !maps.Equal(o.Roles, map[string]string{role: "painter"}) ||
		!maps.Equal(o.Channels, map[string]string{b.general: "general"}) {
		t.Errorf("it names %v, %v, %v", o.Members, o.Roles, o.Channels)
	}
	if len(o.Files) != 3 || len(o.Media) != 3 {
		t.Fatalf("files %+v, media %+v", o.Files, o.Media)
	}
	owl := o.Files[0]
	if owl.ID == "" || owl.Name != "owl.png" || owl.Type != "image/png" || owl.URL == "" || owl.Description != "an owl\nat night" ||
		owl.Size != 5 || owl.Width != 640 || owl.Height != 480 || owl.Spoiler || !o.Files[1].Spoiler || !o.Files[2].Spoiler {
		t.Errorf("the files are %+v", o.Files)
	}
	if len(o.Embeds) != 1 {
		t.Fatalf("embeds %+v", o.Embeds)
	}
	if e := o.Embeds[0]; e.Kind != "article" || e.URL != "https://art.example/owl" || e.Title != "An owl" || e.Provider != "Art" ||
		e.Thumbnail.URL != "https://art.example/o.png" || e.Thumbnail.ProxyURL == "" || e.Thumbnail.Type != "image/png" || e.Image.URL != "" {
		t.Errorf("the embed is %+v", e)
	}
	b.clock.Advance(time.Hour)
	b.must(b.sim.EditMessage(id, "enough"))
	if o = b.read(b.general, id); o.Content != "enough" || !o.Edited.Equal(b.clock.Now()) {
		t.Errorf("edited at %v: %q", o.Edited, o.Content)
	}
	if o = b.read(b.general, b.say(b.general, "a reply", id)); !o.Quotes || o.Forwarded {
		t.Errorf("a reply is %+v", o)
	}
	fwd, err := b.sim.Forward(b.ada, id, b.general)
	b.must(err)
	if o = b.read(b.general, fwd); !o.Forwarded || o.Quotes || o.Content != "" || len(o.Files) > 0 {
		t.Errorf("a forward is %+v", o)
	}
}

func TestReadOfWhatIsNotToBeRead(t *testing.T) {
	b := newBench(t, onSQLite(t))
	hidden := b.sim.AddChannel(b.guild, "hidden", discordsim.Text)
	secret := b.say(hidden, "hush")
	b.sim.ChangeChannel(hidden, discordsim.Deny(b.guild, discordsim.ViewChannel))
	gone := b.say(b.general, "gone")
	b.must(b.sim.DeleteMessage(gone))
	thread, err := b.sim.StartThread(b.ada, b.general, b.say(b.general, "x"), "a thread")
	b.must(err)
	notice := b.sim.Messages(thread)[0].ID
	for what, c := range map[string]struct {
		id   community.PostID
		want Class
	}{
		"deleted":          {PostOf(community.ChannelID(b.general), gone), Gone},
		"hidden":           {PostOf(community.ChannelID(hidden), secret), Forbidden},
		"of no channel":    {PostOf("404", "404"), Gone},
		"a notice":         {PostOf(community.ChannelID(thread), notice), Gone},
		"no id":            {"owls", Gone},
		"a path":           {"1/../2", Gone},
		"an interaction's": {"i/12", Gone},
	} {
		if _, err := b.d.Read(t.Context(), b.account, c.id); ClassOf(err) != c.want {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := b.d.Read(t.Context(), "discord:404", PostOf(community.ChannelID(b.general), gone)); ClassOf(err) != Transient {
		t.Errorf("by another's account: %v", err)
	}
	dm, id, err := b.sim.DM(b.ada, "in private")
	b.must(err)
	if o := b.read(dm, id); o.Visibility != community.Direct || o.Place.Guild != "" || o.Thread != "" || o.Hidden {
		t.Errorf("a direct message is %+v", o)
	}
}

func TestStarter(t *testing.T) {
	b := newBench(t, onSQLite(t))
	forum := b.sim.AddForum(b.guild, "art")
	tin := b.sim.AddBot("tin")
	b.sim.Join(b.guild, tin)
	post := func() string {
		t.Helper()
		id, err := b.sim.StartPost(b.ada, forum, "Owl", discordsim.Draft{Content: "a post"})
		b.must(err)
		b.say(id, "a comment")
		return id
	}
	thread := func(message string) string {
		t.Helper()
		id, err := b.sim.StartThread(b.ada, b.general, message, "a thread")
		b.must(err)
		return id
	}
	gonePost, goneMessage, greeted := post(), b.say(b.general, "gone"), thread("")
	headless := thread(goneMessage)
	b.say(headless, "a comment")
	b.must(b.sim.DeleteMessage(gonePost))
	b.must(b.sim.DeleteMessage(goneMessage))
	_, err := b.sim.Say(tin, greeted, discordsim.Draft{Content: "welcome"})
	b.must(err)
	first := b.say(greeted, "the first")
	second := b.say(greeted, "the second")
	archived := post()
	b.sim.ArchiveThread(archived, true, false)
	for _, c := range []struct {
		what, thread, want string
		class              Class
	}{
		{"a post", post(), "a post", ""},
		{"an archived post", archived, "a post", ""},
		{"of a message", thread(b.say(b.general, "in the channel")), "in the channel", ""},
		{"greeted by a bot", greeted, "the first", ""},
		{"a post that is gone", gonePost, "", Gone},
		{"a message that is gone", headless, "", Gone},
		{"an empty one", thread(""), "", Gone},
		{"no thread", b.general, "", Gone},
		{"nothing", "404", "", Gone},
	} {
		o, err := b.d.Starter(t.Context(), b.account, community.ChannelID(c.thread))
		if ClassOf(err) != c.class || o.Text != c.want || err == nil && (!o.Begins || o.Thread != community.ChannelID(c.thread)) {
			t.Errorf("%s: %q in %q, %v", c.what, o.Text, o.Thread, err)
		}
	}
	b.sim.Inject(discordsim.Fail(500).On("GET", "/channels/*/messages/*").Always())
	stop := b.clock.Run()
	if _, err := b.d.Starter(t.Context(), b.account, community.ChannelID(greeted)); ClassOf(err) != Transient {
		t.Errorf("a failure: %v", err)
	}
	stop()
	b.sim.ClearFaults()
	if !b.read(greeted, first).Begins || b.read(greeted, second).Begins || b.read(greeted, second).Thread != community.ChannelID(greeted) {
		t.Error("Read does not know which message is the first")
	}
}

func TestHiddenWithoutTheIntent(t *testing.T) {
	b := newBench(t, onSQLite(t))
	at := community.Place{Guild: community.GuildID(b.guild), Channel: community.ChannelID(b.general)}
	ours := gotUser{ID: string(b.d.me().member.ID)}
	for what, c := range map[string]struct {
		g    got
		at   community.Place
		want bool
	}{
		"empty":        {got{}, at, true},
		"with words":   {got{Content: "x"}, at, false},
		"with a file":  {got{Files: []gotFile{{}}}, at, false},
		"with a link":  {got{Embeds: []gotEmbed{{}}}, at, false},
		"ours":         {got{Author: ours}, at, false},
		"to us":        {got{Mentions: []gotUser{ours}}, at, false},
		"in private":   {got{}, community.Place{}, false},
		"to the owner": {got{Mentions: []gotUser{{ID: b.ada}}}, at, true},
	} {
		if got := b.d.original(t.Context(), c.g, c.at).Hidden; got != c.want {
			t.Errorf("%s: %t", what, got)
		}
	}
	b.d.MessageContent = true
	if b.d.original(t.Context(), got{}, at).Hidden {
		t.Error("hidden although we may read it")
	}
	b.d.conn.plain = true // the intent was refused
	if !b.d.original(t.Context(), got{}, at).Hidden {
		t.Error("not hidden although the intent was refused")
	}
}

func TestAMessageCommandBringsTheWholeMessage(t *testing.T) {
	t.Parallel()
	var got *Press
	b := newBed(t, Config{Commands: []Command{{Name: "Ask", Kind: OnMessage, Handle: answering(&got)}}})
	forum, bob := b.sim.AddForum(b.guild, "art"), b.sim.AddUser("bob")
	b.sim.Join(b.guild, bob, b.sim.AddRole(b.guild, "painter", 0))
	b.registers(t)
	owl := discordsim.Draft{Content: "an owl", Files: []discordsim.File{{Name: "o.png", Type: "image/png", Data: []byte("x"), Spoiler: true}}}
	post, err := b.sim.StartPost(b.ada, forum, "Owl", owl)
	if err != nil {
		t.Fatal(err)
	}
	take(t, b.Discord, did(t)(b.sim.MessageCommand(b.ada, post, "Ask", post)))
	o := got.Original
	if o == nil || o.ID != got.Target.ID || o.Content != "an owl" || len(o.Files) != 1 || !o.Files[0].Spoiler || o.Hidden ||
		o.Thread != community.ChannelID(post) || !o.Begins || o.Place.Parent != community.ChannelID(forum) {
		t.Fatalf("the message is %+v", o)
	}
	take(t, b.Discord, did(t)(b.sim.MessageCommand(bob, post, "Ask", post)))
	if o = got.Original; len(got.Place.Roles) != 1 || len(o.Place.Roles) != 0 || o.Author.ID != community.MemberID(b.ada) {
		t.Errorf("given by another: %+v", o)
	}
	forward, err := b.sim.Forward(bob, post, b.general)
	if err != nil {
		t.Fatal(err)
	}
	take(t, b.Discord, did(t)(b.sim.MessageCommand(bob, b.general, "Ask", forward)))
	if o = got.Original; o.Hidden || !o.Forwarded || len(o.Place.Roles) != 1 {
		t.Errorf("a forward of one's own: %+v", o)
	}
	message, err := b.sim.Say(b.ada, b.general, owl)
	if err != nil {
		t.Fatal(err)
	}
	take(t, b.Discord, did(t)(b.sim.MessageCommand(b.ada, b.general, "Ask", message)))
	if o = got.Original; o.Thread != "" || o.Begins {
		t.Errorf("in a channel: %+v", o)
	}
	if _, err = b.sim.StartThread(b.ada, b.general, message, "Owl"); err != nil {
		t.Fatal(err)
	}
	take(t, b.Discord, did(t)(b.sim.MessageCommand(b.ada, b.general, "Ask", message)))
	if o = got.Original; o.Thread != community.ChannelID(message) || !o.Begins || o.Place.Parent != community.ChannelID(b.general) ||
		got.Target.Place.Parent != "" {
		t.Errorf("with a thread: %+v", o)
	}
}

func TestRefreshed(t *testing.T) {
	b := newBench(t, onSQLite(t))
	var urls []string
	for range 6 { // 60 files: more than Discord takes at a time
		b.clock.Advance(time.Second)
		var files []discordsim.File
		for i := range 10 {
			files = append(files, discordsim.File{Name: fmt.Sprint(i, ".png"), Data: []byte("x")})
		}
		id, err := b.sim.Say(b.ada, b.general, discordsim.Draft{Files: files})
		b.must(err)
		for _, f := range b.read(b.general, id).Files {
			urls = append(urls, f.URL)
		}
	}
	status := func(url string) int {
		t.Helper()
		rs, err := http.Get(url)
		b.must(err)
		b.must(rs.Body.Close())
		return rs.StatusCode
	}
	b.clock.Advance(25 * time.Hour)
	const foreign = "https://elsewhere.example/x.png"
	fresh, err := b.d.Refreshed(t.Context(), append(urls, foreign)...)
	b.must(err)
	if got, ok := fresh[foreign]; ok && got != foreign {
		t.Errorf("a foreign address became %q", got)
	}
	delete(fresh, foreign)
	if len(fresh) != len(urls) {
		t.Fatalf("%d of %d addresses are fresh", len(fresh), len(urls))
	}
	if last := urls[len(urls)-1]; status(last) == http.StatusOK || status(fresh[last]) != http.StatusOK {
		t.Errorf("%d before, %d after", status(last), status(fresh[last]))
	}
	n := len(b.sim.Requests())
	if none, err := b.d.Refreshed(t.Context()); err != nil || len(none) != 0 || len(b.sim.Requests()) != n {
		t.Errorf("of nothing: %v, %v", none, err)
	}
	b.sim.Inject(discordsim.Fail(500).On("POST", "/attachments/refresh-urls"))
	if _, err := b.d.Refreshed(t.Context(), urls[0]); ClassOf(err) != Transient {
		t.Errorf("a failure: %v", err)
	}
}

func TestMemberSince(t *testing.T) {
	b := newBench(t, onSQLite(t))
	since := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	b.sim.JoinedAt(b.guild, b.ada, since)
	guild, ada := community.GuildID(b.guild), community.MemberID(b.ada)
	if _, _, err := b.d.Member(t.Context(), guild, ada); err != nil {
		t.Fatal(err)
	}
	n := len(b.sim.Requests())
	if at, err := b.d.MemberSince(t.Context(), guild, ada); err != nil || !at.Equal(since) {
		t.Errorf("since %v, %v", at, err)
	}
	if len(b.sim.Requests()) != n {
		t.Error("what Member told was asked again")
	}
	if _, err := b.d.MemberSince(t.Context(), guild, "404"); ClassOf(err) != Gone {
		t.Errorf("a stranger: %v", err)
	}
	b.d.members.put(memberKey{guild, "5"}, keptMember{}, b.clock.Now())
	if at, err := b.d.MemberSince(t.Context(), guild, "5"); err != nil || b.d.Now("").Sub(at) > time.Minute {
		t.Errorf("a guest: since %v, %v", at, err)
	}
}

func TestEmoji(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	b.set("GET /guilds/"+testHome+"/emojis", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `[{"id":"11","name":"owl","available":true},{"id":"12","name":"hoot","animated":true},
			{"id":"13","name":"lost","available":false},{"id":"../14","name":"odd"},{"id":"15","name":null},7]`)
	})
	r := newRig(t, b, sqlite(t), func(c *Config) { c.CDN = "https://cdn.example/" })
	list, err := r.Emoji(t.Context(), testHome)
	if err != nil || len(list) != 2 ||
		list[0] != (Emoji{ID: "11", Name: "owl", URL: "https://cdn.example/emojis/11.png"}) ||
		list[1] != (Emoji{ID: "12", Name: "hoot", Animated: true, URL: "https://cdn.example/emojis/12.gif"}) {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := r.Emoji(t.Context(), "owls"); ClassOf(err) != Gone {
		t.Errorf("of no guild: %v", err)
	}
}

// A field that is odd does not hide the message.
func FuzzOriginal(f *testing.F) {
	f.Add(`{"id":"1","channel_id":"1","thread":{"id":"1"},"attachments":[{"id":"2","size":1.5,"width":-1,"flags":"8"}],"embeds":[{"type":1,"image":[]}]}`)
	f.Add(`{"id":"1","channel_id":"2","content":"<@1> <@&2> <#3> <@!","edited_timestamp":"2026","message_reference":{"type":1},"embeds":[null]}`)
	d, err := New(Config{Token: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		g, err := guarded[got]([]byte(raw))
		if err != nil {
			return
		}
		for _, at := range []community.Place{{}, {Guild: "1", Channel: "2"}, {Guild: "1", Channel: "2", Parent: "3"}} {
			o := d.original(t.Context(), g, at)
			if _, err := json.Marshal(o); err != nil {
				t.Error(err)
			}
			for _, file := range o.Files {
				if file.Size < 0 || file.Width < 0 || file.Height < 0 {
					t.Errorf("%+v", file)
				}
			}
		}
	})
}

// answering is a handler that keeps the press.
func answering(to **Press) Handler {
	return func(_ context.Context, p *Press) (Answer, error) {
		*to = p
		return says("ok"), nil
	}
}
