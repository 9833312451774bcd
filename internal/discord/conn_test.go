package discord

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/coder/websocket"
	dg "github.com/disgoorg/disgo/discord"
	"github.com/disgoorg/disgo/rest"
	"go.uber.org/goleak"

	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

func ready(t *testing.T, r *rig) *wire {
	t.Helper()
	w := next(t, r.b.opened)
	if err := r.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	return w
}

func TestRunConnectsAndStopsClean(t *testing.T) {
	b, s := newBackend(t), sqlite(t)
	idle := goleak.IgnoreCurrent()
	r := newRig(t, b, s)
	stop := r.run(t)
	w := ready(t, r)
	if w.Shard != [2]int{0, 1} || w.Intents&(1<<15) == 0 {
		t.Errorf("identified with shard %v, intents %b", w.Shard, w.Intents)
	}
	if g := next(t, r.joined); g.Name != "Owls" || g.Locale != "ru" {
		t.Errorf("joined %+v", g)
	}
	if a, ok := r.Account(); !ok || a != "discord:"+testApp {
		t.Errorf("account %q", a)
	}
	if st := r.Status(); !st.Connected || st.Guilds != 1 || len(st.Shards) != 1 {
		t.Errorf("status %+v", st)
	}
	stop()
	if code := next(t, b.closed); code != 1012 {
		t.Errorf("closed with %d, which does not keep the session", code)
	}
	b.srv.CloseClientConnections()
	goleak.VerifyNone(t, idle, goleak.IgnoreAnyFunction("net/http.(*conn).serve"))
}

func TestAWarmRestartResumes(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	r := newRig(t, b, s)
	stop := r.run(t)
	w := ready(t, r)
	last := w.message("1001", testHall, "hello")
	heard := make(chan string, 10)
	stop()
	// What was said meanwhile is told by the resumed session.
	b.mu.Lock()
	b.seq++
	b.sent = append(b.sent, sentEvent{b.seq, "MESSAGE_CREATE", `{"id":"1002","channel_id":"` + testHall + `","content":"are you there?","type":0,"timestamp":"2026-11-21T12:00:00Z","author":{"id":"9","username":"ada"}}`})
	b.mu.Unlock()
	r2 := newRig(t, b, s)
	r2.conn.hear = func(_ context.Context, m got) error { heard <- m.ID; return nil }
	r2.run(t)
	w2 := next(t, b.opened)
	if !w2.Resumed || w2.From > last {
		t.Errorf("resumed %v from %d, the last was %d", w2.Resumed, w2.From, last)
	}
	for next(t, heard) != "1002" { // 1001 may come again
	}
	// A resumed session tells of no guild: they are remembered.
	if g := next(t, r2.joined); g.Name != "Owls" {
		t.Errorf("joined %+v", g)
	}
	if _, err := r2.Channel(t.Context(), testHall); err != nil {
		t.Errorf("the channel is forgotten: %v", err)
	}
}

func TestAfterAKillUnfinishedEventsComeAgain(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	r := newRig(t, b, s)
	hold, began, other := make(chan struct{}), make(chan struct{}), make(chan struct{})
	r.conn.hear = func(ctx context.Context, m got) error {
		if m.Content == "slow" {
			close(began)
			select {
			case <-hold:
			case <-ctx.Done():
			}
		} else {
			close(other)
		}
		return nil
	}
	stop := r.run(t)
	w := ready(t, r)
	slow := w.message("1001", testHall, "slow")
	next(t, began)
	w.message("1002", "300", "quick, and done before")
	next(t, other)
	// As the saver does every few seconds; then the process is gone.
	r.save(t.Context(), false)
	var seq int64
	if err := s.QueryRow(t.Context(), `select seq from discord_session`).Scan(&seq); err != nil {
		t.Fatal(err)
	}
	if seq != slow-1 {
		t.Errorf("saved up to %d although %d is under way", seq, slow)
	}
	close(hold)
	stop()
}

