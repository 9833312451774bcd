package fedisim_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

func each(t *testing.T, f func(*testing.T, *world)) {
	for _, p := range fedisim.Profiles() {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			f(t, newWorld(t, fedisim.Options{Profile: p}))
		})
	}
}

func TestReplyIsThreadedOnEveryServer(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ben := w.s.AddRemote("ben@other.example")
		ask := ben.Post("@elelem@" + w.s.Domain() + " hello & <b>\"you\"</b>?")
		got := w.post(url.Values{"status": {"@ben@other.example yes."}, "in_reply_to_id": {ask.ID}, "visibility": {"unlisted"}})
		if got.InReplyTo == nil || *got.InReplyTo != ask.ID || got.Account.ID != w.bot.ID {
			t.Errorf("the answer is %+v", got)
		}
		if r := w.s.Replies(ask.ID); len(r) != 1 || r[0].ID != got.ID || !r[0].ViaAPI || r[0].InReplyTo != ask.ID {
			t.Errorf("the simulator knows the replies %+v", r)
		}
		var thread struct{ Ancestors, Descendants []status }
		w.get("/api/v1/statuses/"+got.ID+"/context", &thread)
		if len(thread.Ancestors) != 1 || thread.Ancestors[0].ID != ask.ID || thread.Ancestors[0].URI != ask.URI {
			t.Errorf("ancestors: %+v", thread.Ancestors)
		}
		if strings.Contains(ask.URI, ask.ID) || !strings.HasPrefix(ask.URI, "https://other.example/") {
			t.Errorf("a remote post has the local id %q in its uri %q", ask.ID, ask.URI)
		}
		w.get("/api/v1/statuses/"+ask.ID+"/context", &thread)
		if len(thread.Descendants) != 1 || thread.Descendants[0].ID != got.ID {
			t.Errorf("descendants: %+v", thread.Descendants)
		}
	})
}

func TestIDShapes(t *testing.T) {
	t.Parallel()
	lengths := map[fedisim.Profile]int{fedisim.Mastodon: 18, fedisim.Akkoma: 18, fedisim.GoToSocial: 26, fedisim.Snac: 42, fedisim.Sharkey: 16}
	each(t, func(t *testing.T, w *world) {
		ada := w.s.AddAccount("ada")
		last := ""
		for i := range 300 { // in one millisecond
			p := ada.Post(fmt.Sprint("post ", i))
			if len(p.ID) != lengths[w.s.Profile()] {
				t.Fatalf("id %q has %d characters", p.ID, len(p.ID))
			}
			if w.s.Profile() != fedisim.Snac && p.ID <= last {
				t.Fatalf("id %q comes after %q", p.ID, last)
			}
			last = p.ID
		}
		var first, second []status
		w.get("/api/v1/accounts/"+ada.ID+"/statuses?limit=40", &first)
		w.get("/api/v1/accounts/"+ada.ID+"/statuses?limit=40&max_id="+first[39].ID, &second)
		if first[0].ID != last || !strings.Contains(first[39].Content, "post 260") || !strings.Contains(second[0].Content, "post 259") {
			t.Errorf("pages begin %q and %q", first[0].Content, second[0].Content)
		}
	})
}

