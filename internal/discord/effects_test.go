package discord

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
)

// slogTo sends a log to the test's.
func slogTo(t *testing.T) *slog.Logger { return slog.New(slog.NewTextHandler(t.Output(), nil)) }

// TestOneMessage sends through every fault that there is: in the end there is
// one message, and its id is known.
func TestOneMessage(t *testing.T) {
	t.Parallel()
	faults := []struct {
		name  string
		fault discordsim.Fault
		cut   bool // the process ends while it waits
	}{
		{"a limit of the bucket", discordsim.TooMany(750 * time.Millisecond), false},
		{"the global limit", discordsim.TooManyGlobal(1500 * time.Millisecond), false},
		{"a shared limit", discordsim.TooManyShared(20 * time.Second), false},
		{"a limit of the edge", discordsim.TooManyAtEdge(0), false},
		{"500 and nothing done", discordsim.Fail(500), false},
		{"500 after success", discordsim.Fail(500).Stored(), false},
		{"500 after success, thrice", discordsim.Fail(500).Stored().Times(3), false},
		{"502 of the edge after success", discordsim.FailPage(502).Stored(), false},
		{"503", discordsim.Fail(503), false},
		{"403 of the edge", discordsim.FailPage(403), false},
		{"a reset", discordsim.CutOff(), false},
		{"a reset after success", discordsim.CutOff().Stored(), false},
		{"half an answer", discordsim.Torn(), false},
		{"a web page for an answer", discordsim.WrongBody("<html>"), false},
		{"late", discordsim.Late(), true},
		{"gone before the answer", discordsim.Hang().Stored(), true},
		{"gone and nothing done", discordsim.Hang(), true},
		{"the token refused", discordsim.Fail(401), false},
	}
	for _, way := range []string{"a reply", "a message", "a file"} {
		t.Run(way, func(t *testing.T) {
			b := newBench(t, onSQLite(t))
			for i, c := range faults {
				b.general = b.sim.AddChannel(b.guild, "general", discordsim.Text)
				b.clock.Advance(time.Hour)
				if !b.once(way, strconv.Itoa(i), c.fault, c.cut) {
					t.Errorf("that was: %s", c.name)
				}
			}
		})
	}
}

// once sends a message through a fault, and tells whether there is one.
func (b *bench) once(way, key string, fault discordsim.Fault, cut bool) bool {
	b.t.Helper()
	p := Send{Channel: community.ChannelID(b.general), Parts: []Message{{Content: "The owl is *back*."}}}
	words := p.Parts[0].Content // also said before, by us
	switch way {
	case "a reply":
		p.ReplyTo = PostOf(p.Channel, b.say(b.general, "hello"))
	case "a message": // with nothing but its words to go by, one of the same words could be it
		words = "The owl was here."
	case "a file":
		b.must(b.attach("owl", bytes.Repeat([]byte("owl"), 1000)))
		p.Parts[0].Files = []File{{Key: "owl", Name: "an owl.gif"}}
	}
	before := b.ours(b.general, words)
	other := b.do("other"+key, MessageKind, Send{Channel: p.Channel, Parts: p.Parts})
	struck := b.sim.Inject(fault.On("POST", "/channels/*/messages"))
	b.plan("e"+key, MessageKind, "", p, 1)
	if cut {
		ctx, stop := context.WithCancel(b.t.Context())
		over := make(chan struct{})
		go func() {
			defer close(over)
			_, _ = b.out.Sweep(ctx)
		}()
		<-struck.Done()
		stop()
		<-over
	}
	r := b.settle("e" + key)
	b.sim.ClearFaults()
	if r.State != outbox.Confirmed || len(r.Made) != 1 || struck.Hits() == 0 {
		b.t.Errorf("ended %q (%s), made %v, the fault struck %d times", r.State, r.Reason, r.Made, struck.Hits())
		return false
	}
	all := b.sim.ByBot(b.general)
	if len(all) != 3 || string(PostOf(p.Channel, all[2].ID)) != r.Made[0] || all[0].ID != before || other.Made[0] == r.Made[0] {
		b.t.Errorf("the bot wrote %q, and made %v", b.wrote(b.general), r.Made)
		return false
	}
	return true
}

