package fedi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	"image/color/palette"
	"image/gif"
	"io"
	"net/http"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// send sends a post with a picture as the outbox would.
func (k *counter) send(t *testing.T, p PostPayload) (string, *outbox.SendError) {
	t.Helper()
	b, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	id, err := postKind{k.f}.Send(t.Context(), outbox.Attempt{Effect: "e1", Account: k.id(), Payload: b, Key: outbox.NewKey(), First: k.clock.Now()})
	if err == nil {
		return id, nil
	}
	e, ok := errors.AsType[*outbox.SendError](err)
	if !ok {
		t.Fatalf("%v is no SendError", err)
	}
	return id, e
}

func TestWhyAPostWithMediaIsRefused(t *testing.T) {
	t.Parallel()
	slow := func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "40")
		says(429, "{}")(w, r)
	}
	for name, tc := range map[string]struct {
		post, look http.HandlerFunc
		outcome    outbox.Outcome
		reason     Class
		doubtful   bool
		again      time.Duration
	}{
		"still processing":        {says(422, "{}"), says(206, ""), outbox.NotSent, Transient, false, unreadyPause},
		"not there, or attached":  {says(422, "{}"), says(404, "{}"), outbox.Rejected, NoMedia, false, 0},
		"could not be processed":  {says(422, "{}"), says(422, "{}"), outbox.Rejected, NoMedia, false, 0},
		"another reason":          {says(422, "{}"), says(200, aMedium), outbox.Rejected, Invalid, true, 0},
		"GoToSocial: attached":    {says(400, `{"error":"x"}`), says(200, aMedium), outbox.Rejected, Invalid, true, 0},
		"cannot be asked":         {says(422, "{}"), says(405, "{}"), outbox.Rejected, Invalid, true, 0},
		"a 404 for the media":     {says(404, "{}"), says(404, "{}"), outbox.Rejected, NoMedia, false, 0},
		"a 404 for the parent":    {says(404, "{}"), says(200, aMedium), outbox.Rejected, Gone, false, 0},
		"nobody says":             {says(422, "{}"), answerWith(503, "text/html", page), outbox.NotSent, Transient, false, 0},
		"nobody says for a while": {says(422, "{}"), slow, outbox.NotSent, Transient, false, 40 * time.Second},
		"a 500 asks nobody":       {says(500, "{}"), nil, outbox.Unknown, Unknown, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{post: []http.HandlerFunc{tc.post}, look: []http.HandlerFunc{tc.look}}
			k := openDesk(t, d)
			_, e := k.send(t, PostPayload{Parts: []string{"look"}, Visibility: "unlisted", MediaIDs: []string{"m1"}})
			if e == nil || e.Outcome != tc.outcome || e.Reason != string(tc.reason) || e.Doubtful != tc.doubtful {
				t.Fatalf("%+v", e)
			}
			want := time.Time{}
			if tc.again > 0 {
				want = start.Add(tc.again)
			}
			if !e.RetryAt.Equal(want) {
				t.Errorf("again at %v", e.RetryAt)
			}
			if _, looks := d.counted(); looks != map[bool]int{true: 1, false: 0}[tc.look != nil] {
				t.Errorf("%d looks", looks)
			}
		})
	}
	k := openDesk(t, &desk{post: []http.HandlerFunc{says(422, "{}")}})
	if _, e := k.send(t, PostPayload{Parts: []string{"look"}, Visibility: "unlisted"}); e == nil || e.Reason != string(Invalid) {
		t.Errorf("without media: %+v", e)
	}
	if _, looks := k.desk.counted(); looks != 0 {
		t.Error("it asked for media that the post does not have")
	}
}

