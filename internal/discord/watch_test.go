package discord

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
	"rookery/internal/inbox"
	"rookery/internal/outbox"
	"rookery/internal/sim/discordsim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// TestThreeWaysToBeginAThread goes through a whole simulated gateway: what the
// watcher hears of is what Starter finds and what Read shows.
func TestThreeWaysToBeginAThread(t *testing.T) {
	t.Parallel()
	sim, err := discordsim.New(discordsim.Options{NoRateLimits: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sim.Close)
	guild := sim.AddGuild("Owls")
	forum, text, ada := sim.AddForum(guild, "art"), sim.AddChannel(guild, "pictures", discordsim.Text, discordsim.AgeRestricted()), sim.AddUser("ada")
	role := sim.AddRole(guild, "painter", 0)
	sim.Join(guild, ada, role)
	sim.BotJoins(guild)
	w := watching(forum, text)
	w.heard, w.moved = make(chan Original, 100), make(chan string, 100)
	s := storetest.Open(t, storetest.Config(t, store.SQLite), inbox.Migrations(), outbox.Migrations(), Migrations())
	d, err := New(Config{
		Store: s, Inbox: inbox.New(s, quick{}, slogTo(t)), Clock: quick{}, Log: slogTo(t), Token: sim.Token(), API: sim.URL(),
		MessageContent: true, MaxAge: time.Hour, Watchers: []Watcher{w},
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); d.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	if err := d.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	owl := discordsim.Draft{Content: "an owl", Files: []discordsim.File{{Name: "owl.png", Type: "image/png", Data: []byte("x")}}}
	check := func(what, thread, channel, message, parent string, adults bool) {
		t.Helper()
		told := next(t, w.heard)
		for told.Thread != community.ChannelID(thread) { // the first sweep may tell again of the one before
			told = next(t, w.heard)
		}
		account, _ := d.Account()
		starter, err := d.Starter(t.Context(), account, community.ChannelID(thread))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		read, err := d.Read(t.Context(), account, PostOf(community.ChannelID(channel), message))
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		for how, o := range map[string]Original{"told": told, "starter": starter, "read": read} {
			if o.ID != PostOf(community.ChannelID(channel), message) || o.Thread != community.ChannelID(thread) || !o.Begins ||
				o.Place.Guild != community.GuildID(guild) || o.Place.Channel != community.ChannelID(channel) ||
				o.Place.Parent != community.ChannelID(parent) || o.Place.AgeRestricted != adults {
				t.Errorf("%s, %s: %s in %+v, thread %q, begins: %t", what, how, o.ID, o.Place, o.Thread, o.Begins)
			}
			if o.Author.ID != community.MemberID(ada) || !slices.Equal(o.Place.Roles, []community.RoleID{community.RoleID(role)}) ||
				o.Content != "an owl" || len(o.Files) != 1 || o.Files[0].Size != 1 {
				t.Errorf("%s, %s: %+v", what, how, o)
			}
		}
	}
	post, err := sim.StartPost(ada, forum, "Owl", owl)
	if err != nil {
		t.Fatal(err)
	}
	check("a forum's post", post, post, post, forum, false)

	message, err := sim.Say(ada, text, owl)
	if err != nil {
		t.Fatal(err)
	}
	thread, err := sim.StartThread(ada, text, message, "Owl")
	if err != nil {
		t.Fatal(err)
	}
	check("a message's thread", thread, text, message, text, true)

	thread, err = sim.StartThread(ada, text, "", "Owls")
	if err != nil {
		t.Fatal(err)
	}
	message, err = sim.Say(ada, thread, owl)
	if err != nil {
		t.Fatal(err)
	}
	check("a thread without a message", thread, thread, message, text, true)

	// A link's picture comes a moment after it.
	if err := sim.EmbedLinks(message, sim.ImageEmbed("https://art.example/owl.png", "image/png", []byte("x"))); err != nil {
		t.Fatal(err)
	}
	o := next(t, w.heard)
	for len(o.Embeds) == 0 {
		o = next(t, w.heard)
	}
	if o.Embeds[0].Thumbnail.URL != "https://art.example/owl.png" || o.Thread != community.ChannelID(thread) {
		t.Errorf("with its link's picture: %+v", o)
	}
	w.follow(thread, message)
	w.follow(post, post)
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error { return sim.EditMessage(message, "two owls") }, "edited " + message},
		{func() error { return sim.DeleteMessage(message) }, "gone " + message},
		{func() error { return sim.DeleteMessages(post) }, "gone " + post},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := next(t, w.moved); got != step.want {
			t.Errorf("heard %q, want %q", got, step.want)
		}
	}
}

