package fedisim

import (
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

func TestEmojiOnly(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{"": false, "👍": true, "❤️": true, "👩🏽‍🚀": true, "🇺🇦": true, ":blob:": true, "ok": false, "👍!": false, "…": false, "1": false} {
		if got := emojiOnly(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestCountChars(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{"": 0, "abc": 3, "é": 1, "e\u0301": 1, "👩🏽‍🚀": 1, "🇺🇦🇩🇪": 2, "❤️": 1, "日本": 2} {
		if got := countChars(text); got != want {
			t.Errorf("%q: %d, want %d", text, got, want)
		}
	}
}

func TestWhoIsMentioned(t *testing.T) {
	t.Parallel()
	s := New(Options{})
	defer s.Close()
	ada, ben, eve := s.AddAccount("ada"), s.AddRemote("ben@other.example"), s.AddRemote("ada@other.example")
	for _, c := range []struct {
		by   *Account
		text string
		want string
	}{
		{ada, "@ben@other.example hi", "ben@other.example"},
		{ada, "hi (@ADA@mastodon.example), @nobody, x@ada, me@ada.example", "ada"},
		{ben, "@ada hi", "ada@other.example"}, // on its own server
		{ben, "@ada@mastodon.example. and https://x.example/@ada too", "ada"},
		{eve, "@ada@mastodon.example @ben @ben", "ada ben@other.example"},
		{ada, "nobody#tag @ #", ""},
	} {
		if got := strings.Join(c.by.Post(c.text).Mentions, " "); got != c.want {
			t.Errorf("%q mentions %q, want %q", c.text, got, c.want)
		}
	}
}

func FuzzPost(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "status=%40ada+hi&media_ids[]=1&visibility=direct")
	f.Add("application/json", `{"status":"a\u0000b \ud800","media_ids":[1,null,{"a":[true]}],"sensitive":"no","media_attributes":[{"id":"1","description":"x"}]}`)
	f.Add("multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\n#x https://é.example/\xff @ada\r\n--b--\r\n")
	f.Add("text/plain", "status")
	f.Fuzz(func(t *testing.T, ctype, body string) {
		for _, p := range Profiles() {
			s := New(Options{Profile: p, Clock: func() time.Time { return time.Unix(1795168800, 0) }})
			bot := s.AddAccount("ada")
			r := httptest.NewRequest("POST", "/api/v1/statuses", strings.NewReader(body))
			r.Header.Set("Content-Type", ctype)
			r.Header.Set("Authorization", "Bearer "+bot.Token)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code >= 500 {
				t.Errorf("%s: %d %s", p, w.Code, w.Body)
			}
			if strings.Contains(w.Header().Get("Content-Type"), "json") && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s answers %q", p, w.Body)
			}
			s.Close()
		}
	})
}

func FuzzEdit(f *testing.F) {
	f.Add("application/x-www-form-urlencoded", "status=x&media_ids[]=ID&media_attributes[][id]=ID&media_attributes[][description]=a&media_attributes[][focus]=0,1")
	f.Add("application/x-www-form-urlencoded", "media_attributes[][description]=%zz&media_attributes[][id]=&&=")
	f.Add("application/json", `{"status":"x","media_ids":["ID"],"media_attributes":[{"id":"ID","description":null,"focus":1.5},3,{"id":[]}]}`)
	f.Add("application/json", `{"media_attributes":{"0":{"id":"ID"}},"media_ids":"ID"}`)
	f.Fuzz(func(t *testing.T, ctype, body string) {
		for _, p := range []Profile{Mastodon, GoToSocial, Akkoma} {
			s := New(Options{Profile: p, Clock: func() time.Time { return time.Unix(1795168800, 0) }})
			bot := s.AddAccount("ada")
			img := bot.AddMedia("image", "an owl")
			post := bot.Post("owl", Attach(img))
			r := httptest.NewRequest("PUT", "/api/v1/statuses/"+post.ID, strings.NewReader(strings.ReplaceAll(body, "ID", img)))
			r.Header.Set("Content-Type", ctype)
			r.Header.Set("Authorization", "Bearer "+bot.Token)
			w := httptest.NewRecorder()
			s.ServeHTTP(w, r)
			if w.Code >= 500 || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: %d %s", p, w.Code, w.Body)
			}
			if after, _ := s.Post(post.ID); w.Code != 200 && (after.Edits != 0 || after.Media[0].Description != "an owl") {
				t.Errorf("%s: refused with %d, and done: %+v", p, w.Code, after)
			}
			s.Close()
		}
	})
}

func BenchmarkPageOfMentions(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	bot, ada := s.AddAccount("elelem"), s.AddAccount("ada")
	for range 10000 {
		ada.Post("@elelem what is the answer to life, the universe and everything?")
	}
	query := url.Values{"types[]": {"mention"}, "limit": {"40"}, "min_id": {"5000"}, "include_filtered": {"true"}}.Encode()
	for b.Loop() {
		r := httptest.NewRequest("GET", "/api/v1/notifications?"+query, nil)
		r.Header.Set("Authorization", "Bearer "+bot.Token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

func BenchmarkReply(b *testing.B) {
	s := New(Options{})
	defer s.Close()
	bot, ada := s.AddAccount("elelem"), s.AddAccount("ada")
	ask := ada.Post("@elelem what?")
	for b.Loop() {
		r := httptest.NewRequest("POST", "/api/v1/statuses", strings.NewReader("status=%40ada+this&in_reply_to_id="+ask.ID))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Authorization", "Bearer "+bot.Token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}
