package ledger_test

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"rookery/internal/gallery/ledger"
	"rookery/internal/words"
)

const offer = "Post this publicly as @gallery@art.example, outside Discord? Anyone can see it. You can delete it here any time, but other sites may keep copies. Nothing is sent until you press Post publicly.\n\nAI description: off – your picture goes to no AI."

// story is a submission from its offer to its end.
func story() []ledger.Entry {
	at := start
	media := []ledger.Medium{{N: 1, Name: "cat.png", SHA256: strings.Repeat("ab", 32)}, {N: 2, Name: "cat.png", SHA256: strings.Repeat("cd", 32), Alt: "discord"}}
	described := []ledger.Medium{media[0]}
	described[0].Alt = "model"
	entries := []ledger.Entry{
		{Event: ledger.Offered, Text: offer},
		{Event: ledger.AIOn, Processor: "OpenAI (USA)", Model: "gpt-4o", Via: "button"},
		{Event: ledger.Agreed, Text: offer, Media: media, Via: "button"},
		{Event: ledger.Described, Processor: "OpenAI (USA)", Model: "gpt-4o", Media: described},
		{Event: ledger.Posted, Post: "https://art.example/notice/1", Media: media},
		{Event: ledger.TakenDown, Post: "https://art.example/notice/1", By: "moderator p2", Via: "context menu", Note: "asked by the rights holder"},
	}
	for i := range entries {
		e := &entries[i]
		e.Seq, e.At, e.Submission, e.Subject = int64(i+12), at, "s1", "p1"
		e.Guild, e.Channel, e.Source, e.Target = "67", "45", "123", "@gallery@art.example"
		e.Chain = strings.Repeat("ef", 32)
		at = at.Add(time.Minute)
	}
	return entries
}

const proven = `Proof of consent, submission s1

Member:     Ada (pseudonym p1)
Message:    123 in channel 45 of Discord server 67
Posted as:  @gallery@art.example
Post:       https://art.example/notice/1
Agreement:  over since 2026-11-21 19:24:03: others asked for the post to be
            deleted
AI:         pictures were sent to OpenAI (USA), model gpt-4o
Ledger:     entries 12 to 17; hash of the last:
            efefefefefefefefefefefefefefefefefefefefefefefefefefefefefefefef

Media
  1. cat.png; description: by a model
     SHA-256 abababababababababababababababababababababababababababababababab
  2. cat.png; description: written on Discord
     SHA-256 cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd

What happened (times in UTC)
  2026-11-21 19:19:03  the offer was shown; text 1
  2026-11-21 19:20:03  AI descriptions were turned on for this post (button);
                       OpenAI (USA), model gpt-4o
  2026-11-21 19:21:03  the member agreed to post this (button); text 1; media 1,
                       2
  2026-11-21 19:22:03  pictures were sent to a model to be described; OpenAI
                       (USA), model gpt-4o; media 1
  2026-11-21 19:23:03  posted; media 1, 2; https://art.example/notice/1
  2026-11-21 19:24:03  others asked for the post to be deleted (context menu);
                       by a moderator p2; asked by the rights holder

What was shown, word for word
  Text 1, SHA-256
  9edf5781dde04fcb53ed452745c2755ed2cac115935f2c37b40f2775aff196ce
  | Post this publicly as @gallery@art.example, outside Discord? Anyone can see
  | it. You can delete it here any time, but other sites may keep copies.
  | Nothing is sent until you press Post publicly.
  |
  | AI description: off – your picture goes to no AI.
`