func TestAPostWithFewerMediaStandsAndIsToldOf(t *testing.T) {
	t.Parallel()
	var told []FewerMedia
	k := openDesk(t, &desk{}, func(c *Config) { c.Fewer = func(f FewerMedia) { told = append(told, f) } })
	for _, ids := range [][]string{nil, {"m1"}, {"m1", "m2"}} {
		if id, e := k.send(t, PostPayload{Parts: []string{"look"}, Visibility: "unlisted", MediaIDs: ids}); id != "1" || e != nil {
			t.Errorf("%q, %v", id, e)
		}
	}
	same(t, told, []FewerMedia{{Account: k.id(), Effect: "e1", Post: "1", Sent: 1}, {Account: k.id(), Effect: "e1", Post: "1", Sent: 2}})
}

// dancing is an animated GIF of that size.
func dancing(width, height int) Upload {
	var b bytes.Buffer
	g := gif.GIF{Delay: []int{10, 10}}
	for n := range g.Delay {
		m := image.NewPaletted(image.Rect(0, 0, width, height), palette.Plan9)
		m.SetColorIndex(n, 0, 200)
		g.Image = append(g.Image, m)
	}
	if err := gif.EncodeAll(&b, &g); err != nil {
		panic(err) // of a picture that is always the same
	}
	return Upload{Name: "dance.gif", Type: "image/gif", Description: "A pony dances.\nTwice.", Size: int64(b.Len()), Focus: &Focus{X: 0.5},
		Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }}
}

// shown attaches a picture to an answer by way of the outbox.
func (k *set) shown(t *testing.T, ask fedisim.Post, keys ...string) {
	t.Helper()
	var ids []string
	stop := advancing(k.clock, 500*time.Millisecond)
	for _, key := range keys {
		id, err := k.f.Attach(t.Context(), k.id(), key, dancing(16, 8))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	stop()
	err := k.store.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := k.outbox.Plan(ctx, tx, outbox.Effect{Key: "e", Feature: "none", Kind: PostKind, Account: k.id(), Payload: PostPayload{
			Parts: []string{"@ada here"}, Visibility: community.Unlisted, InReplyTo: community.PostID(ask.ID), MediaIDs: ids}})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// settle sweeps until the outbox has nothing left to do.
func (k *set) settle(t *testing.T) {
	t.Helper()
	for range 100 {
		if _, err := k.outbox.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, _, err := k.outbox.Counts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if n[outbox.Planned]+n[outbox.Sent] == 0 {
			return
		}
		k.clock.Advance(5 * time.Second)
	}
	t.Fatal("the outbox does not come to an end")
}

func TestAPostWithMediaWhoseAnswerIsLostIsPostedOnce(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		for name, fault := range map[string]fedisim.Fault{
			"reset, stored": fedisim.Reset().Stored(), "reset, not stored": fedisim.Reset(), "500, stored": fedisim.Fail(500).Stored(), "torn": fedisim.Torn(),
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				var mu sync.Mutex
				fewer := 0
				k := begin(t, p, false)
				k.change = func(c *Config) { c.Fewer = func(FewerMedia) { mu.Lock(); fewer++; mu.Unlock() } }
				k.restart(t, false)
				ada := k.sim.AddAccount("ada")
				k.poll(t)
				ask := ada.Post("@elelem a gif!")
				// What stands there already is not what we look for.
				k.bot.Post("@ada something else", fedisim.Attach(k.bot.AddMedia("image", "another picture")))
				k.clock.Advance(time.Minute)
				k.shown(t, ask, "a")
				k.sim.Inject(fault.On("POST", "/api/v1/statuses"))
				k.settle(t)
				replies := k.sim.Replies(ask.ID)
				if len(replies) != 1 {
					t.Fatalf("%d answers", len(replies))
				}
				s, err := k.f.logins[0].client.Status(t.Context(), community.PostID(replies[0].ID))
				if err != nil || len(s.MediaAttachments) != 1 || s.MediaAttachments[0].Description != "A pony dances.\nTwice." {
					t.Errorf("%+v, %v", s.MediaAttachments, err)
				}
				mu.Lock()
				defer mu.Unlock()
				if fewer != 0 {
					t.Errorf("told %d times of fewer media", fewer)
				}
			})
		}
	})
}
