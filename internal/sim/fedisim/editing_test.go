package fedisim_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

// tryJSON sends a body as JSON.
func (w *world) tryJSON(method, path string, body any) reply {
	w.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	data, err := json.Marshal(body)
	if err != nil {
		w.Fatal(err)
	}
	return w.raw(ctx, method, path, "application/json", string(data))
}

func (w *world) raw(ctx context.Context, method, path, ctype, body string) reply {
	w.Helper()
	req, err := http.NewRequestWithContext(ctx, method, w.s.URL()+path, strings.NewReader(body))
	if err != nil {
		w.Fatal(err)
	}
	req.Header.Set("Content-Type", ctype)
	req.Header.Set("Authorization", "Bearer "+w.bot.Token)
	resp, err := w.client.Do(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	var b json.RawMessage
	if err := json.NewDecoder(resp.Body).Decode(&b); err != nil {
		w.Errorf("%s %s: %v", method, path, err)
	}
	return reply{resp.StatusCode, resp.Header, b, nil}
}

// alts are the descriptions that a post shows, joined.
func (w *world) alts(r reply) string {
	w.Helper()
	var st status
	w.ok(r, &st)
	var out []string
	for _, m := range st.Media {
		out = append(out, m.Description)
	}
	shown, _ := w.s.Post(st.ID)
	for i, m := range shown.Media {
		if i < len(out) && m.Description != out[i] {
			w.Errorf("the post shows %q, the test sees %q", out[i], m.Description)
		}
	}
	return strings.Join(out, "|")
}

func TestDescriptionsOfWhatIsPosted(t *testing.T) {
	t.Parallel()
	for p, want := range map[fedisim.Profile]struct {
		form, json, upload, again string // descriptions after each step
		put                       int    // status of a change of the upload
	}{
		fedisim.Mastodon:   {"an owl|", "a wise owl|a cat", "a wise owl|a cat", "a wise owl|a cat", 404},
		fedisim.Akkoma:     {"owl|cat", "owl|cat", "owl|cat", "a late owl|cat", 200},
		fedisim.GoToSocial: {"owl|cat", "a wise owl|a cat", "a late owl|a cat", "a late owl|a cat", 200},
		fedisim.Snac:       {"owl|cat", "owl|cat", "owl|cat", "owl|cat", 200},
		fedisim.Sharkey:    {"owl|cat", "owl|cat", "a late owl|cat", "a late owl|cat", 200},
	} {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{Profile: p})
			owl := w.upload(mediaPath, "owl.png", fedisim.ImageFile(t, "png", 3, 2), "description", "owl", "focus", "0,0.5").ID
			cat := w.upload(mediaPath, "cat.png", fedisim.ImageFile(t, "png", 3, 3), "description", "cat").ID
			id := w.post(url.Values{"status": {"two"}, "media_ids[]": {owl, cat}, "visibility": {"unlisted"}}).ID
			path := statusesPath + "/" + id
			// In the order of a form: each entry begins with its id, and need not say everything.
			form := "status=two+more&media_ids[]=" + owl + "&media_ids[]=" + cat + "&media_attributes[][id]=" + cat +
				"&media_attributes[][focus]=1,1&media_attributes[][description]=&media_attributes[][id]=" + owl +
				"&media_attributes[][description]=an+owl&media_attributes[][id]=nothing"
			if got := w.alts(w.raw(t.Context(), "PUT", path, "application/x-www-form-urlencoded", form)); got != want.form {
				t.Errorf("after a form: %q, want %q", got, want.form)
			}
			if m, _ := w.s.Media(cat); p == fedisim.Mastodon && (m.Focus == nil || m.Focus.X != 1) {
				t.Errorf("the focus is %+v", m.Focus)
			}
			body := map[string]any{"status": "three", "media_ids": []string{owl, cat}, "media_attributes": []map[string]any{
				{"id": owl, "description": "a wise owl"}, {"id": cat, "description": "a cat"}}}
			if got := w.alts(w.tryJSON("PUT", path, body)); got != want.json {
				t.Errorf("after JSON: %q, want %q", got, want.json)
			}
			if r := w.try("PUT", "/api/v1/media/"+owl, w.bot.Token, url.Values{"description": {"a late owl"}}, ""); r.status != want.put {
				t.Errorf("a change of the upload: %d", r.status)
			}
			if got := w.alts(w.try("GET", path, w.bot.Token, nil, "")); got != want.upload {
				t.Errorf("after a change of the upload: %q, want %q", got, want.upload)
			}
			if got := w.alts(w.tryJSON("PUT", path, map[string]any{"status": "four", "media_ids": []string{owl, cat}})); got != want.again {
				t.Errorf("after another edit: %q, want %q", got, want.again)
			}
			got, _ := w.s.Post(id)
			if got.Visibility != "unlisted" || len(got.Media) != 2 || got.Media[0].SHA256 == got.Media[1].SHA256 || got.Media[0].Focus == nil || got.Edits != 3 {
				t.Errorf("the post is %+v", got)
			}
		})
	}
}