func TestOneMessageWithoutHistory(t *testing.T) {
	b := newBench(t, onSQLite(t))
	b.sim.ChangeChannel(b.general, discordsim.Deny(b.guild, discordsim.ReadMessageHistory))
	b.sim.Inject(discordsim.Fail(500).Stored().On("POST", "/channels/*/messages"))
	r := b.do("e", MessageKind, Send{Channel: community.ChannelID(b.general), Parts: []Message{{Content: "once"}}})
	if w := b.wrote(b.general); r.State != outbox.Confirmed || len(w) != 1 {
		t.Errorf("ended %q, and wrote %q", r.State, w)
	}
}

func TestPartsFollowEachOther(t *testing.T) {
	b := newBench(t, onSQLite(t))
	asked := b.say(b.general, "tell me")
	b.sim.Inject(discordsim.Fail(500).Stored().On("POST", "/channels/*/messages").Times(2))
	b.plan("e", MessageKind, "", Send{Channel: community.ChannelID(b.general), ReplyTo: PostOf(community.ChannelID(b.general), asked),
		Parts: []Message{{Content: "one"}, {Content: "two"}, {Content: "two"}}}, 3)
	r := b.settle("e")
	all := b.sim.ByBot(b.general)
	if got := strings.Join(b.wrote(b.general), " "); got != "one two two" || r.State != outbox.Confirmed || len(r.Made) != 3 {
		t.Fatalf("wrote %q, ended %q with %v", got, r.State, r.Made)
	}
	if all[0].ReplyTo != asked || all[1].ReplyTo != "" {
		t.Errorf("the parts reply to %q and %q", all[0].ReplyTo, all[1].ReplyTo)
	}
}

func TestNobodyIsPingedUnasked(t *testing.T) {
	b := newBench(t, onSQLite(t))
	bob := b.sim.AddUser("bob")
	b.sim.Join(b.guild, bob)
	asked := b.say(b.general, "hello")
	channel := community.ChannelID(b.general)
	text := "@everyone <@" + b.ada + "> <@" + bob + "> <@&" + b.guild + ">"
	b.do("a", MessageKind, Send{Channel: channel, ReplyTo: PostOf(channel, asked), Parts: []Message{{Content: text}}})
	b.do("b", MessageKind, Send{Channel: channel, Parts: []Message{{Content: text, Pings: []community.MemberID{community.MemberID(bob)}}}})
	all := b.sim.ByBot(b.general)
	if len(all) != 2 || len(all[0].Pinged) != 0 || len(all[1].Pinged) != 1 || all[1].Pinged[0] != bob {
		t.Errorf("pinged %v", all)
	}
}

