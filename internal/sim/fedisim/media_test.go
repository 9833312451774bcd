package fedisim_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

type attachment struct {
	ID, Type    string
	URL         *string
	PreviewURL  string  `json:"preview_url"`
	Description *string `json:"description"`
	Meta        struct {
		Original struct{ Width, Height int }
		Focus    *struct{ X, Y float64 }
	}
}

// form writes an upload; fields are names and values in turn.
func form(w *world, name string, file io.Reader, fields ...string) (contentType string, body *bytes.Buffer) {
	w.Helper()
	body = &bytes.Buffer{}
	m := multipart.NewWriter(body)
	for i := 0; i+1 < len(fields); i += 2 {
		if err := m.WriteField(fields[i], fields[i+1]); err != nil {
			w.Fatal(err)
		}
	}
	if file != nil {
		p, err := m.CreateFormFile("file", name)
		if err != nil {
			w.Fatal(err)
		}
		if _, err := io.Copy(p, file); err != nil {
			w.Fatal(err)
		}
	}
	if err := m.Close(); err != nil {
		w.Fatal(err)
	}
	return m.FormDataContentType(), body
}

func (w *world) sendAs(token, path, name string, file io.Reader, fields ...string) reply {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ctype, body := form(w, name, file, fields...)
	req, err := http.NewRequestWithContext(ctx, "POST", w.s.URL()+path, body)
	if err != nil {
		w.Fatal(err)
	}
	req.GetBody = nil
	req.Header.Set("Content-Type", ctype)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := w.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, b, err}
}

func (w *world) send(path, name string, file []byte, fields ...string) reply {
	w.Helper()
	return w.sendAs(w.bot.Token, path, name, bytes.NewReader(file), fields...)
}

// upload sends a file and fails the test unless it is taken.
func (w *world) upload(path, name string, file []byte, fields ...string) attachment {
	w.Helper()
	return w.attachment(w.send(path, name, file, fields...), 200, 202)
}

func (w *world) attachment(r reply, statuses ...int) attachment {
	w.Helper()
	var a attachment
	for _, want := range statuses {
		if r.status != want {
			continue
		}
		if err := json.Unmarshal(r.body, &a); err != nil {
			w.Fatalf("%v in %.300s", err, r.body)
		}
		return a
	}
	w.Fatalf("status %d, error %v, body %.300s", r.status, r.err, r.body)
	return a
}

func (w *world) look(id string, want int) attachment {
	w.Helper()
	return w.attachment(w.try("GET", "/api/v1/media/"+id, w.bot.Token, nil, ""), want)
}

const mediaPath = "/api/v2/media"

func TestMastodonTakesAnImageAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	data := fedisim.ImageFile(t, "png", 30, 20)
	for _, path := range []string{mediaPath, "/api/v1/media"} {
		a := w.attachment(w.send(path, "cat.png", data, "description", "a cat", "focus", "-0.5,0.25"), 200)
		if a.Type != "image" || a.URL == nil || a.Meta.Original.Width != 30 || a.Meta.Focus == nil || a.Meta.Focus.X != -0.5 || *a.Description != "a cat" {
			t.Errorf("%s: %+v", path, a)
		}
		got, ok := w.s.Media(a.ID)
		sum := sha256.Sum256(data)
		if !ok || got.SHA256 != hex.EncodeToString(sum[:]) || !bytes.Equal(got.Bytes, data) || got.Size != int64(len(data)) || got.Type != "image/png" ||
			got.Name != "cat.png" || got.Width != 30 || got.Height != 20 || *got.Focus != (fedisim.Focus{X: -0.5, Y: 0.25}) || !got.Ready || got.Acct != "elelem" {
			t.Errorf("%s: kept as %+v", path, got)
		}
	}
	still := w.attachment(w.send(mediaPath, "cat.gif", fedisim.GIFFile(t, 30, 20, 1)), 200)
	if still.Type != "image" || still.URL == nil {
		t.Errorf("a GIF that does not move: %+v", still)
	}
	if got := w.s.Uploads(); len(got) != 3 || got[2].Animated {
		t.Errorf("uploads: %+v", got)
	}
}