// What concerns nobody costs no question and no request; the rest is not told
// either.
func TestWatchersHearOfMembersThreadsOnly(t *testing.T) {
	b := newBench(t, onSQLite(t))
	forum := b.sim.AddForum(b.guild, "art")
	other := b.sim.AddChannel(b.guild, "other", discordsim.Text)
	bob, tin := b.sim.AddUser("bob"), b.sim.AddBot("tin")
	b.sim.Join(b.guild, bob)
	b.sim.Join(b.guild, tin)
	w := watching(b.general, forum)
	b.watched(w)
	says := func(who, channel, text string) string {
		t.Helper()
		b.clock.Advance(time.Second)
		id, err := b.sim.Say(who, channel, discordsim.Draft{Content: text})
		b.must(err)
		b.tellMessage(channel, id)
		return id
	}
	thread := func(channel, message string) string {
		t.Helper()
		b.clock.Advance(time.Second)
		id, err := b.sim.StartThread(b.ada, channel, message, "a thread")
		b.must(err)
		b.tellThread(id)
		return id
	}
	edited := func(channel, message string) {
		t.Helper()
		b.tell("MESSAGE_UPDATE", map[string]any{"id": message, "channel_id": channel, "guild_id": b.guild})
	}

	mine := thread(b.general, "")
	w.asked = 0
	ordinary := says(b.ada, b.general, "nothing begins")
	says(tin, mine, "welcome")
	b.tell("MESSAGE_CREATE", map[string]any{"id": "5", "channel_id": mine, "guild_id": b.guild, "type": 0, "webhook_id": "7",
		"author": map[string]any{"id": b.ada, "username": "hook"}})
	b.tell("MESSAGE_CREATE", map[string]any{"id": mine, "channel_id": mine, "guild_id": b.guild, "type": 4, "author": map[string]any{"id": b.ada, "username": "ada"}})
	before := len(b.sim.Requests())
	edited(b.general, ordinary)
	b.tell("MESSAGE_DELETE", map[string]any{"id": ordinary, "channel_id": b.general, "guild_id": b.guild})
	b.tell("MESSAGE_DELETE_BULK", map[string]any{"ids": []string{ordinary}, "channel_id": b.general, "guild_id": b.guild})
	if w.asked != 0 || len(b.sim.Requests()) != before {
		t.Errorf("what concerns nobody was asked about %d times, and cost %d requests", w.asked, len(b.sim.Requests())-before)
	}
	first := says(b.ada, mine, "mine")
	says(b.ada, mine, "and one more")
	if got := w.told(); got != "mine" {
		t.Errorf("of a thread: %q", got)
	}
	raw, err := get[map[string]any](t.Context(), b.d, "read", rest.GetChannel.Compile(nil, mine))
	b.must(err)
	b.tell("THREAD_UPDATE", raw) // tells nothing of how it began
	edited(mine, first)
	if got := w.told(); got != "mine" {
		t.Errorf("of an edit: %q", got)
	}

	says(bob, thread(b.general, ""), "another's words come first")
	says(b.ada, thread(b.general, ""), "then ours")
	says(b.ada, thread(other, ""), "in a channel that nobody watches")
	thread(other, says(b.ada, other, "likewise"))
	thread(b.general, says(tin, b.general, "of a bot"))
	if got := w.told(); got != "then ours" {
		t.Errorf("told of %q", got)
	}

	// What a restart takes from memory Discord is asked for.
	for _, who := range []string{bob, b.ada} {
		known := thread(b.general, "")
		b.d.cache.guilds[community.GuildID(b.guild)].Channels[community.ChannelID(known)].owner = ""
		says(who, known, "by "+who)
	}
	if got := w.told(); got != "by "+b.ada {
		t.Errorf("told of %q", got)
	}

	// A thread of an older message, in which the notice of that was lost.
	late := thread(b.general, says(b.ada, b.general, "in the channel"))
	if got := w.told(); got != "in the channel" {
		t.Errorf("told of %q", got)
	}
	says(b.ada, late, "only a comment")
	if got := w.told(); got != "" {
		t.Errorf("a comment began a thread: %q", got)
	}
	b.clock.Advance(25 * time.Hour)
	edited(mine, first)
	edited(b.general, late)
	if got := w.told(); got != "" {
		t.Errorf("of an edit after a day: %q", got)
	}
}

