package fedi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"rookery/internal/community"
)

func same[T any](t *testing.T, got, want T) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

func decodeStatus(t *testing.T, doc string) Status {
	t.Helper()
	var s Status
	if err := json.Unmarshal([]byte(doc), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestPostHasAllThatTheStatusTells(t *testing.T) {
	t.Parallel()
	s := decodeStatus(t, `{"id":"01ABC","uri":"https://far.example/notes/1","url":"https://far.example/@bob/1","created_at":"2026-11-21T11:59:30.123Z",
		"in_reply_to_id":"01AAA","in_reply_to_account_id":"42","sensitive":true,"spoiler_text":"a \u202ewarning","visibility":"private","language":"en",
		"content":"<p><span class=\"h-card\"><a href=\"https://art.example/@rook\" class=\"u-url mention\">@<span>rook</span></a></span> draw :cat: &amp; <a href=\"https://far.example/users/Eve\" class=\"mention\">@<span>someone else</span></a></p>",
		"account":{"id":"9","username":"bob","acct":"bob@Far.Example","display_name":"Bob\n<b>","note":"<p>I draw. <a href=\"https://far.example/tags/nobot\" class=\"mention hashtag\">#<span>nobot</span></a></p>","url":"https://far.example/@bob","uri":"https://far.example/users/bob","bot":false,
			"fields":[{"name":"AI","value":"<a href=\"https://far.example/tags/noai\" rel=\"tag\">#<span>noai</span></a>"}]},
		"mentions":[{"id":"1","username":"rook","acct":"rook","url":"https://art.example/@rook"},{"id":"5","username":"eve","acct":"eve@far.example","url":"https://far.example/@eve"}],
		"media_attachments":[{"id":"m1","type":"image","url":"https://far.example/1.png","description":"a cat"},{"id":"m2","type":"model/3d","url":null,"description":null}]}`)
	v := Converter{Domain: "art.example"}
	same(t, v.Post(s), community.Post{
		ID: "01ABC", URI: "https://far.example/notes/1", URL: "https://far.example/@bob/1",
		Author: community.Member{ID: "9", Handle: "bob@far.example", Acct: "bob@Far.Example", Name: "Bob <b>", URI: "https://far.example/users/bob",
			URL: "https://far.example/@bob", Note: "I draw. #nobot\nAI: #noai"},
		Text: "@rook@art.example draw :cat: & @eve@far.example", CW: "a warning", Sensitive: true, Visibility: community.Followers,
		ParentID: "01AAA", ParentBy: "42", Language: "en",
		Mentions: []community.Member{
			{ID: "1", Handle: "rook@art.example", Acct: "rook", URL: "https://art.example/@rook"},
			{ID: "5", Handle: "eve@far.example", Acct: "eve@far.example", URL: "https://far.example/@eve"},
		},
		Media: []community.Attachment{{ID: "m1", Kind: "image", URL: "https://far.example/1.png", Description: "a cat"}, {ID: "m2", Kind: "unknown"}},
		At:    time.Date(2026, 11, 21, 11, 59, 30, 123e6, time.UTC),
	})
}

func TestMentionsAreFoundByAddressInEveryShape(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ mentions, content, want string }{
		"Mastodon":                 {`[{"id":"1","username":"rook","acct":"rook","url":"https://art.example/@rook"}]`, `<a href="https://art.example/@rook" class="u-url mention">@<span>rook</span></a>`, "@rook@art.example"},
		"Pleroma, by identity":     {`[{"id":"1","username":"bob","acct":"bob@far.example","url":"https://far.example/@bob"}]`, `<a class="u-url mention" data-user="X" href="https://far.example/users/bob" rel="ugc">@<span>bob</span></a>`, "@bob@far.example"},
		"Misskey":                  {`[{"id":"1","username":"bob","acct":"bob@far.example","url":"https://far.example/@bob"}]`, `<a href="https://far.example/@bob" class="u-url mention">@bob@far.example</a>`, "@bob@far.example"},
		"another domain":           {`[{"id":"1","username":"bob","acct":"bob@far.example","url":"https://social.far.example/@bob"}]`, `<a href="https://social.far.example/users/bob" class="mention">@bob</a>`, "@bob@far.example"},
		"page here about there":    {`[{"id":"1","username":"bob","acct":"bob@far.example","url":"https://far.example/@bob"}]`, `<a href="https://art.example/@bob@far.example" class="mention">@bob</a>`, "@bob@far.example"},
		"opaque identity":          {`[{"id":"1","username":"bob","acct":"bob@far.example","url":"https://far.example/u/9f3"}]`, `<a href="https://far.example/u/9f3/" class="mention">@x</a>`, "@bob@far.example"},
		"the words lie":            {`[{"id":"1","username":"bob","acct":"bob@far.example","url":"https://far.example/@bob"}]`, `<a href="https://far.example/@bob" class="mention">@rook@art.example</a>`, "@bob@far.example"},
		"not among the mentions":   {`[]`, `<a href="https://far.example/@bob" class="mention">@<span>bob</span></a>`, "@bob"},
		"same name on other hosts": {`[{"id":"1","username":"bob","acct":"bob@a.example","url":"https://a.example/@bob"},{"id":"2","username":"bob","acct":"bob@b.example","url":"https://b.example/@bob"}]`, `<a href="https://b.example/users/bob" class="mention">@bob</a> <a href="https://a.example/users/bob" class="mention">@bob</a>`, "@bob@b.example @bob@a.example"},
		"no address":               {`[{"id":"1","username":"bob","acct":"bob@far.example","url":null}]`, `<a href="https://far.example/users/bob" class="mention">@bob</a>`, "@bob@far.example"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := json.Marshal(tc.content)
			if err != nil {
				t.Fatal(err)
			}
			s := decodeStatus(t, `{"id":"1","account":{"id":"9","acct":"x"},"content":`+string(content)+`,"mentions":`+tc.mentions+`}`)
			if got := (Converter{Domain: "art.example"}).Post(s).Text; got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestHandlesAlwaysHaveTheHost(t *testing.T) {
	t.Parallel()
	v := Converter{Domain: "art.example"}
	for want, a := range map[string]Account{
		"ada@art.example":   {ID: "1", Acct: "ada", Username: "ada"},
		"bob@far.example":   {ID: "1", Acct: "bob@FAR.example"},
		"eve@art.example":   {ID: "1", Username: "eve"},
		"kim@short.example": {ID: "1", Acct: "kim", FQN: "kim@Short.example"}, // Pleroma
		"":                  {ID: "1"},
	} {
		if got := v.Member(a).Handle; got != want {
			t.Errorf("%+v: %q, want %q", a, got, want)
		}
	}
}

func TestMentionTellsWhoseAndWhen(t *testing.T) {
	t.Parallel()
	n := Notification{ID: "n1", Type: "mention", CreatedAt: start, Status: decodeStatus(t, aStatus)}
	m, err := Converter{Domain: "art.example"}.Mention("acc", n)
	if err != nil || m.Account != "acc" || m.Notification != "n1" || !m.Notified.Equal(start) || m.Post.Text != "hi" {
		t.Errorf("%+v, %v", m, err)
	}
	for _, bad := range []Notification{{}, {ID: "1"}, {Status: n.Status}} {
		if _, err := (Converter{}).Mention("acc", bad); err == nil {
			t.Errorf("%+v is a mention", bad)
		}
	}
}

// asNotification puts a status with that content through the whole client.
func asNotification(t *testing.T, content string, mentions int) community.Post {
	t.Helper()
	var ms []map[string]string
	for i := range mentions {
		ms = append(ms, map[string]string{"id": fmt.Sprint(i), "username": fmt.Sprintf("u%d", i), "acct": fmt.Sprintf("u%d@far.example", i), "url": fmt.Sprintf("https://far.example/@u%d", i)})
	}
	st, err := json.Marshal(map[string]any{"id": "1", "account": map[string]string{"id": "9", "acct": "x"}, "content": content, "mentions": ms})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := serve(t, answerWith(200, "application/json", "["+mention(`"1"`, string(st))+"]"))
	page, err := c.Notifications(t.Context(), NotificationQuery{})
	if err != nil || len(page) != 1 || page[0].Err != nil {
		t.Fatalf("%v, %v", page, err)
	}
	m, err := c.Converter().Mention("acc", page[0])
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.ValidString(m.Post.Text) || strings.ContainsRune(m.Post.Text, 0) {
		t.Errorf("text is not storable: %.200q", m.Post.Text)
	}
	return m.Post
}

func TestUnusualMentions(t *testing.T) {
	t.Parallel()
	const me = `<p><a href="https://far.example/@u0" class="mention">@<span>u0</span></a> `
	t.Run("100 kB", func(t *testing.T) {
		t.Parallel()
		if got := asNotification(t, me+strings.Repeat("word ", 20_000)+"end</p>", 1).Text; len(got) < 100_000 || !strings.HasSuffix(got, "word end") {
			t.Errorf("%d bytes", len(got))
		}
	})
	t.Run("300 mentions", func(t *testing.T) {
		t.Parallel()
		var b strings.Builder
		for i := range 300 {
			fmt.Fprintf(&b, `<a href="https://far.example/users/u%d" class="mention">@<span>u%d</span></a> `, i, i)
		}
		p := asNotification(t, b.String(), 300)
		if len(p.Mentions) != 300 || strings.Count(p.Text, "@far.example") != 300 || !strings.HasSuffix(p.Text, "@u299@far.example") {
			t.Errorf("%d mentions, text ends %q", len(p.Mentions), p.Text[len(p.Text)-40:])
		}
	})
	t.Run("NUL", func(t *testing.T) {
		t.Parallel()
		if got := asNotification(t, me+"a\x00b&#0;c</p>", 1).Text; got != "@u0@far.example ab\ufffdc" {
			t.Errorf("%q", got)
		}
	})
	t.Run("right to left", func(t *testing.T) {
		t.Parallel()
		if got := asNotification(t, "<p>\u2067שלום</p><p>ok</p>", 1).Text; got != "\u2067שלום\u2069\n\nok" {
			t.Errorf("%q", got)
		}
	})
	t.Run("only an emoji", func(t *testing.T) {
		t.Parallel()
		if got := asNotification(t, me+"🦊</p>", 1).Text; got != "@u0@far.example 🦊" {
			t.Errorf("%q", got)
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("[" + mention(`"1"`, aStatus) + "]"))
	f.Add([]byte(aStatus))
	f.Add([]byte(`{"id":1,"account":{"id":[]},"mentions":{},"created_at":"x","media_attachments":[[]]}`))
	f.Add([]byte("\ufeff{\"id\":\"\x00\xff\"}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		v := Converter{Domain: "art.example"}
		b = mend(b)
		n, ok := readNotification(b)
		if ok && n.Err == nil {
			if n.ID == "" || n.Status.ID == "" || n.Status.Account.ID == "" {
				t.Errorf("a mention without an id: %+v", n)
			}
			if _, err := v.Mention("acc", n); err != nil {
				t.Error(err)
			}
		}
		if ok && n.Err != nil && !utf8.Valid(n.Raw) {
			t.Errorf("raw is not storable: %q", n.Raw)
		}
		var s Status
		if json.Unmarshal(b, &s) != nil {
			return
		}
		p := v.Post(s)
		for _, text := range []string{string(p.ID), p.URI, p.URL, p.Text, p.CW, p.Language, string(p.ParentID), string(p.ParentBy), string(p.Author.ID), p.Author.Handle, p.Author.Name, p.Author.Note} {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				t.Errorf("not storable: %q", text)
			}
		}
		var in wireInstance
		if json.Unmarshal(b, &in) == nil {
			got := in.instance()
			if got.MaxChars <= 0 || got.MaxMedia <= 0 || got.ImageSize <= 0 || got.Length("https://a.example/x @a@b.example", "cw") < 0 {
				t.Errorf("%+v", got)
			}
		}
	})
}
