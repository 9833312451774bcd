package fedi

import (
	"bytes"
	"context"
	"image"
	"image/color"
	"image/gif"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// attach runs Attach while time passes.
func (k *set) attach(t *testing.T, key string, u Upload) (string, error) {
	t.Helper()
	defer advancing(k.clock, 500*time.Millisecond)()
	return k.f.Attach(t.Context(), k.id(), key, u)
}

func TestFilesReachEachServerWhole(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		k.poll(t)
		k.sim.Processing(3)
		k.sim.ProcessingTime(20 * time.Second)
		u := dancing(32, 24)
		var ids []string
		for range 2 {
			id, err := k.attach(t, "a", u)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		all := k.sim.Uploads()
		if len(all) != 1 || ids[0] != all[0].ID {
			t.Fatalf("%d uploads, ids %q", len(all), ids)
		}
		r, err := u.Open()
		if err != nil {
			t.Fatal(err)
		}
		want, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		m := all[0]
		if ids[1] != m.ID && p != fedisim.Snac || !m.Ready || m.Name != u.Name || m.Said != u.Type || m.Description != u.Description || !bytes.Equal(m.Bytes, want) {
			t.Errorf("%+v, second id %q", m, ids[1])
		}
		if m.Focus == nil || m.Focus.X != 0.5 || m.Focus.Y != 0 {
			t.Errorf("focus %+v", m.Focus)
		}
	})
}

func TestLimitsOfFilesAreRead(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		k.sim.Limit(func(l *fedisim.Limits) {
			l.UploadBytes, l.ImageBytes, l.VideoBytes = 7_000_000, 7_000_000, 7_000_000
			l.Description = 321
		})
		k.poll(t)
		in, err := k.f.Limits(k.id())
		if err != nil {
			t.Fatal(err)
		}
		if p == fedisim.Mastodon || p == fedisim.Akkoma || p == fedisim.GoToSocial {
			if in.ImageSize != 7_000_000 || in.VideoSize != 7_000_000 || in.MaxAlt != 321 {
				t.Errorf("%+v", in)
			}
		}
		if want := map[fedisim.Profile]int64{fedisim.Mastodon: mastodonGIF}[p]; in.GIFPixel != want {
			t.Errorf("a GIF may have %d pixels, want %d", in.GIFPixel, want)
		}
		if in.ImageSize <= 0 || in.VideoSize <= 0 || in.MaxAlt <= 0 || in.MaxMedia <= 0 {
			t.Errorf("%+v", in)
		}
	})
}

// still is a GIF of that many pixels which does not move.
func still(width, height int) Upload {
	u := dancing(1, 1)
	var b bytes.Buffer
	m := image.NewPaletted(image.Rect(0, 0, width, height), color.Palette{color.Black, color.White})
	if err := gif.Encode(&b, m, nil); err != nil {
		panic(err) // of a picture that is always the same
	}
	u.Size, u.Open = int64(b.Len()), func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil }
	return u
}

func TestWhatAServerDoesNotTakeIsRejected(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		k.poll(t)
		check := func(name string, u Upload, want Class, says string) {
			t.Helper()
			if id, err := k.attach(t, name, u); ClassOf(err) != want || err != nil && !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %q, %v, want %q", name, id, err, want)
			}
		}
		only := func(c Class, where ...fedisim.Profile) Class {
			for _, w := range where {
				if w == p {
					return c
				}
			}
			return ""
		}
		check("GIF of too many pixels", still(1300, 800), only(RejectedMedia, fedisim.Mastodon), "1300x800")
		check("no picture", Upload{Name: "x.gif", Type: "image/gif", Size: 4, Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader("junk")), nil }},
			only(RejectedMedia, fedisim.Mastodon, fedisim.GoToSocial), "")
		k.sim.Inject(fedisim.FailProcessing())
		failing := only(RejectedMedia, fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial)
		if p == fedisim.Sharkey {
			failing = Transient // it answers 500
		}
		check("fails in processing", dancing(8, 8), failing, "")
		k.sim.ClearFaults()
		k.sim.Inject(fedisim.TooLarge().On("POST", "/api/v2/media"))
		check("too large for the proxy", aPicture(t, 20<<20), RejectedMedia, "")
		check("in the end", dancing(8, 8), "", "")
	})
}