func TestRefusals(t *testing.T) {
	b := newBench(t, onSQLite(t))
	for _, c := range []struct {
		name, want string
		make       func(b *bench) Send
	}{
		{"the message to answer is gone", ReasonGone, func(b *bench) Send {
			id := b.say(b.general, "hello")
			b.must(b.sim.DeleteMessage(id))
			return Send{Channel: community.ChannelID(b.general), ReplyTo: PostOf(community.ChannelID(b.general), id), Parts: []Message{{Content: "x"}}}
		}},
		{"the channel is gone", ReasonGone, func(b *bench) Send {
			b.sim.DeleteChannel(b.general)
			return Send{Channel: community.ChannelID(b.general), Parts: []Message{{Content: "x"}}}
		}},
		{"may not write", ReasonForbidden, func(b *bench) Send {
			b.sim.ChangeChannel(b.general, discordsim.Deny(b.guild, discordsim.SendMessages))
			return Send{Channel: community.ChannelID(b.general), Parts: []Message{{Content: "x"}}}
		}},
		{"may not see", ReasonForbidden, func(b *bench) Send {
			b.sim.ChangeChannel(b.general, discordsim.Private())
			return Send{Channel: community.ChannelID(b.general), Parts: []Message{{Content: "x"}}}
		}},
		{"takes no direct messages", ReasonForbidden, func(b *bench) Send {
			b.sim.BlockDMs(b.ada, true)
			return Send{To: community.MemberID(b.ada), Parts: []Message{{Content: "x"}}}
		}},
		{"too long", ReasonTooLong, func(b *bench) Send {
			return Send{Channel: community.ChannelID(b.general), Parts: []Message{{Content: strings.Repeat("x", 2001)}}}
		}},
		{"the file is no more", ReasonNoFile, func(b *bench) Send {
			return Send{Channel: community.ChannelID(b.general), Parts: []Message{{Files: []File{{Key: "gone", Name: "a.gif"}}}}}
		}},
		{"the file is too large", ReasonTooLarge, func(b *bench) Send {
			b.must(b.attach("big", make([]byte, MaxFileSize+1)))
			return Send{Channel: community.ChannelID(b.general), Parts: []Message{{Files: []File{{Key: "big", Name: "a.gif"}}}}}
		}},
		{"empty", ReasonInvalid, func(b *bench) Send {
			return Send{Channel: community.ChannelID(b.general), Parts: []Message{{}}}
		}},
		{"no id", ReasonGone, func(*bench) Send { return Send{Channel: "../users", Parts: []Message{{Content: "x"}}} }},
	} {
		b.general = b.sim.AddChannel(b.guild, "general", discordsim.Text)
		b.clock.Advance(time.Minute)
		if r := b.do(c.name, MessageKind, c.make(b)); r.State != outbox.Refused || r.Reason != c.want {
			t.Errorf("%s: ended %q: %q (%s)", c.name, r.State, r.Reason, r.Detail)
		}
	}
}

func TestReasonOfUnknownReference(t *testing.T) {
	t.Parallel()
	e := &Error{Class: Invalid, Code: 50035, Fields: json.RawMessage(`{"message_reference":{"_errors":[{"code":"MESSAGE_REFERENCE_UNKNOWN_MESSAGE","message":"Unknown message"}]}}`)}
	s, ok := errors.AsType[*outbox.SendError](sendError(e))
	if !ok || s.Outcome != outbox.Rejected || s.Reason != ReasonGone {
		t.Errorf("it is %+v", s)
	}
}

func TestDirectMessage(t *testing.T) {
	b := newBench(t, onSQLite(t))
	b.sim.Inject(discordsim.Fail(500).Stored().On("POST", "/channels/*/messages"))
	b.sim.Inject(discordsim.Fail(500).On("POST", "/users/@me/channels"))
	r := b.do("e", MessageKind, Send{To: community.MemberID(b.ada), Parts: []Message{{Content: "psst"}}})
	channel := b.sim.DMChannel(b.ada)
	if got := b.wrote(channel); r.State != outbox.Confirmed || len(got) != 1 || !strings.HasPrefix(r.Made[0], channel+"/") {
		t.Errorf("ended %q with %v, wrote %q", r.State, r.Made, got)
	}
}