func TestWhoIsAddressedAndWhoWatchesBothHear(t *testing.T) {
	b := newBench(t, onSQLite(t))
	forum := b.sim.AddForum(b.guild, "art")
	w := watching(forum)
	b.watched(w)
	id, err := b.sim.StartPost(b.ada, forum, "Owl", discordsim.Draft{Content: b.mention("look")})
	b.must(err)
	b.tellThread(id)
	b.tellMessage(id, id)
	if got, taken := w.told(), b.texts(); got != "@rookery look" || taken != got {
		t.Errorf("the watcher heard %q, the inbox took %q", got, taken)
	}
}

func TestWhatTheWatcherFailsAtIsSwept(t *testing.T) {
	onEach(t, func(t *testing.T, s *store.Store) {
		b := newBench(t, s)
		forum := b.sim.AddForum(b.guild, "art")
		w := watching(forum)
		b.watched(w)
		b.must(b.d.sweep(t.Context()))
		b.clock.Advance(2 * time.Second)
		stop := b.clock.Run()
		defer stop()
		w.failing = hearTries
		id, err := b.sim.StartPost(b.ada, forum, "Owl", discordsim.Draft{Content: "an owl"})
		b.must(err)
		b.tellMessage(id, id)
		if got := w.told(); got != "" {
			t.Fatalf("it was told: %q", got)
		}
		if b.d.intake.gap == b.d.intake.swept {
			t.Error("no sweep is wanted")
		}
		w.failing = 1
		if _, err := b.d.Sweep(t.Context()); err == nil {
			t.Error("a sweep that the watcher failed at tells no error")
		}
		swept, err := b.d.Sweep(t.Context())
		if b.must(err); w.told() != "an owl" || swept.Begun != 1 {
			t.Errorf("%+v", swept)
		}
		swept, err = b.d.Sweep(t.Context())
		if b.must(err); w.told() != "" || swept.Begun != 0 {
			t.Errorf("it was told twice: %+v", swept)
		}
		b.must(b.d.flushSeen(t.Context()))
		b.watched(w) // a new process knows it as well
		b.must(b.d.sweep(t.Context()))
		if got := w.told(); got != "" {
			t.Errorf("it was told again: %q", got)
		}
		b.tell("MESSAGE_UPDATE", map[string]any{"id": id, "channel_id": id, "guild_id": b.guild})
		b.must(b.d.flushSeen(t.Context()))
		b.d.intake.forgetBegun(community.ChannelID(id)) // as what has failed is
		b.must(b.d.flushSeen(t.Context()))
		b.watched(w)
		b.must(b.d.sweep(t.Context()))
		if got := w.told(); got != "an owl; an owl" { // of the edit, and of what was forgotten
			t.Errorf("then told of %q", got)
		}
		b.must(b.d.Prune(t.Context()))
	})
}

