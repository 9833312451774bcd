package fedisim_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"rookery/internal/sim/fedisim"
)

func TestUploadsElsewhere(t *testing.T) {
	t.Parallel()
	gif, mp4 := fedisim.GIFFile(t, 1300, 800, 2), fedisim.MP4File(fedisim.Film{Width: 65, Height: 36, Late: true})
	long := fedisim.MP4File(fedisim.Film{Width: 64, Height: 36, Seconds: 40})
	wants := map[fedisim.Profile]struct {
		v2                     int
		gif, mp4, long         string // kinds
		junk, over, alt, focus int
		noFile                 int
		get, foreign, attached int
	}{
		fedisim.Akkoma:     {202, "image", "video", "video", 202, 413, 422, 202, 400, 200, 403, 200},
		fedisim.GoToSocial: {200, "image", "gifv", "video", 422, 400, 400, 400, 400, 200, 404, 200},
		fedisim.Snac:       {200, "image", "image", "image", 200, 200, 200, 200, 400, 404, 404, 404},
		fedisim.Sharkey:    {200, "gifv", "video", "video", 200, 413, 200, 200, 401, 200, 404, 200},
	}
	each(t, func(t *testing.T, w *world) {
		c, ok := wants[w.s.Profile()]
		if !ok {
			return
		}
		var last attachment
		for kind, data := range map[string][]byte{c.gif: gif, c.mp4 + " ": mp4, c.long + "  ": long} {
			r := w.send(mediaPath, "x.gif", data, "description", "a cat", "focus", "0,1")
			last = w.attachment(r, c.v2)
			if last.Type != strings.TrimSpace(kind) || last.URL == nil || *last.Description != "a cat" {
				t.Errorf("%q: %s", kind, r.body)
			}
		}
		if r := w.send("/api/v1/media", "x.gif", gif); r.status != 200 {
			t.Errorf("v1: %d", r.status)
		}
		ada := w.s.AddAccount("ada")
		theirs := w.attachment(w.sendAs(ada.Token, mediaPath, "x.gif", bytes.NewReader(gif)), c.v2)
		status := func(id string) int { return w.try("GET", "/api/v1/media/"+id, w.bot.Token, nil, "").status }
		if got := status(last.ID); got != c.get {
			t.Errorf("a GET: %d", got)
		}
		if got := status(theirs.ID); got != c.foreign {
			t.Errorf("a GET of another's: %d", got)
		}
		if got := status("nothing"); got != 404 {
			t.Errorf("a GET of nothing: %d", got)
		}
		changed := w.attachment(w.try("PUT", "/api/v1/media/"+last.ID, w.bot.Token, url.Values{"description": {"two cats"}}, ""), 200)
		if *changed.Description != "two cats" {
			t.Errorf("changed: %+v", changed)
		}
		p := w.post(url.Values{"status": {"two cats"}, "media_ids[]": {last.ID}})
		if len(p.Media) != 1 || p.Media[0].Description != "two cats" {
			t.Errorf("posted: %+v", p.Media)
		}
		if got := status(last.ID); got != c.attached {
			t.Errorf("a GET once attached: %d", got)
		}
		for name, got := range map[string]struct{ got, want int }{
			"junk":    {w.send(mediaPath, "x.bin", []byte("meow")).status, c.junk},
			"alt":     {w.send(mediaPath, "x.gif", gif, "description", strings.Repeat("é", 5001)).status, c.alt},
			"focus":   {w.send(mediaPath, "x.gif", gif, "focus", "0.1,2").status, c.focus},
			"no file": {w.sendAs(w.bot.Token, mediaPath, "", nil, "description", "x").status, c.noFile},
		} {
			if got.got != got.want {
				t.Errorf("%s: %d, want %d", name, got.got, got.want)
			}
		}
		w.s.Limit(func(l *fedisim.Limits) { l.UploadBytes = 100 })
		if r := w.send(mediaPath, "x.gif", gif[:min(len(gif), 101)]); r.status != c.over && len(gif) > 100 {
			t.Errorf("too large: %d, want %d", r.status, c.over)
		}
	})
}

// snac calls a file by its name: a second one of the same name takes its place.
func TestSnacKnowsFilesByName(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Profile: fedisim.Snac})
	a := w.upload(mediaPath, "cat.gif", fedisim.GIFFile(t, 3, 2, 2))
	b := w.upload(mediaPath, "cat.gif", fedisim.ImageFile(t, "png", 5, 5))
	c := w.upload(mediaPath, "dog.gif", fedisim.ImageFile(t, "png", 5, 5))
	if a.ID != b.ID || a.ID == c.ID || !strings.HasSuffix(a.ID, ".gif") {
		t.Errorf("ids %s, %s, %s", a.ID, b.ID, c.ID)
	}
	if got := w.s.Uploads(); len(got) != 2 || got[0].Width != 5 {
		t.Errorf("uploads: %+v", got)
	}
}

func TestUploadsNeedTheirScope(t *testing.T) {
	t.Parallel()
	for _, p := range []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial} {
		w := newWorld(t, fedisim.Options{Profile: p})
		poster := w.s.AddAccount("poster", fedisim.WithScopes("read", "write:statuses"))
		writer := w.s.AddAccount("writer", fedisim.WithScopes("write:media"))
		img := fedisim.ImageFile(t, "png", 3, 2)
		if r := w.sendAs(poster.Token, mediaPath, "x.png", bytes.NewReader(img)); r.status != 403 {
			t.Errorf("%s: without write:media: %d", p, r.status)
		}
		a := w.attachment(w.sendAs(writer.Token, mediaPath, "x.png", bytes.NewReader(img)), 200, 202)
		want := 403 // for the want of read:media
		if p == fedisim.Mastodon {
			want = 200
		}
		if r := w.try("GET", "/api/v1/media/"+a.ID, writer.Token, nil, ""); r.status != want {
			t.Errorf("%s: a GET with write:media: %d", p, r.status)
		}
		if r := w.sendAs("wrong", mediaPath, "x.png", bytes.NewReader(img)); r.status != 401 && r.status != 403 {
			t.Errorf("%s: with a wrong token: %d", p, r.status)
		}
	}
}