func TestContentShapes(t *testing.T) {
	t.Parallel()
	want := map[fedisim.Profile]string{
		fedisim.Mastodon:   `<p><span class="h-card" translate="no"><a href="https://mastodon.example/@elelem" class="u-url mention">@<span>elelem</span></a></span> it&#39;s<br />&lt;a&gt; &amp; :blob:</p>`,
		fedisim.Akkoma:     `<span class="h-card"><a class="u-url mention" data-user="%s" href="https://akkoma.example/users/elelem" rel="ugc">@<span>elelem</span></a></span> it&#39;s<br>&lt;a&gt; &amp; :blob:`,
		fedisim.GoToSocial: `<p><span class="h-card"><a href="https://gotosocial.example/@elelem" class="u-url mention" rel="nofollow noreferrer noopener" target="_blank">@<span>elelem</span></a></span> it's<br>&lt;a> & :blob:</p>`,
		fedisim.Snac:       `<a href="https://snac.example/elelem" class="u-url mention">@elelem</a> it&#39;s<br>&lt;a&gt; &amp; :blob:<br>`,
		fedisim.Sharkey:    `<p><a href="https://sharkey.example/@elelem" class="u-url mention">@elelem@sharkey.example</a><span> it&#39;s<br>&lt;a&gt; &amp; :blob:</span></p>`,
	}
	each(t, func(t *testing.T, w *world) {
		ada := w.s.AddAccount("ada")
		p := ada.Post("@elelem it's\n<a> & :blob:", fedisim.Emojis("blob"))
		form := want[w.s.Profile()]
		if strings.Contains(form, "%s") {
			form = fmt.Sprintf(form, w.bot.ID)
		}
		var got status
		w.get("/api/v1/statuses/"+p.ID, &got)
		if got.Content != form {
			t.Errorf("content\n%s\nwant\n%s", got.Content, form)
		}
		if len(got.Emojis) != 1 || got.Emojis[0].Shortcode != "blob" {
			t.Errorf("emojis %+v", got.Emojis)
		}
		if w.s.Profile() == fedisim.Snac { // the reader is not in the list
			if len(got.Mentions) != 0 {
				t.Errorf("mentions %+v", got.Mentions)
			}
		} else if len(got.Mentions) != 1 || got.Mentions[0].ID != w.bot.ID || got.Mentions[0].Acct != "elelem" {
			t.Errorf("mentions %+v", got.Mentions)
		}
	})
}

func TestDirectPostIsSeenByItsPeopleOnly(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada, eve := w.s.AddAccount("ada"), w.s.AddAccount("eve")
		p := ada.Post("@elelem psst", fedisim.As("direct"))
		got := w.post(url.Values{"status": {"@ada psst yourself"}, "in_reply_to_id": {p.ID}, "visibility": {"direct"}})
		for who, want := range map[*fedisim.Account]int{ada: 200, w.bot: 200, eve: 404} {
			if r := w.try("GET", "/api/v1/statuses/"+got.ID, who.Token, nil, ""); r.status != want {
				t.Errorf("%s gets %d, want %d", who.Acct, r.status, want)
			}
		}
		if r := w.try("DELETE", "/api/v1/statuses/"+got.ID, ada.Token, nil, ""); r.status != 404 {
			t.Errorf("another account's delete gets %d", r.status)
		}
		var own []status
		w.get("/api/v1/accounts/"+w.bot.ID+"/statuses?limit=20", &own)
		wantOwn := 1
		if w.s.Profile() == fedisim.Snac {
			wantOwn = 0
		}
		if len(own) != wantOwn {
			t.Errorf("the author lists %d own posts, want %d", len(own), wantOwn)
		}
		var others []status
		w.ok(w.try("GET", "/api/v1/accounts/"+w.bot.ID+"/statuses", eve.Token, nil, ""), &others)
		if len(others) != 0 {
			t.Errorf("a stranger lists %+v", others)
		}
	})
}

func TestFollowersOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada, eve := w.s.AddAccount("ada"), w.s.AddAccount("eve")
	p := ada.Post("for friends", fedisim.As("private"))
	if r := w.try("GET", "/api/v1/statuses/"+p.ID, eve.Token, nil, ""); r.status != 404 {
		t.Errorf("a stranger gets %d", r.status)
	}
	eve.Follow(ada)
	if r := w.try("GET", "/api/v1/statuses/"+p.ID, eve.Token, nil, ""); r.status != 200 {
		t.Errorf("a follower gets %d", r.status)
	}
	var home, public []status
	w.ok(w.try("GET", "/api/v1/timelines/home", eve.Token, nil, ""), &home)
	w.ok(w.try("GET", "/api/v1/timelines/public", "", nil, ""), &public)
	if len(home) != 1 || len(public) != 0 {
		t.Errorf("home has %d, public has %d", len(home), len(public))
	}
}

func TestBodiesInEveryForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	img := w.bot.AddMedia("image", "a cat")
	send := func(ctype, body string) int {
		req, err := http.NewRequest("POST", w.s.URL()+"/api/v1/statuses", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", ctype)
		req.Header.Set("Authorization", "Bearer "+w.bot.Token)
		resp, err := w.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if c := send("application/json", `{"status":"json","sensitive":true,"media_ids":["`+img+`"],"visibility":"unlisted","poll":null}`); c != 200 {
		t.Errorf("JSON: %d", c)
	}
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	_ = m.WriteField("status", "multipart")
	_ = m.WriteField("spoiler_text", "warned")
	m.Close()
	if c := send(m.FormDataContentType(), b.String()); c != 200 {
		t.Errorf("multipart: %d", c)
	}
	if c := send("application/json", `{"status":`); c != 400 {
		t.Errorf("broken JSON: %d", c)
	}
	posts := w.s.Timeline()
	if len(posts) != 2 || !posts[0].Sensitive || len(posts[0].MediaIDs) != 1 || posts[0].Visibility != "unlisted" || posts[1].CW != "warned" {
		t.Errorf("posted %+v", posts)
	}
}

func TestTooLong(t *testing.T) {
	t.Parallel()
	link := "https://example.org/" + strings.Repeat("x", 300)
	for _, c := range []struct {
		profile fedisim.Profile
		text    string
		cw      string
		want    int
	}{
		{fedisim.Mastodon, strings.Repeat("é", 500), "", 200},
		{fedisim.Mastodon, strings.Repeat("e\u0301", 500), "", 200},
		{fedisim.Mastodon, strings.Repeat("x", 501), "", 422},
		{fedisim.Mastodon, strings.Repeat("x", 499), "cw", 422},
		{fedisim.Mastodon, link + " " + strings.Repeat("x", 476), "", 200},
		{fedisim.Mastodon, link + " " + strings.Repeat("x", 477), "", 422},
		{fedisim.Mastodon, "@ben@other.example " + strings.Repeat("x", 495), "", 200},
		{fedisim.Mastodon, " \n", "", 422},
		{fedisim.GoToSocial, strings.Repeat("x", 4999), "c", 200},
		{fedisim.GoToSocial, strings.Repeat("x", 4999), "cw", 400},
		{fedisim.Akkoma, strings.Repeat("x", 5001), "", 422},
		{fedisim.Sharkey, strings.Repeat("x", 3001), "", 400},
		{fedisim.Snac, strings.Repeat("x", 60000), "", 200},
	} {
		w := newWorld(t, fedisim.Options{Profile: c.profile})
		w.s.AddRemote("ben@other.example")
		r := w.try("POST", "/api/v1/statuses", w.bot.Token, url.Values{"status": {c.text}, "spoiler_text": {c.cw}}, "")
		if r.status != c.want {
			t.Errorf("%s, %d bytes and CW %q: %d, want %d (%.100s)", c.profile, len(c.text), c.cw, r.status, c.want, r.body)
		}
		if n := len(w.s.Timeline()); (n == 1) != (c.want == 200) {
			t.Errorf("%s: %d posts after a %d", c.profile, n, c.want)
		}
	}
}

func TestEdit(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		img := w.bot.AddMedia("image", "a cat")
		p := w.post(url.Values{"status": {"one"}, "media_ids[]": {img}, "sensitive": {"true"}, "spoiler_text": {"careful"}})
		var got status
		w.clock.add(time.Minute)
		w.ok(w.try("PUT", "/api/v1/statuses/"+p.ID, w.bot.Token, url.Values{"status": {"two"}}, ""), &got)
		keeps := w.s.Profile() == fedisim.Snac
		if got.ID != p.ID || !strings.Contains(got.Content, "two") || (got.SpoilerText != "") != keeps || got.Sensitive != keeps || (len(got.Media) == 1) != keeps {
			t.Errorf("after an edit of the text alone: %+v", got)
		}
		w.ok(w.try("PUT", "/api/v1/statuses/"+p.ID, w.bot.Token, url.Values{"status": {"three"}, "media_ids[]": {img}, "sensitive": {"1"}, "spoiler_text": {"careful"},
			"media_attributes[][id]": {img}, "media_attributes[][description]": {"a dog"}}, ""), &got)
		if got.SpoilerText != "careful" || !got.Sensitive || len(got.Media) != 1 {
			t.Errorf("after an edit of everything: %+v", got)
		}
		if post, _ := w.s.Post(p.ID); post.Edits != 2 || post.Text != "three" || post.EditedAt.IsZero() {
			t.Errorf("the simulator knows %+v", post)
		}
	})
}

