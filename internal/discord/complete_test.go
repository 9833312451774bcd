package discord

import (
	"context"
	"fmt"
	"testing"

	"rookery/internal/community"
	"rookery/internal/sim/discordsim"
	"rookery/internal/words"
)

func completing(ask func(context.Context, *Press, string, string) []Choice) Command {
	return Command{Name: "find", Help: words.PressDone, Handle: always(says("found")), Complete: ask, Options: []Option{
		{Name: "text", Help: words.PressDone, Kind: OptionText, Complete: true},
		{Name: "count", Help: words.PressDone, Kind: OptionInt, Complete: true},
	}}
}

func TestChoicesAreOfferedWhileTyping(t *testing.T) {
	t.Parallel()
	b := newBed(t, Config{Commands: []Command{completing(func(_ context.Context, _ *Press, option, typed string) []Choice {
		if option == "count" {
			return []Choice{{Label: "seven", Value: "7"}}
		}
		if typed == "panic" {
			panic("boom")
		}
		var many []Choice
		for n := range 30 {
			many = append(many, Choice{Label: fmt.Sprintf("%s %d %0200d", typed, n, 0), Value: fmt.Sprint(n)})
		}
		return many
	})}})
	b.registers(t)
	o := take(t, b.Discord, did(t)(b.sim.Autocomplete(b.ada, b.general, "find", discordsim.Args{"text": "ow"}, "text")))
	if o.Type != 8 || len(o.Choices) != MaxChoices || o.Choices[1].Value != "1" || len([]rune(o.Choices[1].Name)) != longestChoice {
		t.Errorf("outcome = %+v\n%s", o, b.logged)
	}
	o = take(t, b.Discord, did(t)(b.sim.Autocomplete(b.ada, b.general, "find", discordsim.Args{"count": "7"}, "count")))
	if o.Type != 8 || len(o.Choices) != 1 || fmt.Sprint(o.Choices[0].Value) != "7" {
		t.Errorf("outcome = %+v\n%s", o, b.logged)
	}
	o = take(t, b.Discord, did(t)(b.sim.Autocomplete(b.ada, b.general, "find", discordsim.Args{"text": "panic"}, "text")))
	if o.Type != 8 || len(o.Choices) != 0 {
		t.Errorf("after a panic: %+v", o)
	}
}

func TestPressPassesAFloodOfTyping(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	started := make(chan struct{}, 100)
	b := newBed(t, Config{Commands: []Command{completing(func(ctx context.Context, _ *Press, _, _ string) []Choice {
		started <- struct{}{}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return nil
	})}})
	b.registers(t)
	done := make(chan struct{}, 100)
	const keys = 40
	for n := range keys {
		who := b.sim.AddUser(fmt.Sprint("typist", n))
		b.sim.Join(b.guild, who)
		raw := payload(t, did(t)(b.sim.Autocomplete(who, b.general, "find", discordsim.Args{"text": "a"}, "text")))
		go func() {
			b.onInteraction(t.Context(), raw)
			done <- struct{}{}
		}()
	}
	for range maxCompletions {
		<-started
	}
	if o := take(t, b.Discord, did(t)(b.sim.Slash(b.ada, b.general, "find", nil))); o.Message == nil || o.Message.Content != "found" {
		t.Errorf("a press in a flood: %+v", o)
	}
	for range keys - maxCompletions - maxWaiting { // give way while the others still run or wait
		<-done
	}
	close(release)
	for range maxCompletions + maxWaiting {
		<-done
	}
}

func TestCompletionsGiveWay(t *testing.T) {
	t.Parallel()
	var q completions
	q.init(2, 2)
	if !q.enter(t.Context(), "ada") || !q.enter(t.Context(), "bob") {
		t.Fatal("there is room")
	}
	enter := func(m community.MemberID) (turn chan bool) {
		turn = make(chan bool, 1)
		q.mu.Lock()
		before := len(q.waiting)
		var last *completion
		if before > 0 {
			last = q.waiting[before-1]
		}
		q.mu.Unlock()
		go func() { turn <- q.enter(t.Context(), m) }()
		for { // until it waits
			q.mu.Lock()
			n := len(q.waiting)
			waits := n > 0 && q.waiting[n-1] != last
			q.mu.Unlock()
			if waits {
				return turn
			}
		}
	}
	first := enter("ada")
	second := enter("ada")
	if <-first {
		t.Error("what was typed before is worth nothing")
	}
	third := enter("eve")
	fourth := enter("kim")
	if <-second {
		t.Error("who waits longest gives way when too many wait")
	}
	q.leave("bob")
	if !<-third {
		t.Error("the next one's turn has come")
	}
	q.leave("eve")
	if !<-fourth {
		t.Error("the next one's turn has come")
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if q.enter(ended, "ada") {
		t.Error("a context that has ended waits for nothing")
	}
	q.leave("kim")
	q.leave("ada")
	if len(q.running) != 0 || len(q.waiting) != 0 {
		t.Errorf("left over: %v, %v", q.running, q.waiting)
	}
}
