package sandbox

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"rookery/internal/sim/fedisim"
)

func TestTimeline(t *testing.T) {
	t.Parallel()
	who := map[string]member{
		"1": {name: "Ada", acct: "ada"}, "2": {name: "Ben", acct: "ben@other.example"},
		"3": {name: "Elelem", acct: "elelem", bot: true},
	}
	posts := []fedisim.Post{
		{ID: "10", AccountID: "2", Text: "The clock is fast.", Visibility: "public"},
		{ID: "11", AccountID: "1", Text: "@elelem why?\nAnd how?", Visibility: "public", InReplyTo: "10", CW: "time"},
		{ID: "12", AccountID: "9", Acct: "zoe@far.example", Text: "Elsewhere.", Visibility: "private", MediaIDs: []string{"m"}},
		{ID: "13", AccountID: "3", Text: "@ada " + strings.Repeat("tick tock ", 12), Visibility: "unlisted", InReplyTo: "11", CW: "time"},
		{ID: "14", AccountID: "1", Text: "Between \x1b[31mus\x1b[0m.", Visibility: "direct", InReplyTo: "gone"},
		{ID: "15", AccountID: "2", Text: "Never mind.", Visibility: "public", InReplyTo: "10", Deleted: true},
		{ID: "16", AccountID: "1", BoostOf: "10", Visibility: "public"},
		{ID: "17", AccountID: "3", Text: "@ada Here.", Visibility: "unlisted", MediaIDs: []string{"1", "2", "3"}, Media: []fedisim.Media{
			{Type: "image/gif", Width: 320, Height: 240, Size: 12_345, Description: "Animated GIF:\x1b[31m rain"}, {Type: "video/mp4"}}},
	}
	var b strings.Builder
	printTimeline(&b, posts, who)
	want := `Ben (@ben@other.example) · public: everyone, in the public timelines
  The clock is fast.
    Ada (@ada), in reply · public: everyone, in the public timelines
      [content warning: time]
      @elelem why?
      And how?
        Elelem (@elelem), a bot, in reply · unlisted: everyone, but in no public timeline
          [content warning: time]
          @ada tick tock tick tock tick tock tick tock tick tock tick tock tick tock tick tock
          tick tock tick tock tick tock tick tock
    Ben (@ben@other.example), in reply · public: everyone, in the public timelines
      (deleted)

@zoe@far.example · followers only
  Elsewhere.
  [1 attached]

Ada (@ada), in reply · direct: only who is mentioned
  Between [31mus [0m.

Ada (@ada) shared a post

Elelem (@elelem), a bot · unlisted: everyone, but in no public timeline
  @ada Here.
  [1 attached]
  [picture: GIF, 320 x 240, 13 kB, alt text “Animated GIF: [31m rain”]
  [picture: MP4, without alt text]
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestOutcomes(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	printOutcomes(&b, []outcome{
		{title: "Ada asks", state: held, took: 340 * time.Millisecond},
		{title: "Ben asks", state: broken, took: 2 * time.Second, unmet: []unmet{{"one reply", "two replies"}, {"a short log", "line one\nline two"}}},
		{title: "Nobody asks", state: notPlayed},
	})
	printCounts(&b, []count{{"Ada's question", 1, 1}, {"Ben's question", 1, 2}})
	want := `   1  ✓ held          0.3 s  Ada asks
   2  ✗ DID NOT HOLD  2.0 s  Ben asks
        expected: one reply
        seen:     two replies
        expected: a short log
        seen:     line one
                  line two
   3  - not played           Nobody asks
  expected replies   mention
  1        1         Ada's question
  1        2         Ben's question
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// What a client posts is printed in a terminal: whatever it is, it cannot
// steer it, and keeps to its margin.
func FuzzPrintPost(f *testing.F) {
	f.Add("hello", "cw", "direct", 1)
	f.Add("\x1b]0;title\x07\r\n\u009b31m", "\x1b[2J", "new\x1b", 40)
	f.Add(strings.Repeat("word ", 500)+strings.Repeat("x", 5000), "", "public", 0)
	f.Add("bad \xff\xfe text\u2028and\vmore", "", "", 3)
	f.Fuzz(func(t *testing.T, text, cw, visibility string, depth int) {
		var b strings.Builder
		printPost(&b, fedisim.Post{ID: "1", Acct: "a", Text: text, CW: cw, Visibility: visibility}, nil, max(depth, 0))
		if !strings.HasSuffix(b.String(), "\n") {
			t.Errorf("no end of line: %q", b.String())
		}
		for _, r := range b.String() {
			if r != '\n' && unicode.IsControl(r) {
				t.Errorf("control character %U in %q", r, b.String())
			}
		}
		if !utf8.ValidString(b.String()) {
			t.Errorf("not UTF-8: %q", b.String())
		}
	})
}