func proof(t *testing.T, l words.Language, member string, entries []ledger.Entry) string {
	t.Helper()
	var b bytes.Buffer
	if err := ledger.Proof(&b, l, member, entries); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestProof(t *testing.T) {
	t.Parallel()
	if diff := cmp.Diff(proven, proof(t, words.English, "Ada", story())); diff != "" {
		t.Error(diff)
	}
	russian := proof(t, words.Russian, "", story())
	for _, want := range []string{"псевдоним p1", "не действует с 2026-11-21 19:24:03: другие просят удалить публикацию", "(кнопка)", "модератор p2; asked", "| it. You can"} {
		if !strings.Contains(russian, want) {
			t.Errorf("%q is not in\n%s", want, russian)
		}
	}
	for _, page := range []string{proven, russian} {
		lines := strings.Split(page, "\n")
		if len(lines) > 60 {
			t.Errorf("%d lines are more than a page", len(lines))
		}
	}
}

func TestWhatAProofSaysOfAgreementAndAI(t *testing.T) {
	t.Parallel()
	on := ledger.Entry{Event: ledger.AIOn, Processor: "Here", Model: "m"}
	for name, test := range map[string]struct {
		entries []ledger.Entry
		want    []string
	}{
		"offered":    {[]ledger.Entry{{Event: ledger.Offered}}, []string{"Agreement:  none on record", "AI:         no AI: it was not turned on"}},
		"declined":   {[]ledger.Entry{{Event: ledger.Declined}}, []string{"Agreement:  none on record"}},
		"agreed":     {[]ledger.Entry{{Event: ledger.Void}, {Event: ledger.Agreed}, {Event: ledger.Posted}}, []string{"Agreement:  given on 2026-11-21 19:19:04, stands"}},
		"revoked":    {[]ledger.Entry{{Event: ledger.Agreed}, {Event: ledger.Revoked}, {Event: ledger.Deleted}}, []string{"over since 2026-11-21 19:19:04: the member took back"}},
		"agreed on":  {[]ledger.Entry{{Event: ledger.Agreed}, {Event: ledger.Void}, {Event: ledger.Agreed}}, []string{"given on 2026-11-21 19:19:05, stands"}},
		"adopted":    {[]ledger.Entry{{Event: ledger.Adopted}}, []string{"Agreement:  none on record", "taken over from another program"}},
		"turned on":  {[]ledger.Entry{on, {Event: ledger.AIOff}}, []string{"AI:         Here, model m: turned on, but nothing was sent"}},
		"drafted":    {[]ledger.Entry{on, {Event: ledger.Drafted, Processor: "There"}}, []string{"AI:         pictures were sent to There\n"}},
		"a new word": {[]ledger.Entry{{Event: "dreamt\x1b[2J", Via: "by\u202e night", By: "operator"}}, []string{"dreamt[2J (by night); by the operator"}},
		"two texts": {[]ledger.Entry{{Event: ledger.Offered, Text: "one"}, {Event: ledger.Agreed, Text: "two"}, {Event: ledger.Edited, Text: "one"}},
			[]string{"shown; text 1", "post this; text 2", "changed; text 1", "  | one\n  Text 2"}},
		"another file": {[]ledger.Entry{{Event: ledger.Offered, Media: []ledger.Medium{{N: 1, SHA256: "aa"}}}, {Event: ledger.Agreed, Media: []ledger.Medium{{N: 1, SHA256: "bb", Alt: "none"}}}},
			[]string{"shown; media 1\n", "post this; media 2\n", "2. description: none\n     SHA-256 bb"}},
	} {
		for i := range test.entries {
			test.entries[i].At = start.Add(time.Duration(i) * time.Second)
		}
		got := proof(t, words.English, "Ada", test.entries)
		for _, want := range test.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is not in\n%s", name, want, got)
			}
		}
	}
}

func TestAProofIsOfOneSubmission(t *testing.T) {
	t.Parallel()
	for _, entries := range [][]ledger.Entry{nil, {{Submission: "a"}, {Submission: "b"}}} {
		if err := ledger.Proof(io.Discard, words.English, "", entries); err == nil {
			t.Errorf("%v has a proof", entries)
		}
	}
}

func TestEveryEventHasAWord(t *testing.T) {
	t.Parallel()
	for _, event := range ledger.Events() {
		got := proof(t, words.Russian, "", []ledger.Entry{{Event: event}})
		if strings.Contains(got, "  "+string(event)+"\n") || strings.Contains(got, "gallery_ledger") {
			t.Errorf("%s has no word:\n%s", event, got)
		}
	}
}

func TestJSON(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	if err := ledger.JSON(&b, story()); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || len(got) != 6 {
		t.Fatal(err, b.String())
	}
	agreed := got[2]
	if agreed["event"] != "agreed" || agreed["text"] != offer || agreed["at"] != "2026-11-21T19:21:03.25Z" || agreed["message"] != "123" ||
		agreed["text_sha256"] != "9edf5781dde04fcb53ed452745c2755ed2cac115935f2c37b40f2775aff196ce" || agreed["chain"] != strings.Repeat("ef", 32) {
		t.Errorf("%v", agreed)
	}
	if media, _ := agreed["media"].([]any); len(media) != 2 || agreed["processor"] != nil {
		t.Errorf("%v", agreed)
	}
	b.Reset()
	if err := ledger.JSON(&b, nil); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func FuzzProof(f *testing.F) {
	f.Add("Ada", "text\nof two lines", "note", "cat.png")
	f.Add("\x1b[2J", strings.Repeat("я", 200), "漢字"+strings.Repeat("漢", 99), "\xff\u202e")
	f.Add("", "\n\n  | ", strings.Repeat("a ", 90), "e\u0301")
	f.Fuzz(func(t *testing.T, member, text, note, name string) {
		entries := []ledger.Entry{{Event: ledger.Agreed, Submission: note, Subject: member, Text: text, Note: note, Via: name, By: note, Processor: name,
			Target: note, Post: text, Source: "1", Media: []ledger.Medium{{Name: name, Alt: note, SHA256: text}}}}
		for _, l := range words.Languages() {
			for line := range strings.SplitSeq(proof(t, l, member, entries), "\n") {
				wide := 0
				for _, r := range line {
					if unicode.IsControl(r) || r == '\u202e' || r == utf8.RuneError && utf8.ValidString(member+text+note+name) && !strings.ContainsRune(member+text+note+name, r) {
						t.Errorf("%q has %q", line, r)
					}
					if !unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
						wide++
					}
				}
				if wide > 80 {
					t.Errorf("%q is %d characters wide", line, wide)
				}
			}
		}
	})
}