// TestSweepTellsOfMissedThreads has nobody listening while threads begin.
func TestSweepTellsOfMissedThreads(t *testing.T) {
	b := newBench(t, onSQLite(t))
	b.must(b.d.sweep(t.Context()))
	forum, night := b.sim.AddForum(b.guild, "art"), b.sim.AddChannel(b.guild, "night", discordsim.Text, discordsim.AgeRestricted())
	bob := b.sim.AddUser("bob")
	b.sim.Join(b.guild, bob)
	post := func(text string) string {
		t.Helper()
		b.clock.Advance(time.Second)
		id, err := b.sim.StartPost(b.ada, forum, text, discordsim.Draft{Content: text})
		b.must(err)
		return id
	}
	thread := func(channel, message string) string {
		t.Helper()
		b.clock.Advance(time.Second)
		id, err := b.sim.StartThread(b.ada, channel, message, "a thread")
		b.must(err)
		return id
	}
	post("too old")
	ancient := b.say(b.general, "an old message, a new thread")
	b.clock.Advance(25 * time.Hour)
	post("a post")
	b.sim.ArchiveThread(post("archived"), true, false)
	thread(b.general, ancient)
	b.say(thread(night, ""), "without a message")
	b.say(thread(b.general, b.say(b.general, "not to be had")), "a comment")
	b.must(b.sim.DeleteMessage(b.sim.Messages(b.general)[1].ID))
	theirs := thread(night, "")
	_, err := b.sim.Say(bob, theirs, discordsim.Draft{Content: "another's"})
	b.must(err)
	empty := thread(night, "")
	link := post("see https://art.example/owl.png")
	const all = "a post; an old message, a new thread; archived; see https://art.example/owl.png; without a message"

	w := watching(forum, night, b.general)
	b.start(func(c *Config) {
		c.Watchers = []Watcher{w}
		c.Hears = func(context.Context, community.Place) bool { return false } // by no feature
	})
	b.must(b.d.sweep(t.Context()))
	for _, o := range w.began {
		if !o.Begins || o.Thread == "" || o.Place.Parent == "" || o.Place.AgeRestricted != (o.Text == "without a message") {
			t.Errorf("%q: thread %q, %+v", o.Text, o.Thread, o.Place)
		}
	}
	if got := w.told(); got != all {
		t.Errorf("told of %q", got)
	}
	// What had nothing to show yet is looked at again, the others are not.
	b.say(empty, "at last")
	b.must(b.sim.EmbedLinks(link, b.sim.ImageEmbed("https://art.example/owl.png", "image/png", []byte("x"))))
	before := len(b.sim.Requests())
	b.must(b.d.sweep(t.Context()))
	if got := w.told(); got != "at last; see https://art.example/owl.png" {
		t.Errorf("then of %q", got)
	}
	b.must(b.d.sweep(t.Context()))
	if got := w.told(); got != "" {
		t.Errorf("again of %q", got)
	}
	for _, r := range b.sim.Requests()[before:] {
		if strings.Contains(r.Path, theirs) {
			t.Errorf("what can begin nothing any more was read again: %s", r.Path)
		}
	}
	b.start(func(c *Config) { c.Watchers = []Watcher{w} }) // another process knows as well
	b.must(b.d.sweep(t.Context()))
	if got := w.told(); got != "" {
		t.Errorf("after a restart: %q", got)
	}
	rows := func() int {
		t.Helper()
		b.must(b.d.Prune(t.Context()))
		var n int64
		b.must(b.store.QueryRow(t.Context(), `select count(*) from discord_begun`).Scan(&n))
		return int(n)
	}
	if rows() == 0 || len(b.d.intake.told) == 0 {
		t.Error("it was forgotten too soon")
	}
	b.clock.Advance(25 * time.Hour)
	if rows() != 0 || len(b.d.intake.told) != 0 {
		t.Error("it is kept for ever what was told")
	}
	b.must(b.d.sweep(t.Context()))
	if got := w.told(); got != "" {
		t.Errorf("what is too old was told: %q", got)
	}
}

func TestWatchersAreNotToldOfWhatTheBotMayNotRead(t *testing.T) {
	b := newBench(t, onSQLite(t))
	b.must(b.d.sweep(t.Context()))
	forum := b.sim.AddForum(b.guild, "art")
	b.clock.Advance(2 * time.Second)
	post, err := b.sim.StartPost(b.ada, forum, "Owl", discordsim.Draft{Content: "an owl"})
	b.must(err)
	b.sim.ChangeChannel(forum, discordsim.Deny(b.guild, discordsim.ReadMessageHistory))
	w := watching(forum)
	b.watched(w)
	b.must(b.d.sweep(t.Context()))
	for _, r := range b.sim.Requests() {
		if strings.Contains(r.Path, "/"+post+"/messages") {
			t.Errorf("in vain: %s", r.Path)
		}
	}
	b.sim.ChangeChannel(forum, discordsim.Allow(b.guild, discordsim.ReadMessageHistory))
	b.know()
	b.must(b.d.sweep(t.Context()))
	if got := w.told(); got != "an owl" {
		t.Errorf("told of %q once it may be read", got)
	}
}

// A flood of changes is a flood of hints: there need not be room for all, and
// nothing is looked through for them.
func TestChangesKeepTheirOrderAndMayBeDropped(t *testing.T) {
	b := newBench(t, onSQLite(t))
	w := watching()
	b.watched(w)
	gap := b.d.intake.gap
	hold, held := make(chan struct{}), make(chan struct{})
	b.d.queues.put("channel 5", job{run: func(context.Context) { close(held); <-hold }, done: func() {}})
	next(t, held)
	dones := make(chan struct{}, 1000)
	var want []string
	for i := range queueLength + 20 {
		id := fmt.Sprint(1000 + i)
		w.follow("5", id)
		b.d.dispatch(frame{Event: "MESSAGE_DELETE", Data: []byte(`{"id":"` + id + `","channel_id":"5"}`)}, func() { dones <- struct{}{} })
		want = append(want, "gone "+id)
	}
	close(hold)
	for range want {
		next(t, dones)
	}
	if len(w.changes) < queueLength/2 || !slices.Equal(w.changes, want[:len(w.changes)]) || len(w.changes) == len(want) {
		t.Errorf("%d of %d changes: %q", len(w.changes), len(want), w.changes)
	}
	if b.d.intake.gap != gap {
		t.Error("all channels are looked through for a hint")
	}
}