func TestTroubleWithAnUploadPasses(t *testing.T) {
	const at = "/api/v2/media"
	for name, c := range map[string]struct {
		fault fedisim.Fault
		want  Class
		left  int // files on the server whose ids nobody knows
	}{
		"500":     {fedisim.Fail(500), Transient, 0},
		"502":     {fedisim.Fail(502).Stored(), Transient, 1},
		"reset":   {fedisim.Reset().Stored(), Transient, 1},
		"html":    {fedisim.WebPage(200), Transient, 0},
		"empty":   {fedisim.Empty(), Transient, 1},
		"torn":    {fedisim.Torn(), Transient, 1},
		"10 MB":   {fedisim.Huge(), Transient, 1},
		"429":     {fedisim.TooMany(fedisim.ResetISO, time.Minute), Rate, 0},
		"revoked": {fedisim.Revoked(), Auth, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := begin(t, fedisim.Mastodon, false)
			k.poll(t)
			k.sim.Inject(c.fault.On("POST", at))
			if id, err := k.attach(t, "a", dancing(8, 8)); ClassOf(err) != c.want {
				t.Errorf("%q, %v", id, err)
			}
			k.clock.Advance(2 * time.Minute)
			k.poll(t) // so that the token is believed again
			id, err := k.attach(t, "a", dancing(8, 8))
			if err != nil {
				t.Fatal(err)
			}
			if m, ok := k.sim.Media(id); !ok || !m.Ready || len(k.sim.Uploads()) != 1+c.left {
				t.Errorf("%+v, %d uploads", m, len(k.sim.Uploads()))
			}
		})
	}
}

// A post that is sent before its file is ready waits for it; one whose file
// another post has is refused with a reason of its own.
func TestPostsWaitForTheirFiles(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ended := map[string]outbox.Result{}
	k := begin(t, fedisim.Mastodon, false)
	k.poll(t)
	k.outbox.Own("test", func(_ context.Context, tx store.Tx, r outbox.Result) error {
		tx.AfterCommit(func() { mu.Lock(); ended[r.Key] = r; mu.Unlock() })
		return nil
	})
	k.sim.Processing(0)
	k.sim.ProcessingTime(42 * time.Second)
	m, err := k.f.logins[0].client.UploadMedia(t.Context(), dancing(8, 8))
	if err != nil || m.URL != "" {
		t.Fatalf("%+v, %v", m, err)
	}
	plan := func(key string) {
		t.Helper()
		err := k.store.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			_, err := k.outbox.Plan(ctx, tx, outbox.Effect{Key: key, Feature: "test", Kind: PostKind, Account: k.id(),
				Payload: PostPayload{Parts: []string{key}, Visibility: community.Unlisted, MediaIDs: []string{m.ID}}})
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		k.settle(t)
	}
	before := k.clock.Now()
	plan("early")
	plan("late")
	mu.Lock()
	defer mu.Unlock()
	if r := ended["early"]; r.State != outbox.Confirmed || len(r.Made) != 1 {
		t.Errorf("%+v", r)
	}
	if passed := k.clock.Now().Sub(before); passed < 42*time.Second {
		t.Errorf("it was posted after %s", passed)
	}
	if r := ended["late"]; r.State != outbox.Refused || r.Reason != string(NoMedia) {
		t.Errorf("%+v", r)
	}
}

// Some servers give a file another id when it is attached.
func TestPostsAreFoundWhereFilesGetOtherIDs(t *testing.T) {
	t.Parallel()
	posted := start
	answer := func(parent community.PostID, ids ...string) Status {
		s := Status{ID: "9", InReplyToID: parent, CreatedAt: posted}
		for _, id := range ids {
			s.MediaAttachments = append(s.MediaAttachments, MediaAttachment{ID: id})
		}
		return s
	}
	old := answer("", "x")
	old.CreatedAt = start.Add(-time.Hour)
	for name, tc := range map[string]struct {
		software Software
		parent   community.PostID
		s        Status
		want     bool
	}{
		"the same id":                      {Mastodon, "1", answer("1", "m1"), true},
		"the same id, elsewhere":           {Snac, "1", answer("2", "m1"), true},
		"another file":                     {Mastodon, "1", answer("1", "x"), false},
		"another file, GoToSocial":         {GoToSocial, "1", answer("1", "x"), false},
		"snac's own numbers":               {Snac, "1", answer("1", "https://x/p/1_0"), true},
		"Akkoma's hash":                    {Akkoma, "1", answer("1", "-7"), true},
		"an unknown make":                  {SoftwareUnknown, "1", answer("1", "-7"), true},
		"another thread":                   {Snac, "1", answer("2", "https://x/p/1_0"), false},
		"no files are left":                {Mastodon, "1", answer("1"), true},
		"no thread, other numbers":         {Snac, "", answer("", "x"), true},
		"no thread, other numbers, before": {Snac, "", old, false},
	} {
		k := looking{parent: tc.parent, media: []string{"m1"}, renamed: renames(tc.software), since: start.Add(-slack)}
		if got := k.matches(tc.s); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