func TestDeleteTakesNotificationsAndBoostsAlong(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.s.AddAccount("ada")
		p := ada.Post("@elelem hello")
		boost := ada.Boost(p.ID)
		got := w.post(url.Values{"status": {"@ada hi"}, "in_reply_to_id": {p.ID}})
		ada.Delete(p.ID)
		var notes []note
		w.get("/api/v1/notifications?limit=30", &notes)
		if len(notes) != 0 {
			t.Errorf("the notification stays: %+v", notes)
		}
		for _, id := range []string{p.ID, boost} {
			if r := w.try("GET", "/api/v1/statuses/"+id, w.bot.Token, nil, ""); r.status != 404 {
				t.Errorf("a deleted post gets %d", r.status)
			}
		}
		r := w.ok(w.try("DELETE", "/api/v1/statuses/"+got.ID, w.bot.Token, nil, ""), nil)
		if w.s.Profile() == fedisim.Mastodon && (!strings.Contains(string(r.body), `"text":"@ada hi"`) || strings.Contains(string(r.body), `"content"`)) {
			t.Errorf("a delete answers %s", r.body)
		}
		if r := w.try("DELETE", "/api/v1/statuses/"+got.ID, w.bot.Token, nil, ""); r.status != 404 {
			t.Errorf("a second delete gets %d", r.status)
		}
		all := w.s.Timeline()
		if len(all) != 3 || !all[0].Deleted || !all[1].Deleted || !all[2].Deleted {
			t.Errorf("the timeline is %+v", all)
		}
		late := w.try("POST", "/api/v1/statuses", w.bot.Token, url.Values{"status": {"@ada too late"}, "in_reply_to_id": {p.ID}}, "")
		want := map[fedisim.Profile]int{fedisim.Snac: 200, fedisim.Akkoma: 422}[w.s.Profile()]
		if want == 0 {
			want = 404
		}
		if late.status != want {
			t.Errorf("a reply to a deleted post gets %d, want %d", late.status, want)
		}
	})
}

func TestDeepThread(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	root := ada.Post("0")
	last := root
	for i := range 4200 {
		last = ada.Post(fmt.Sprint(i+1), fedisim.ReplyTo(last.ID))
	}
	var thread struct{ Ancestors, Descendants []status }
	w.get("/api/v1/statuses/"+last.ID+"/context", &thread)
	if n := len(thread.Ancestors); n != 4096 || !strings.Contains(thread.Ancestors[4095].Content, "4199") {
		t.Errorf("%d ancestors", n)
	}
	w.get("/api/v1/statuses/"+root.ID+"/context", &thread)
	if n := len(thread.Descendants); n != 4096 || !strings.Contains(thread.Descendants[0].Content, "1") {
		t.Errorf("%d descendants", n)
	}
	w.ok(w.try("GET", "/api/v1/statuses/"+root.ID+"/context", "", nil, ""), &thread)
	if n := len(thread.Descendants); n != 20 {
		t.Errorf("%d descendants without a token", n)
	}
}

func TestEmojiReplyIsAReactionOnSharkey(t *testing.T) {
	t.Parallel()
	for text, reaction := range map[string]bool{"@ada 👍": true, "@ada :blob_cat:": true, "👨‍👩‍👧": true, "@ada yes 👍": false, "ok": false} {
		w := newWorld(t, fedisim.Options{Profile: fedisim.Sharkey})
		ada := w.s.AddAccount("ada")
		p := ada.Post("@elelem good?")
		got := w.post(url.Values{"status": {text}, "in_reply_to_id": {p.ID}})
		after, _ := w.s.Post(p.ID)
		if (len(after.Reactions) == 1) != reaction || (len(w.s.Replies(p.ID)) == 0) != reaction || (got.ID == p.ID) != reaction {
			t.Errorf("%q: reactions %+v, replies %+v", text, after.Reactions, w.s.Replies(p.ID))
		}
	}
}

func TestAttachedMediaIsRefusedAgain(t *testing.T) {
	t.Parallel()
	for p, want := range map[fedisim.Profile]int{fedisim.Mastodon: 422, fedisim.GoToSocial: 400, fedisim.Akkoma: 200, fedisim.Snac: 200} {
		w := newWorld(t, fedisim.Options{Profile: p})
		img := w.bot.AddMedia("image", "")
		w.post(url.Values{"status": {"one"}, "media_ids[]": {img}})
		r := w.try("POST", "/api/v1/statuses", w.bot.Token, url.Values{"status": {"one"}, "media_ids[]": {img}}, "")
		if r.status != want {
			t.Errorf("%s: %d, want %d", p, r.status, want)
		}
		if p == fedisim.GoToSocial && !strings.Contains(string(r.body), "media already attached to status: "+img) {
			t.Errorf("the refusal is %s", r.body)
		}
	}
}
