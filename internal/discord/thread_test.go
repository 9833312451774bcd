package discord

import (
	"fmt"
	"strings"
	"testing"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
)

// around is what Thread tells of a message of ada's, in a few words.
func (b *bench) around(channel, id string, at community.Place) (above, below string, err error) {
	at.Guild, at.Channel = community.GuildID(b.guild), community.ChannelID(channel)
	up, down, err := b.d.Thread(b.t.Context(), b.account, community.Post{ID: PostOf(at.Channel, id), Place: at, Author: community.Member{ID: community.MemberID(b.ada)}})
	return told(up), told(down), err
}

func told(posts []community.Post) string {
	var out []string
	for _, p := range posts {
		out = append(out, p.Text)
	}
	return strings.Join(out, "; ")
}

func TestThreadOfReplies(t *testing.T) {
	b := newBench(t, onSQLite(t))
	one := b.say(b.general, "one")
	gone := b.say(b.general, "gone", one)
	b.say(b.general, "beside")
	two := b.ours(b.general, "two", one)
	three := b.say(b.general, "three", two)
	asked := b.say(b.general, b.mention("four"), three)
	b.say(b.general, "not ours", asked)
	b.ours(b.general, "five", asked)
	b.ours(b.general, "to another", three)
	above, below, err := b.around(b.general, asked, community.Place{})
	if b.must(err); above != "one; two; three" || below != "five" {
		t.Errorf("above %q, below %q", above, below)
	}
	orphan := b.say(b.general, b.mention("x"), gone)
	b.must(b.sim.DeleteMessage(gone))
	if above, _, err := b.around(b.general, orphan, community.Place{}); err != nil || above != "" {
		t.Errorf("above what answers a deleted one is %q (%v)", above, err)
	}
	b.must(b.sim.EditMessage(asked, "never mind"))
	b.must(b.sim.DeleteMessage(three))
	if _, _, err := b.around(b.general, one, community.Place{}); ClassOf(err) != Gone {
		t.Errorf("what does not address us: %v", err)
	}
	b.must(b.sim.DeleteMessage(asked))
	if _, _, err := b.around(b.general, asked, community.Place{}); ClassOf(err) != Gone {
		t.Errorf("a deleted one: %v", err)
	}
}

func TestLongChain(t *testing.T) {
	b := newBench(t, onSQLite(t))
	last := b.say(b.general, "0")
	for i := 1; i <= 110; i++ {
		for range 3 {
			b.say(b.general, "noise")
		}
		last = b.say(b.general, fmt.Sprint(i), last)
	}
	asked := b.say(b.general, b.mention("?"), last)
	above, _, err := b.d.Thread(t.Context(), b.account, community.Post{ID: PostOf(community.ChannelID(b.general), asked),
		Author: community.Member{ID: community.MemberID(b.ada)}, Place: community.Place{Guild: community.GuildID(b.guild)}})
	if b.must(err); len(above) != longestChain || above[0].Text != "11" || above[99].Text != "110" {
		t.Errorf("%d above: %s", len(above), told(above))
	}
}

func TestThreadIsTheMemory(t *testing.T) {
	b := newBench(t, onSQLite(t))
	forum := b.sim.AddForum(b.guild, "questions")
	body, err := jsonBody(map[string]any{"name": "Owls?", "message": map[string]any{"content": "The opening"}})
	b.must(err)
	var made struct {
		ID string `json:"id"`
	}
	b.must(b.d.effect(t.Context(), rest.CreateThread.Compile(nil, forum), body, &made))
	for i := range 40 {
		b.say(made.ID, fmt.Sprint(i))
	}
	first := b.sim.Messages(made.ID)[3].ID
	asked := b.say(made.ID, b.mention("and?"), first)
	above, _, err := b.around(made.ID, asked, community.Place{Parent: community.ChannelID(forum)})
	b.must(err)
	parts := strings.Split(above, "; ")
	if len(parts) != 32 || parts[0] != "The opening" || parts[1] != "2" || parts[2] != "10" || parts[31] != "39" {
		t.Errorf("above: %q", parts)
	}
}

func TestConversationIsTheMemory(t *testing.T) {
	b := newBench(t, onSQLite(t))
	dm, _, err := b.sim.DM(b.ada, "hello")
	b.must(err)
	b.ours(dm, "good evening")
	asked := b.say(dm, "what now?")
	up, down, err := b.d.Thread(t.Context(), b.account, community.Post{ID: PostOf(community.ChannelID(dm), asked), Place: community.Place{Channel: community.ChannelID(dm)}})
	if b.must(err); told(up) != "hello; good evening" || len(down) != 0 || up[0].Visibility != community.Direct {
		t.Errorf("above %q, below %q", told(up), told(down))
	}
}

func TestThreadWithoutTheContentIntent(t *testing.T) {
	b := newBench(t, onSQLite(t), func(*Config) {})
	r := reading{d: b.d, me: b.d.me(), channel: b.general, known: map[string]got{
		"1": {ID: "1", Channel: b.general}, "2": {ID: "2", Channel: b.general, Content: "told"},
		"3": {ID: "3", Channel: b.general, Files: []gotFile{{ID: "9", Type: "image/gif"}}}, "4": {ID: "4", Type: 7, Content: "joined"},
	}}
	posts := r.posts(t.Context(), map[string]bool{"1": true, "2": true, "3": true, "4": true})
	if len(posts) != 2 || posts[0].Text != "told" || len(posts[1].Media) != 1 {
		t.Errorf("%+v", posts)
	}
}

func TestThreadOfACommand(t *testing.T) {
	b := newBench(t, onSQLite(t))
	i := b.press(b.general, 0, true)
	post := community.Post{ID: community.PostID("i/" + i.ID), Place: community.Place{Guild: community.GuildID(b.guild), Channel: community.ChannelID(b.general)}}
	up, down, err := b.d.Thread(t.Context(), b.account, post)
	if b.must(err); len(up)+len(down) != 0 {
		t.Fatalf("around one that is being worked: %q, %q", told(up), told(down))
	}
	b.do("e", AnswerKind, b.answerTo(i, false))
	up, down, err = b.d.Thread(t.Context(), b.account, post)
	if b.must(err); len(up) != 0 || told(down) != "an owl" || down[0].ParentID != post.ID {
		t.Errorf("above %q, below %+v", told(up), down)
	}
}

func TestThreadWithoutHistory(t *testing.T) {
	b := newBench(t, onSQLite(t))
	one := b.say(b.general, "one")
	asked := b.say(b.general, b.mention("two"), one)
	b.sim.ChangeChannel(b.general, discordsim.Deny(b.guild, discordsim.ReadMessageHistory))
	if above, below, err := b.around(b.general, asked, community.Place{}); err != nil || above+below != "" {
		t.Errorf("%q, %q, %v", above, below, err)
	}
}
