package discord

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
)

func TestASlowHandlerHoldsUpNothingElse(t *testing.T) {
	t.Parallel()
	r := newRig(t, newBackend(t), sqlite(t))
	hold, began := make(chan struct{}), make(chan struct{})
	heard, pressed := make(chan string, 500), make(chan string, 10)
	r.conn.hear = func(ctx context.Context, m got) error {
		if m.Content == "slow" {
			close(began)
			<-hold
		}
		heard <- m.Content
		return nil
	}
	r.conn.press = func(context.Context, json.RawMessage) { pressed <- "pressed" }
	r.run(t)
	w := ready(t, r)
	w.message("1000", "301", "slow")
	next(t, began)
	for i := range 20 {
		w.message(fmt.Sprint(2000+i), "301", fmt.Sprint("behind", i))
	}
	w.message("3000", "302", "another channel")
	if got := next(t, heard); got != "another channel" {
		t.Errorf("heard %q first", got)
	}
	w.event("INTERACTION_CREATE", `{"id":"4000"}`)
	next(t, pressed)
	close(hold)
	want := []string{"slow"}
	for i := range 20 {
		want = append(want, fmt.Sprint("behind", i))
	}
	var got []string
	for range want {
		got = append(got, next(t, heard))
	}
	if !slices.Equal(got, want) {
		t.Errorf("out of order: %q", got)
	}
}

func TestWhatFindsNoRoomIsCountedAndComesAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, newBackend(t), sqlite(t))
	hold := make(chan struct{})
	r.conn.hear = func(ctx context.Context, _ got) error {
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return nil
	}
	stop := r.run(t)
	w := ready(t, r)
	var last int64
	for i := range queueLength + 10 {
		last = w.message(fmt.Sprint(1000+i), "301", "hello")
	}
	w.event("GUILD_DELETE", `{"id":"66"}`)
	next(t, r.removed) // so those before it have been heard of
	if n := r.Status().Dropped; n == 0 {
		t.Error("nothing was counted")
	}
	r.save(t.Context(), false)
	close(hold)
	stop()
	var seq int64
	if err := r.Store.QueryRow(t.Context(), `select coalesce(max(seq), 0) from discord_session`).Scan(&seq); err != nil {
		t.Fatal(err)
	}
	if seq >= last {
		t.Errorf("saved up to %d of %d although some were dropped and not yet looked for", seq, last)
	}
	r.caughtUp()
	if !r.conn.frozen.IsZero() {
		t.Error("after the sweep sessions are still not saved")
	}
}

func TestLedger(t *testing.T) {
	t.Parallel()
	l := &ledger{last: 5}
	first, second, third := l.begin(6), l.begin(7), l.begin(8)
	for i, step := range []struct {
		do   func()
		want int64
	}{{func() {}, 5}, {second, 5}, {first, 7}, {third, 8}} {
		step.do()
		if got := l.safe(); got != step.want {
			t.Errorf("step %d: safe up to %d, want %d", i, got, step.want)
		}
	}
}

func TestInflater(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	zw := zlib.NewWriter(&buf)
	z := &inflater{}
	for i, size := range []int{1, 100, 20_000, 5, 10_000, 2} {
		want := bytes.Repeat([]byte(fmt.Sprintf(`{"n":%d}`, i)), size)
		buf.Reset()
		_, _ = zw.Write(want)
		_ = zw.Flush()
		packed := bytes.Clone(buf.Bytes())
		half := len(packed) / 2 // a message may come in pieces
		if got, err := z.add(packed[:half]); err != nil || got != nil {
			t.Fatalf("half of message %d: %d bytes, %v", i, len(got), err)
		}
		got, err := z.add(packed[half:])
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("message %d: %d bytes of %d, %v", i, len(got), len(want), err)
		}
	}
	bomb := &inflater{most: 1 << 20}
	buf.Reset()
	zw = zlib.NewWriter(&buf)
	_, _ = zw.Write(make([]byte, 1<<20+1))
	_ = zw.Flush()
	if _, err := bomb.add(buf.Bytes()); err == nil {
		t.Error("more than the cap was unpacked")
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range []string{
		`{"op":10,"d":{"heartbeat_interval":41250}}`,
		`{"op":0,"s":1,"t":"GUILD_CREATE","d":` + homeGuild + `}`,
		`{"op":0,"s":2,"t":"MESSAGE_CREATE","d":{"id":"1","channel_id":"2","components":[{"type":1}],"author":null}}`,
		`{"op":0,"s":-1,"t":"GUILD_MEMBER_UPDATE","d":{"guild_id":"200000000000000001","user":{"id":"100000000000000002"},"roles":null}}`,
		`{"op":0,"s":3,"t":"THREAD_LIST_SYNC","d":{"guild_id":"200000000000000001","threads":[null,{}]}}`,
		`{"op":0,"s":3,"t":"GUILD_ROLE_UPDATE","d":{"guild_id":"200000000000000001","role":{"id":"5","permissions":-1}}}`,
		`{"op":0,"s":3,"t":"CHANNEL_DELETE","d":{"id":"200000000000000002","guild_id":"200000000000000001"}}`,
		`null`, `[]`, `{"op":null}`, `{"op":1e99}`, "\xff",
	} {
		f.Add([]byte(s))
	}
	d, err := New(Config{Token: "x"})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		fr, err := readFrame(raw)
		if err != nil {
			return
		}
		done := 0
		d.dispatch(fr, func() { done++ })
		if done > 1 {
			t.Errorf("done %d times", done)
		}
		if fr.Event == "MESSAGE_CREATE" {
			_, _ = guarded[got](fr.Data)
		}
		if fr.Event == "GUILD_CREATE" {
			for _, g := range d.Guilds() {
				_ = d.Channels(g.ID)
			}
		}
	})
}

func FuzzInflate(f *testing.F) {
	f.Add([]byte{0x78, 0x9c, 0, 0, 0, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, raw []byte) {
		z := &inflater{}
		if out, err := z.add(append(raw, syncFlush...)); err == nil && len(out) > frameCap {
			t.Error("too much")
		}
	})
}
