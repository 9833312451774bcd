package discord

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/disgoorg/disgo/rest"

	"rookery/internal/community"
)

// watcher hears of the threads of some channels.
type watcher struct {
	mu      sync.Mutex
	parents map[community.ChannelID]bool
	follows map[community.PostID]bool
	asked   int // how often Watches was
	failing int // how often Began is yet to fail
	began   []Original
	changes []string

	heard chan Original // if set, each that began
	moved chan string   // if set, each change
}

func watching(parents ...string) *watcher {
	w := &watcher{parents: map[community.ChannelID]bool{}, follows: map[community.PostID]bool{}}
	for _, p := range parents {
		w.parents[community.ChannelID(p)] = true
	}
	return w
}

func (w *watcher) Watches(_ context.Context, p community.Place) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked++
	return w.parents[p.Parent]
}

func (w *watcher) Began(_ context.Context, _ community.AccountID, o Original) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failing > 0 {
		w.failing--
		return errors.New("not now")
	}
	w.began = append(w.began, o)
	if w.heard != nil {
		w.heard <- o
	}
	return nil
}

func (w *watcher) Follows(id community.PostID) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.follows[id]
}

func (w *watcher) Changed(_ context.Context, _ community.AccountID, id community.PostID, gone bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	what := "edited "
	if gone {
		what = "gone "
	}
	_, message, _ := MessageOf(id)
	w.changes = append(w.changes, what+message)
	if w.moved != nil {
		w.moved <- what + message
	}
	return nil
}

func (w *watcher) follow(channel, message string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.follows[PostOf(community.ChannelID(channel), message)] = true
}

// told are the words of what began since the last time, sorted.
func (w *watcher) told() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []string
	for _, o := range w.began {
		out = append(out, o.Text)
	}
	w.began = nil
	slices.Sort(out)
	return strings.Join(out, "; ")
}

// watched has the bench's bot watch, without a gateway: its events are handed
// over by tell.
func (b *bench) watched(w *watcher) {
	b.t.Helper()
	b.start(func(c *Config) { c.Watchers = []Watcher{w}; c.MessageContent = true })
	b.know()
	ctx, cancel := context.WithCancel(context.Background())
	b.t.Cleanup(func() { cancel(); b.d.queues.workers.Wait() })
	b.d.queues.start(ctx)
}

// tell hands an event over and waits until it has been dealt with.
func (b *bench) tell(event string, payload any) {
	b.t.Helper()
	raw, err := json.Marshal(payload)
	b.must(err)
	done := make(chan struct{})
	b.d.dispatch(frame{Event: event, Data: raw}, func() { close(done) })
	next(b.t, done)
}

// tellThread tells of a thread that was made just now, as events do.
func (b *bench) tellThread(id string) {
	b.t.Helper()
	raw, err := get[map[string]any](b.t.Context(), b.d, "read", rest.GetChannel.Compile(nil, id))
	b.must(err)
	raw["newly_created"] = true
	b.tell("THREAD_CREATE", raw)
}

// tellMessage tells of a message, as events do.
func (b *bench) tellMessage(channel, id string) {
	b.t.Helper()
	raw, err := get[map[string]any](b.t.Context(), b.d, "read", rest.GetMessage.Compile(nil, channel, id))
	b.must(err)
	raw["guild_id"] = b.guild
	b.tell("MESSAGE_CREATE", raw)
}