func TestEditDeleteReact(t *testing.T) {
	b := newBench(t, onSQLite(t))
	channel := community.ChannelID(b.general)
	state := "two"
	b.d.Renderer("board", func(_ context.Context, ref string) (Message, error) {
		if ref != "7" {
			return Message{}, errors.New("no such board")
		}
		return Message{Content: state, Rows: []Row{{Buttons: []Button{{ID: "x", Label: "Go"}}}}}, nil
	})
	b.plan("a", MessageKind, "lane", Send{Channel: channel, Parts: []Message{{Content: "one"}}}, 1)
	b.settle("a")
	b.sim.Inject(discordsim.CutOff().Stored().On("PATCH", "/channels/*/messages/*"))
	b.plan("b", EditKind, "lane", Edit{Renderer: "board", Ref: "7"}, 1)
	state = "three"
	if r := b.settle("b"); r.State != outbox.Confirmed {
		t.Fatalf("the edit ended %q: %s", r.State, r.Detail)
	}
	all := b.sim.ByBot(b.general)
	if len(all) != 1 || all[0].Content != "three" || len(all[0].Components) != 1 {
		t.Fatalf("it is %+v", all)
	}
	post := PostOf(channel, all[0].ID)
	for i, r := range []React{{Post: post, Emoji: "🦉"}, {Post: post, Emoji: "🦉"}, {Post: post, Emoji: "👍"}, {Post: post, Emoji: "👍", Remove: true}, {Post: post, Emoji: "👍", Remove: true}} {
		if r := b.do("react"+string(rune('a'+i)), ReactKind, r); r.State != outbox.Confirmed {
			t.Fatalf("reaction %d ended %q: %s", i, r.State, r.Detail)
		}
	}
	if m, _ := b.sim.Message(all[0].ID); len(m.Reactions) != 1 || m.Reactions[0].Emoji != "🦉" {
		t.Errorf("the reactions are %v", m.Reactions)
	}
	b.plan("c", MessageKind, "lane", Send{Channel: channel, Parts: []Message{{Content: "x"}, {Content: "y"}}}, 2)
	b.settle("c")
	b.must(b.sim.DeleteMessage(b.sim.ByBot(b.general)[1].ID))
	b.sim.Inject(discordsim.Fail(500).Stored().On("DELETE", "/channels/*/messages/*"))
	b.plan("d", DeleteKind, "lane", nil, 1)
	if r := b.settle("d"); r.State != outbox.Confirmed || len(b.wrote(b.general)) != 0 {
		t.Errorf("the deletion ended %q, and there is %q", r.State, b.wrote(b.general))
	}
	if r := b.do("late", EditKind, Edit{Post: post, Message: &Message{Content: "z"}}); r.State != outbox.Refused || r.Reason != ReasonGone {
		t.Errorf("the edit of what is gone ended %q: %q", r.State, r.Reason)
	}
}

func TestFilesAreKept(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s)
		data := bytes.Repeat([]byte("0123456789"), 70_000) // two chunks and a bit
		b.must(b.attach("k", []byte("first try")))
		b.must(b.attach("k", data))
		p := Send{Channel: community.ChannelID(b.general), Parts: []Message{{Content: "look", Files: []File{
			{Key: "k", Name: `owl "1".gif`, Description: "an owl"}, {Text: "words", Name: "words.txt", Spoiler: true},
		}}}}
		b.start() // what is kept outlives the process
		r := b.do("e", MessageKind, p)
		all := b.sim.ByBot(b.general)
		if r.State != outbox.Confirmed || len(all) != 1 || len(all[0].Attachments) != 2 {
			t.Fatalf("ended %q (%s): %+v", r.State, r.Detail, all)
		}
		f, w := all[0].Attachments[0], all[0].Attachments[1]
		if !bytes.Equal(f.Data, data) || f.Description != "an owl" || f.ContentType != "image/gif" || string(w.Data) != "words" || !strings.HasPrefix(w.Name, "SPOILER_") {
			t.Errorf("the files are %q of %d bytes (%s), and %q: %q", f.Name, len(f.Data), f.ContentType, w.Name, w.Data)
		}
		b.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return b.d.Discard(ctx, tx, "k") }))
		b.must(b.attach("old", []byte("x")))
		b.clock.Advance(fileKept + time.Second)
		b.must(b.attach("new", []byte("x")))
		b.must(b.d.Prune(t.Context()))
		var files, chunks int64
		b.must(s.QueryRow(t.Context(), `select count(*) from discord_file`).Scan(&files))
		b.must(s.QueryRow(t.Context(), `select count(*) from discord_file_chunk`).Scan(&chunks))
		if files != 1 || chunks != 1 {
			t.Errorf("%d files and %d chunks are left", files, chunks)
		}
	})
}

func TestFileOfAnotherSize(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s)
		for _, size := range []int64{0, 4, 6, maxAttached + 1} {
			u := Upload{Name: "a", Size: size, Open: opens("12345")}
			if err := b.d.Attach(t.Context(), b.account, "k", u); !errors.Is(err, ErrFileSize) {
				t.Errorf("size %d: %v", size, err)
			}
		}
		var files int64
		b.must(s.QueryRow(t.Context(), `select (select count(*) from discord_file) + (select count(*) from discord_file_chunk)`).Scan(&files))
		if files != 0 {
			t.Errorf("%d rows are left", files)
		}
	})
}
