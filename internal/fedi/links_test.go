package fedi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"rookery/internal/community"
)

func TestLinksAreWhatIsNeitherMentionNorHashtag(t *testing.T) {
	t.Parallel()
	const mentions = `[{"id":"5","username":"eve","acct":"eve@far.example","url":"https://far.example/@eve"}]`
	var many strings.Builder
	for i := range 30 {
		fmt.Fprintf(&many, `<a href="https://a.example/%d">x</a>`, i)
	}
	for name, tc := range map[string]struct {
		content string
		want    []string
	}{
		"none":                   {`<p>no link</p>`, nil},
		"Mastodon's three spans": {`<a href="https://www.a.example/long/way" target="_blank" rel="nofollow noopener noreferrer" translate="no"><span class="invisible">https://www.</span><span class="ellipsis">a.example/lo</span><span class="invisible">ng/way</span></a>`, []string{"https://www.a.example/long/way"}},
		"in order, each once":    {`<a href="https://b.example/">b</a><a href="https://a.example/">a</a><a href="https://b.example/">again</a>`, []string{"https://b.example/", "https://a.example/"}},
		"escapes undone":         {`<a href="https://a.example/?a=1&amp;b=2">a</a>`, []string{"https://a.example/?a=1&b=2"}},
		"mention":                {`<a class="u-url mention" href="https://far.example/@eve">@<span>eve</span></a>`, nil},
		"mention, unmarked":      {`<a href="https://far.example/users/eve">@eve said</a>`, nil},
		"mention, unknown":       {`<a href="https://else.example/@bob">@bob@else.example</a>`, nil},
		"page of who is named":   {`<a href="https://far.example/@eve">her page</a>`, []string{"https://far.example/@eve"}},
		"hashtag":                {`<a href="https://far.example/tags/art" class="mention hashtag" rel="tag">#<span>art</span></a>`, nil},
		"hashtag by rel":         {`<a href="https://far.example/tag/art" rel="ugc tag">art</a>`, nil},
		"hashtag by its word":    {`<a href="https://far.example/t/art"> #art</a>`, nil},
		"words with a number":    {`<a href="https://far.example/7">#7 is my best</a>`, []string{"https://far.example/7"}},
		"not of the web":         {`<a href="mailto:a@b.example">m</a><a href="javascript:x">j</a><a href="/local">l</a><a href="//a.example">p</a><a href="https://">e</a><a href="ftp://a.example/">f</a><a>n</a><a href="gemini://a.example">g</a>`, nil},
		"white space inside":     {`<a href="https://a.example/a b">x</a><a href="  https://a.example/ok ">y</a>`, []string{"https://a.example/ok"}},
		"too long":               {`<a href="https://a.example/` + strings.Repeat("a", maxLink) + `">x</a>`, nil},
		"never closed":           {`<a href="https://a.example/1">x <a href="https://a.example/2">`, []string{"https://a.example/1", "https://a.example/2"}},
		"quoted post":            {`<p class="quote-inline">RE: <a href="https://a.example/quoted">q</a></p><p><a href="https://a.example/own">o</a></p>`, []string{"https://a.example/own"}},
		"quoted post, nested":    {`<span class="quote-inline"><span>x</span><a href="https://a.example/quoted">q</a></span><a href="https://a.example/own">o</a>`, []string{"https://a.example/own"}},
		"twenty at most":         {many.String(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content, err := json.Marshal(tc.content)
			if err != nil {
				t.Fatal(err)
			}
			s := decodeStatus(t, `{"id":"1","account":{"id":"9","acct":"x"},"content":`+string(content)+`,"mentions":`+mentions+`}`)
			got := (Converter{Domain: "art.example"}).Post(s).Links
			if name == "twenty at most" {
				if len(got) != maxLinks || got[maxLinks-1] != "https://a.example/19" {
					t.Errorf("%d: %v", len(got), got)
				}
				return
			}
			same(t, got, tc.want)
		})
	}
}

func FuzzLinks(f *testing.F) {
	for _, s := range []string{`<a href="https://a.example/">x</a>`, `<p class="quote-inline"><a href=https://b>`, `<a rel=tag href=http://c>#c</a></a></p>`, "<a <a href='https://x y'"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, markup string) {
		got := links(markup, func(string) (string, bool) { return "", false })
		if len(got) > maxLinks {
			t.Errorf("%d links", len(got))
		}
		for i, l := range got {
			if !webAddress(l) || slices.Contains(got[:i], l) {
				t.Errorf("%q in %q", l, got)
			}
		}
	})
}

func TestOptOutsInProfilesAreSeenThroughTheirMarkup(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		account string
		want    bool
	}{
		"in the text":     {`"note":"<p>I draw <a href=\"https://far.example/tags/noai\" class=\"mention hashtag\" rel=\"tag\">#<span>NoAI</span></a></p>"`, true},
		"bare":            {`"note":"#noai"`, true},
		"in a row":        {`"note":"","fields":[{"name":"bots","value":"<a href=\"https://far.example/tags/noai\" rel=\"tag\">#<span>noai</span></a>"}]`, true},
		"name of a row":   {`"note":"","fields":[{"name":"#noai","value":"please"}]`, true},
		"in the name":     {`"display_name":"Bob #noai"`, true},
		"a longer word":   {`"note":"<a href=\"https://far.example/tags/noaim\" class=\"hashtag\">#<span>noaim</span></a>"`, false},
		"without a mark":  {`"note":"noai"`, false},
		"split by markup": {`"note":"<p>#no</p><p>ai</p>"`, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var a Account
			if err := json.Unmarshal([]byte(`{"id":"9","acct":"bob@far.example",`+tc.account+`}`), &a); err != nil {
				t.Fatal(err)
			}
			if got := (Converter{}).Member(a).OptsOut("noai"); got != tc.want {
				t.Errorf("%v, want %v", got, tc.want)
			}
		})
	}
}

func TestEveryKindOfMediumKeepsItsDescription(t *testing.T) {
	t.Parallel()
	for wire, kind := range map[string]string{"image": "image", "gifv": "gifv", "video": "video", "audio": "audio", "unknown": "unknown", "model": "unknown", "": "unknown"} {
		s := decodeStatus(t, `{"id":"1","account":{"id":"9","acct":"x"},"media_attachments":[
			{"id":"m","type":"`+wire+`","url":"https://a.example/m","description":" a\u0000 cat\u202e \n sleeps "},
			{"id":"n","type":"`+wire+`","url":null,"description":null}]}`)
		same(t, (Converter{}).Post(s).Media, []community.Attachment{
			{ID: "m", Kind: kind, URL: "https://a.example/m", Description: "a cat \n sleeps"}, {ID: "n", Kind: kind},
		})
	}
}