func TestAnEventThatCannotBeReadIsSkipped(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	b.guilds = []string{`{"id":"55","name":17,"channels":"none"}`, homeGuild}
	r := newRig(t, b, s)
	heard := make(chan string, 10)
	r.conn.hear = func(_ context.Context, m got) error { heard <- m.ID; return nil }
	r.run(t)
	w := ready(t, r)
	w.say(`{"op":0,"s":"x","t":17,"d":`)
	w.say(`null`)
	w.say(`{"op":"zero"}`)
	w.event("MESSAGE_CREATE", `{"id":{},"channel_id":"`+testHall+`"}`)
	w.event("MESSAGE_CREATE", `{"id":"1000","channel_id":"`+testHall+`","components":[{"type":1,"components":17}]}`)
	w.event("MESSAGE_CREATE", `[]`)
	w.event("CHANNEL_CREATE", `{"id":"78","guild_id":"`+testHome+`","type":9999,"name":null}`)
	w.event("GUILD_MEMBER_UPDATE", `17`)
	w.event("SOMETHING_NEW", `{"a":1}`)
	w.message("1001", testHall, "hello")
	for next(t, heard) != "1001" {
	}
	if n := b.count("GET /gateway/bot"); n != 1 || len(b.opened) != 0 {
		t.Errorf("connected again: the gateway was asked for %d times", n)
	}
	r.intake.mu.Lock()
	gaps := r.intake.gap
	r.intake.mu.Unlock()
	if gaps < 3 { // whoever wrote what cannot be read waits for an answer
		t.Errorf("%d sweeps are wanted", gaps)
	}
	if st := r.Status(); st.Unreadable == 0 || st.Guilds != 1 {
		t.Errorf("status %+v", st)
	}
	if _, ok := r.knownChannel("78"); !ok {
		t.Error("a channel of an unknown kind is not known")
	}
}

func TestARefusedTokenIsToldAndTriedRarely(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	b.refuse = func(int, json.RawMessage) int { return closeAuth }
	r := newRig(t, b, s)
	r.run(t)
	if tr := next(t, r.troubles); tr.kind != TokenRefused || tr.err == nil {
		t.Errorf("told %+v", tr)
	}
	b.mu.Lock()
	left := b.left
	b.mu.Unlock()
	if left < 999 {
		t.Errorf("%d sessions were used up", 1000-left)
	}
}

func TestWithoutThePrivilegedIntentItConnectsAllTheSame(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	b.refuse = func(op int, d json.RawMessage) int {
		var id struct {
			Intents int64 `json:"intents"`
		}
		_ = json.Unmarshal(d, &id)
		if op == opIdentify && id.Intents&(1<<15) != 0 {
			return closeNotAllowed
		}
		return 0
	}
	r := newRig(t, b, s)
	r.run(t)
	if tr := next(t, r.troubles); tr.kind != IntentsRefused || tr.err == nil {
		t.Errorf("told %+v", tr)
	}
	if w := ready(t, r); w.Intents&(1<<15) != 0 || w.Intents&1 == 0 {
		t.Errorf("intents %b", w.Intents)
	}
	if !r.Status().WithoutContent {
		t.Error("the status does not tell")
	}
}

func TestMoreShardsWhereDiscordWantsThem(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	b.guilds = nil
	b.refuse = func(op int, d json.RawMessage) int {
		var id struct {
			Shard [2]int `json:"shard"`
		}
		_ = json.Unmarshal(d, &id)
		if op == opIdentify && id.Shard[1] < 2 {
			b.mu.Lock()
			b.shards = 2
			b.mu.Unlock()
			return closeSharding
		}
		return 0
	}
	r := newRig(t, b, s)
	r.run(t)
	got := []int{next(t, b.opened).Shard[0], next(t, b.opened).Shard[0]}
	slices.Sort(got)
	if !slices.Equal(got, []int{0, 1}) {
		t.Errorf("shards %v", got)
	}
}

func TestAnInvalidSessionAndOthersBeginAnew(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*wire){
		"op 9":   func(w *wire) { w.say(`{"op":9,"d":false}`) },
		"4007":   func(w *wire) { _ = w.conn.Close(closeSeq, "") },
		"4009":   func(w *wire) { _ = w.conn.Close(closeSession, "") },
		"unread": func(w *wire) { w.b.mu.Lock(); clear(w.b.alive); w.b.mu.Unlock(); _ = w.conn.CloseNow() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, newBackend(t), sqlite(t))
			r.run(t)
			end(ready(t, r))
			if w := next(t, r.b.opened); w.Resumed {
				t.Error("an invalid session was resumed")
			}
		})
	}
}