func TestEditsThatAreRefusedOrNone(t *testing.T) {
	t.Parallel()
	for p, want := range map[fedisim.Profile]struct{ same, unknown, long int }{
		fedisim.Mastodon: {200, 200, 422}, fedisim.GoToSocial: {422, 400, 200}, fedisim.Akkoma: {200, 200, 200},
	} {
		w := newWorld(t, fedisim.Options{Profile: p})
		img := w.upload(mediaPath, "owl.png", fedisim.ImageFile(t, "png", 3, 2), "description", "owl").ID
		id := w.post(url.Values{"status": {"owl"}, "media_ids[]": {img}, "language": {"en"}}).ID
		edit := func(text string, attributes ...map[string]any) int {
			body := map[string]any{"status": text, "media_ids": []string{img}, "media_attributes": attributes}
			return w.tryJSON("PUT", statusesPath+"/"+id, body).status
		}
		if got := edit("owl"); got != want.same {
			t.Errorf("%s: an edit of nothing: %d", p, got)
		}
		if got, _ := w.s.Post(id); (got.Edits == 0) != (p != fedisim.Akkoma) {
			t.Errorf("%s: after an edit of nothing: %d edits", p, got.Edits)
		}
		if got := edit("two", map[string]any{"id": "nothing", "description": "x"}); got != want.unknown {
			t.Errorf("%s: an attachment that is not there: %d", p, got)
		}
		if p == fedisim.GoToSocial {
			if got := edit("four", map[string]any{"id": img}); got != 200 {
				t.Errorf("%s: an entry without a description: %d", p, got)
			}
			if got, _ := w.s.Post(id); got.Media[0].Description != "" {
				t.Errorf("%s: an entry without a description leaves %q", p, got.Media[0].Description)
			}
		}
		if got := edit("three", map[string]any{"id": img, "description": strings.Repeat("x", 1501)}); got != want.long {
			t.Errorf("%s: a description that is too long: %d", p, got)
		}
		if got, _ := w.s.Post(id); want.long == 422 && (got.Media[0].Description != "owl" || got.Text == "three") {
			t.Errorf("%s: what was refused was done: %+v", p, got)
		}
	}
}

// snac takes the text of an edit and nothing else.
func TestSnacEditsTheText(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Profile: fedisim.Snac})
	img := w.bot.AddMedia("image", "owl")
	id := w.post(url.Values{"status": {"one"}, "media_ids[]": {img}}).ID
	w.ok(w.try("PUT", statusesPath+"/"+id, w.bot.Token, url.Values{"status": {"two"}, "spoiler_text": {"careful"}, "sensitive": {"true"}, "media_ids[]": {w.bot.AddMedia("image", "cat")}}, ""), nil)
	if got, _ := w.s.Post(id); got.Text != "two" || got.CW != "" || got.Sensitive || len(got.Media) != 1 || got.MediaIDs[0] != img {
		t.Errorf("got %+v", got)
	}
}