func TestMastodonProcessesWhatMoves(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		data         []byte
		before, then string
	}{
		"gif":          {fedisim.GIFFile(t, 30, 20, 3), "gifv", "gifv"},
		"silent video": {fedisim.MP4File(fedisim.Film{Width: 64, Height: 36}), "video", "gifv"},
		"video":        {fedisim.MP4File(fedisim.Film{Width: 64, Height: 36, Audio: true}), "video", "video"},
	} {
		w := newWorld(t, fedisim.Options{})
		w.s.Processing(2)
		a := w.attachment(w.send(mediaPath, "x", c.data), 202)
		if a.URL != nil || a.Type != c.before || a.PreviewURL == "" {
			t.Errorf("%s at first: %+v", name, a)
		}
		early := w.try("POST", statusesPath, w.bot.Token, url.Values{"media_ids[]": {a.ID}}, "")
		if early.status != 422 || !strings.Contains(string(early.body), "Cannot attach files that have not finished processing. Try again in a moment!") {
			t.Errorf("%s posted too early: %d %s", name, early.status, early.body)
		}
		for range 2 {
			if a := w.look(a.ID, 206); a.URL != nil {
				t.Errorf("%s in processing: %+v", name, a)
			}
		}
		a = w.look(a.ID, 200)
		if a.Type != c.then || a.URL == nil || !strings.HasSuffix(*a.URL, ".mp4") {
			t.Errorf("%s at last: %+v", name, a)
		}
		p := w.post(url.Values{"media_ids[]": {a.ID}})
		if len(p.Media) != 1 || p.Media[0].Type != c.then {
			t.Errorf("%s posted: %+v", name, p.Media)
		}
		if got, _ := w.s.Post(p.ID); len(got.Media) != 1 || got.Media[0].PostID != p.ID || !bytes.Equal(got.Media[0].Bytes, c.data) {
			t.Errorf("%s posted: %+v", name, got.Media)
		}
		if r := w.try("GET", "/api/v1/media/"+a.ID, w.bot.Token, nil, ""); r.status != 404 {
			t.Errorf("%s once attached: %d", name, r.status)
		}
	}
}

func TestProcessingTakesTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	w.s.Processing(0)
	w.s.ProcessingTime(time.Minute)
	a := w.upload(mediaPath, "x.gif", fedisim.GIFFile(t, 3, 2, 2))
	w.look(a.ID, 206)
	w.clock.add(59 * time.Second)
	w.look(a.ID, 206)
	if r := w.try("PUT", "/api/v1/media/"+a.ID, w.bot.Token, url.Values{"description": {"a cat"}}, ""); r.status != 206 {
		t.Errorf("a change in processing: %d", r.status)
	}
	w.clock.add(time.Second)
	if a = w.look(a.ID, 200); a.Description == nil || *a.Description != "a cat" {
		t.Errorf("%+v", a)
	}
	w.s.ProcessingTime(0)
	w.look(w.upload(mediaPath, "x.gif", fedisim.GIFFile(t, 3, 2, 2)).ID, 200)
}

func TestProcessingFails(t *testing.T) {
	t.Parallel()
	wants := map[fedisim.Profile]int{fedisim.Mastodon: 202, fedisim.GoToSocial: 422, fedisim.Akkoma: 422, fedisim.Snac: 200, fedisim.Sharkey: 500}
	each(t, func(t *testing.T, w *world) {
		in := w.s.Inject(fedisim.FailProcessing())
		w.get("/api/v1/notifications", nil)
		r := w.send(mediaPath, "x.gif", fedisim.GIFFile(t, 3, 2, 2))
		if r.status != wants[w.s.Profile()] || in.Hits() != 1 {
			t.Errorf("%d after %d hits: %s", r.status, in.Hits(), r.body)
		}
		if w.s.Profile() != fedisim.Mastodon {
			return
		}
		a := w.attachment(r, 202)
		w.look(a.ID, 206)
		for _, method := range []string{"GET", "PUT"} {
			if r := w.try(method, "/api/v1/media/"+a.ID, w.bot.Token, nil, ""); r.status != 422 {
				t.Errorf("%s of what failed: %d", method, r.status)
			}
		}
		if r := w.try("POST", statusesPath, w.bot.Token, url.Values{"media_ids[]": {a.ID}}, ""); r.status != 422 {
			t.Errorf("what failed is posted: %d", r.status)
		}
		w.s.Inject(fedisim.FailProcessing())
		if r := w.send(mediaPath, "x.png", fedisim.ImageFile(t, "png", 3, 2)); r.status != 500 {
			t.Errorf("an image that fails at once: %d", r.status)
		}
	})
}

func TestMastodonRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	gif := fedisim.GIFFile(t, 1281, 720, 2)
	mp4 := func(f fedisim.Film) []byte { return fedisim.MP4File(f) }
	for name, c := range map[string]struct {
		data   []byte
		alt    string
		change func(*fedisim.Limits)
		want   string
	}{
		"large gif":        {gif, "", nil, "1281x720 GIF files are not supported"},
		"large still gif":  {fedisim.GIFFile(t, 1281, 720, 1), "", nil, "1281x720 GIF files are not supported"},
		"junk":             {[]byte("meow"), "", nil, "content type is invalid"},
		"nothing":          {nil, "", nil, "content type is invalid"},
		"unsupported type": {fedisim.ImageFile(t, "png", 3, 2), "", func(l *fedisim.Limits) { l.Types = []string{"image/gif"} }, "content type is invalid"},
		"many bytes":       {fedisim.ImageFile(t, "png", 3, 2), "", func(l *fedisim.Limits) { l.ImageBytes = 20 }, "must be less than"},
		"many pixels":      {fedisim.ImageFile(t, "png", 30, 20), "", func(l *fedisim.Limits) { l.ImagePixels = 599 }, "30x20 images are not supported"},
		"many bytes, mp4":  {mp4(fedisim.Film{Width: 64, Height: 36}), "", func(l *fedisim.Limits) { l.VideoBytes = 20 }, "must be less than"},
		"many pixels, mp4": {mp4(fedisim.Film{Width: 3842, Height: 2160}), "", nil, "3842x2160 videos are not supported"},
		"fast":             {mp4(fedisim.Film{Width: 64, Height: 36, Frames: 121}), "", nil, "121fps videos are not supported"},
		"odd":              {mp4(fedisim.Film{Width: 65, Height: 36}), "", nil, "65x36 is not even"},
		"index behind":     {mp4(fedisim.Film{Width: 64, Height: 36, Late: true}), "", nil, "faststart"},
		"alt text":         {fedisim.ImageFile(t, "png", 3, 2), strings.Repeat("é", 1501), nil, "maximum is 1500"},
	} {
		w := newWorld(t, fedisim.Options{})
		if c.change != nil {
			w.s.Limit(c.change)
		}
		r := w.send(mediaPath, "x", c.data, "description", c.alt)
		if r.status != 422 || !strings.Contains(string(r.body), c.want) {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
		if n := len(w.s.Uploads()); n != 0 {
			t.Errorf("%s: %d uploads are kept", name, n)
		}
	}
	w.upload(mediaPath, "x", fedisim.GIFFile(t, 1280, 720, 2), "description", strings.Repeat("é", 1500))
	w.s.Limit(func(l *fedisim.Limits) { l.GIFPixels, l.AnyVideo = 0, true })
	w.upload(mediaPath, "x", gif)
	w.upload(mediaPath, "x", mp4(fedisim.Film{Width: 65, Height: 36, Late: true}))
	if r := w.try("POST", mediaPath, w.bot.Token, url.Values{"file": {"x"}}, ""); r.status != 422 {
		t.Errorf("no file: %d", r.status)
	}
	a := w.upload(mediaPath, "x", fedisim.ImageFile(t, "png", 3, 2))
	if r := w.try("PUT", "/api/v1/media/"+a.ID, w.bot.Token, url.Values{"description": {strings.Repeat("a", 1501)}}, ""); r.status != 422 {
		t.Errorf("alt text changed to too much: %d", r.status)
	}
}