func TestASessionIsResumedWhereItCan(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(*wire){
		"op 7":      func(w *wire) { w.say(`{"op":7,"d":null}`) },
		"op 9 true": func(w *wire) { w.say(`{"op":9,"d":true}`) },
		"4000":      func(w *wire) { _ = w.conn.Close(4000, "") },
		"1001":      func(w *wire) { _ = w.conn.Close(websocket.StatusGoingAway, "") },
		"severed":   func(w *wire) { _ = w.conn.CloseNow() },
		"garbage": func(w *wire) {
			_ = w.conn.Write(context.Background(), websocket.MessageBinary, []byte("\xff\xff\xff\x00\x00\xff\xff"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, newBackend(t), sqlite(t))
			r.run(t)
			end(ready(t, r))
			if w := next(t, r.b.opened); !w.Resumed {
				t.Error("a new session was begun")
			}
		})
	}
}

func TestFewSessionsLeftAreNotUsedUp(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBackend(t)
		b.left = 3
		r := newRig(t, b, s)
		if err := r.login(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The first may be begun: none was of late. The second has to wait.
		p, err := r.conn.mayIdentify(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.used(t.Context()); err != nil {
			t.Fatal(err)
		}
		p.release()
		if tr := next(t, r.troubles); tr.kind != Identifies || tr.err == nil {
			t.Errorf("told %+v", tr)
		}
		if _, err := r.conn.mayIdentify(t.Context(), 0); ClassOf(err) != Rate {
			t.Errorf("a second one at once: %v", err)
		}
	}, Migrations())
}