func TestMastodonCountsEditsWithPosts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{RateLimits: true})
	w.clock.add(2*time.Hour - time.Minute) // to the beginning of a window of three hours
	id := w.post(url.Values{"status": {"0"}}).ID
	edit := func(text string) reply {
		return w.try("PUT", statusesPath+"/"+id, w.bot.Token, url.Values{"status": {text}}, "")
	}
	for n := range 299 {
		if r := edit(strings.Repeat("x", n+1)); r.status != 200 {
			t.Fatalf("edit %d: %d %s", n, r.status, r.body)
		}
		w.clock.add(2 * time.Second) // within the limit of 300 in five minutes
	}
	if r := edit("again"); r.status != 429 || refusals(w)["post"] != 1 {
		t.Errorf("the post and 300 edits: %d", r.status)
	}
	if r := edit(strings.Repeat("x", 299)); r.status != 200 {
		t.Errorf("an edit of nothing is counted: %d", r.status)
	}
	w.clock.add(3 * time.Hour)
	if r := edit("again"); r.status != 200 || r.header.Get("X-Ratelimit-Remaining") != "299" {
		t.Errorf("three hours later: %d %v", r.status, r.header)
	}
}

func TestDeletesTakeTheirMediaAlong(t *testing.T) {
	t.Parallel()
	for query, gone := range map[string]bool{"": false, "?delete_media=true": true} {
		w := newWorld(t, fedisim.Options{})
		img := w.upload(mediaPath, "owl.png", fedisim.ImageFile(t, "png", 3, 2)).ID
		m, _ := w.s.Media(img)
		id := w.post(url.Values{"media_ids[]": {img}}).ID
		w.ok(w.try("DELETE", statusesPath+"/"+id+query, w.bot.Token, nil, ""), nil)
		r := w.try("GET", strings.TrimPrefix(m.URL, "https://"+w.s.Domain()), "", nil, "")
		if _, there := w.s.Media(img); there == gone || (r.status == 404) != gone {
			t.Errorf("%q: there %v, served with %d", query, there, r.status)
		}
		if !w.s.Uploads()[0].Deleted == gone {
			t.Errorf("%q: %+v", query, w.s.Uploads()[0])
		}
	}
}

// A thread of pictures: the first public, the others unlisted answers to it.
func TestPartsWithMedia(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		img := func(alt string) string {
			return w.upload(mediaPath, alt+".png", fedisim.ImageFile(t, "png", 3, 2), "description", alt, "focus", "0.5,-0.5").ID
		}
		first := w.post(url.Values{"status": {"1"}, "media_ids[]": {img("one")}, "visibility": {"public"}, "sensitive": {"true"}, "spoiler_text": {"careful"}, "language": {"ru"}}).ID
		w.clock.add(time.Second)
		second := w.post(url.Values{"status": {"2"}, "media_ids[]": {img("two")}, "visibility": {"unlisted"}, "in_reply_to_id": {first}}).ID
		w.clock.add(time.Second)
		w.post(url.Values{"status": {"3"}, "media_ids[]": {img("three")}, "visibility": {"unlisted"}, "in_reply_to_id": {second}})
		w.s.AddAccount("ada").Post("lovely", fedisim.ReplyTo(first))
		parts := w.s.Parts(first)
		if len(parts) != 3 || parts[1].InReplyTo != first || parts[1].Visibility != "unlisted" || parts[2].InReplyTo != second || parts[2].Media[0].Description != "three" {
			t.Fatalf("the parts are %+v", parts)
		}
		if p := parts[0]; p.CW != "careful" || !p.Sensitive || p.Language != "ru" || p.Visibility != "public" || p.Media[0].SHA256 == "" {
			t.Errorf("the first is %+v", p)
		}
		if w.s.Parts("nothing") != nil {
			t.Error("a post that is not there has parts")
		}
	})
}

func TestDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	img := fedisim.ImageFile(t, "png", 3, 2)
	w.s.Down(502)
	for _, r := range []reply{
		w.try("GET", "/api/v2/instance", "", nil, ""), w.try("POST", statusesPath, w.bot.Token, url.Values{"status": {"x"}}, ""), w.send(mediaPath, "x.png", img),
	} {
		if r.status != 502 || !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			t.Errorf("down: %d %v", r.status, r.err)
		}
	}
	w.s.Down(0)
	if r := w.try("GET", "/api/v2/instance", "", nil, ""); r.err == nil {
		t.Errorf("down without a proxy: %d", r.status)
	}
	w.s.ClearFaults()
	if r := w.try("GET", "/api/v2/instance", "", nil, ""); r.err == nil {
		t.Errorf("still down: %d", r.status)
	}
	w.s.Up()
	w.get("/api/v2/instance", nil)
	if len(w.s.Timeline()) != 0 || len(w.s.Uploads()) != 0 {
		t.Error("something was done while the server was down")
	}
}