func TestWhatMastodonAttaches(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	w.s.Processing(0)
	img := func() string { return w.upload(mediaPath, "x", fedisim.ImageFile(t, "png", 3, 2)).ID }
	gif := w.upload(mediaPath, "x", fedisim.GIFFile(t, 3, 2, 2)).ID
	ada := w.s.AddAccount("ada")
	theirs := w.attachment(w.sendAs(ada.Token, mediaPath, "x", bytes.NewReader(fedisim.ImageFile(t, "png", 3, 2))), 200).ID
	try := func(ids ...string) (int, string) {
		r := w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}, "media_ids[]": ids}, "")
		return r.status, string(r.body)
	}
	first := img()
	for name, c := range map[string]struct {
		ids  []string
		want string
	}{
		"five":    {[]string{img(), img(), img(), img(), img()}, "Cannot attach more than 4 files"},
		"mixed":   {[]string{first, gif}, "Cannot attach a video to a post that already contains images"},
		"another": {[]string{theirs, first}, "Media " + theirs + " not found"},
		"unknown": {[]string{`{"`}, `Media {\" not found`},
	} {
		if status, body := try(c.ids...); status != 422 || !strings.Contains(body, c.want) || !json.Valid([]byte(body)) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if r := w.try("GET", "/api/v1/media/"+theirs, w.bot.Token, nil, ""); r.status != 404 {
		t.Errorf("another's: %d", r.status)
	}
	p := w.post(url.Values{"status": {"x"}, "media_ids[]": {first}})
	if r := w.try("DELETE", "/api/v1/media/"+first, w.bot.Token, nil, ""); r.status != 422 {
		t.Errorf("deleting what is attached: %d", r.status)
	}
	if status, _ := try(first); status != 422 {
		t.Errorf("attached twice: %d", status)
	}
	w.ok(w.try("DELETE", statusesPath+"/"+p.ID, w.bot.Token, nil, ""), nil)
	if status, body := try(first); status != 200 {
		t.Errorf("attached after its post was deleted: %d %s", status, body)
	}
	w.ok(w.try("DELETE", "/api/v1/media/"+gif, w.bot.Token, nil, ""), nil)
	if status, _ := try(gif); status != 422 {
		t.Errorf("attached after it was deleted: %d", status)
	}
}

func TestUploadsAreCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{RateLimits: true})
	img := fedisim.ImageFile(t, "png", 3, 2)
	for range 30 {
		w.upload(mediaPath, "x.png", img)
	}
	r := w.send("/api/v1/media", "x.png", img)
	if r.status != 429 || r.header.Get("X-Ratelimit-Limit") != "30" || refusals(w)["media"] != 1 {
		t.Errorf("%d %v", r.status, r.header)
	}
	w.clock.add(30 * time.Minute)
	w.upload(mediaPath, "x.png", img)
}

func TestFilesAreServed(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		data := fedisim.GIFFile(t, 3, 2, 2)
		id := w.upload(mediaPath, "x.gif", data).ID
		m, _ := w.s.Media(id)
		path := strings.TrimPrefix(m.URL, "https://"+w.s.Domain())
		r := w.try("GET", path, "", nil, "")
		if r.status != 200 || r.header.Get("Content-Type") != "image/gif" || !bytes.Equal(r.body, data) {
			t.Errorf("%s: %d %v, %d bytes", path, r.status, r.header, len(r.body))
		}
		for _, gone := range []string{"/media/nothing.gif", "/media/", "/media/" + w.bot.AddMedia("image", "")} {
			if r := w.try("GET", gone, "", nil, ""); r.status != 404 {
				t.Errorf("%s: %d", gone, r.status)
			}
		}
	})
}

// Of a file larger than what is kept all is counted and hashed.
func TestLargeFilesAreNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{KeepFile: 1000})
	data := append(fedisim.ImageFile(t, "png", 30, 20), make([]byte, 300_000)...)
	sum := sha256.Sum256(data)
	a := w.upload(mediaPath, "x.png", data)
	got, _ := w.s.Media(a.ID)
	if got.Size != int64(len(data)) || got.SHA256 != hex.EncodeToString(sum[:]) || got.Bytes != nil || got.Width != 30 {
		t.Errorf("%d bytes, %s, %d kept, width %d", got.Size, got.SHA256, len(got.Bytes), got.Width)
	}
	if r := w.try("GET", "/media/"+a.ID+".png", "", nil, ""); r.status != 404 {
		t.Errorf("a part of it is served: %d", r.status)
	}
}

func TestInstanceTellsLimits(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.s.Limit(func(l *fedisim.Limits) {
			l.UploadBytes, l.ImageBytes, l.Description, l.Attachments, l.GIFPixels = 1001, 1002, 1003, 3, 1005
		})
		path, want := "/api/v1/instance", []string{`"image_size_limit":1002`, `"max_media_attachments":3`}
		switch w.s.Profile() {
		case fedisim.Akkoma:
			want = []string{`"upload_limit":1001`, `"description_limit":1003`}
		case fedisim.Mastodon, fedisim.GoToSocial:
			path = "/api/v2/instance"
			want = append(want, `"description_limit":1003`)
		}
		body := string(w.get(path, nil).body)
		for _, s := range want {
			if !strings.Contains(body, s) {
				t.Errorf("%s has no %s", path, s)
			}
		}
		if strings.Contains(body, "1005") {
			t.Error("the limit of GIFs is told")
		}
	})
}