func TestOurOwnCountOfSessionsHolds(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	r := newRig(t, b, s)
	if err := r.login(t.Context()); err != nil {
		t.Fatal(err)
	}
	err := s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		for range 960 {
			if _, err := tx.Exec(ctx, `insert into discord_identify (account, slot, at) values ($1, 0, $2)`, "discord:"+testApp, r.Clock.Now().UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.conn.mayIdentify(t.Context(), 0); ClassOf(err) != Rate {
		t.Errorf("the 961st: %v", err)
	}
}

func TestProcessesShareShardsAndTakeOver(t *testing.T) {
	t.Parallel()
	storetest.Each(t, func(t *testing.T, s *store.Store) {
		b := newBackend(t)
		first, second := newRig(t, b, s), newRig(t, b, s)
		stop := first.run(t)
		ready(t, first)
		second.run(t)
		first.save(t.Context(), true)
		stop()
		w := next(t, b.opened)
		if !w.Resumed {
			t.Error("the other process began a new session")
		}
		if err := second.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, ok := second.Guild(testHome); !ok {
			t.Error("the other process does not know the guild")
		}
	}, Migrations())
}

func TestAServerThatAnswersHTMLIsTriedAgain(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	n := 0
	b.set("GET /gateway/bot", func(w http.ResponseWriter, _ *http.Request) {
		n++
		switch n {
		case 1:
			fmt.Fprint(w, "<html>maintenance</html>")
		case 2:
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, "<html>who are you?</html>")
		default:
			fmt.Fprintf(w, `{"url":%q,"shards":1}`, b.address())
		}
	})
	r := newRig(t, b, s)
	r.run(t)
	ready(t, r)
}

func TestRemovedWhileAway(t *testing.T) {
	t.Parallel()
	b, s := newBackend(t), sqlite(t)
	r := newRig(t, b, s)
	stop := r.run(t)
	ready(t, r)
	stop()
	b.mu.Lock()
	b.guilds = nil
	clear(b.alive)
	b.mu.Unlock()
	r = newRig(t, b, s)
	r.run(t)
	if id := next(t, r.removed); id != testHome {
		t.Errorf("removed from %s", id)
	}
	if len(r.Guilds()) != 0 {
		t.Error("it is still there")
	}
}

func TestAnOutageIsNoRemoval(t *testing.T) {
	t.Parallel()
	r := newRig(t, newBackend(t), sqlite(t))
	r.run(t)
	w := ready(t, r)
	w.event("GUILD_DELETE", `{"id":"`+testHome+`","unavailable":true}`)
	w.event("GUILD_DELETE", `{"id":"66"}`)
	if id := next(t, r.removed); id != "66" {
		t.Errorf("removed from %s", id)
	}
	if _, ok := r.Guild(testHome); !ok {
		t.Error("the guild is forgotten for an outage")
	}
}

func TestRehearsalTakesNoInteraction(t *testing.T) {
	t.Parallel()
	for _, rehearsal := range []bool{true, false} {
		r := newRig(t, newBackend(t), sqlite(t), func(c *Config) { c.Rehearsal = rehearsal })
		pressed, heard := make(chan string, 1), make(chan string, 1)
		r.conn.press = func(_ context.Context, raw json.RawMessage) { pressed <- string(raw) }
		r.conn.hear = func(context.Context, got) error { heard <- "heard"; return nil }
		r.run(t)
		w := ready(t, r)
		w.event("INTERACTION_CREATE", `{"id":"1"}`)
		if !rehearsal {
			next(t, pressed)
		}
		w.message("1001", testHall, "hello")
		next(t, heard)
		if len(pressed) != 0 {
			t.Error("an interaction was taken in a rehearsal")
		}
	}
}

func TestNobodyIsMentionedByDefault(t *testing.T) {
	t.Parallel()
	b := newBackend(t)
	body := make(chan string, 1)
	b.set("POST /channels/5/messages", func(w http.ResponseWriter, r *http.Request) {
		var v struct {
			Allowed json.RawMessage `json:"allowed_mentions"`
		}
		_ = json.NewDecoder(r.Body).Decode(&v)
		body <- string(v.Allowed)
		fmt.Fprint(w, `{"id":"6","channel_id":"5"}`)
	})
	r := newRig(t, b, sqlite(t))
	if _, err := r.rest.CreateMessage(5, dg.MessageCreate{Content: "@everyone"}, rest.WithCtx(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got := next(t, body); !strings.Contains(got, `"parse":[]`) {
		t.Errorf("allowed_mentions %s", got)
	}
}

func TestMissing(t *testing.T) {
	t.Parallel()
	r := newRig(t, newBackend(t), sqlite(t))
	r.run(t)
	w := ready(t, r)
	want := ViewChannel | SendMessages | AttachFiles
	missing := func() Permission {
		t.Helper()
		p, err := r.Missing(t.Context(), testHome, testHall, want)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if got := missing(); got != AttachFiles {
		t.Errorf("missing %b", got)
	}
	gone := func(event, data string) {
		w.event(event, data)
		w.event("GUILD_DELETE", `{"id":"66"}`) // when this is heard of, so is the former
		next(t, r.removed)
	}
	gone("GUILD_ROLE_CREATE", `{"guild_id":"`+testHome+`","role":{"id":"501","permissions":"32768"}}`)
	gone("GUILD_MEMBER_UPDATE", `{"guild_id":"`+testHome+`","user":{"id":"`+testBot+`"},"roles":["501"]}`)
	if got := missing(); got != 0 {
		t.Errorf("with a role: missing %b", got)
	}
	gone("CHANNEL_UPDATE", `{"id":"`+testHall+`","guild_id":"`+testHome+`","type":0,"permission_overwrites":[{"id":"`+testHome+`","type":0,"allow":"0","deny":"1024"}]}`)
	if got := missing(); got != want {
		t.Errorf("in a hidden channel: missing %b", got)
	}
	gone("CHANNEL_UPDATE", `{"id":"`+testHall+`","guild_id":"`+testHome+`","type":0,"permission_overwrites":[{"id":"`+testHome+`","type":0,"allow":"0","deny":"2048"},{"id":"501","type":0,"allow":"2048","deny":"0"}]}`)
	if got := missing(); got != 0 {
		t.Errorf("with the role's overwrite: missing %b", got)
	}
	gone("GUILD_MEMBER_UPDATE", `{"guild_id":"`+testHome+`","user":{"id":"`+testBot+`"},"roles":["501"],"communication_disabled_until":"2999-01-01T00:00:00Z"}`)
	if got := missing(); got != SendMessages|AttachFiles {
		t.Errorf("timed out: missing %b", got)
	}
	if _, err := r.Missing(t.Context(), "77", "", want); ClassOf(err) != Gone {
		t.Errorf("in a foreign guild: %v", err)
	}
}
