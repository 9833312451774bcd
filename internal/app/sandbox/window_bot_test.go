package sandbox

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/discordsim"
)

// puppet speaks with the bot's token, where no bot runs.
type puppet struct {
	*testing.T
	s *stage
}

func (p puppet) call(path string, body map[string]any) {
	p.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		p.Error(err)
		return
	}
	req, err := http.NewRequestWithContext(p.Context(), http.MethodPost, p.s.discord.URL()+path, strings.NewReader(string(data)))
	if err != nil {
		p.Error(err)
		return
	}
	req.Header.Set("Authorization", "Bot "+p.s.discord.Token())
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "DiscordBot (https://art.example, 1)")
	resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		p.Error(err)
		return
	}
	defer resp.Body.Close()
	if resp.StatusCode >= http.StatusMultipleChoices {
		p.Errorf("%s: %s", path, resp.Status)
	}
}

// awaits waits for something on Discord.
func (p puppet) awaits(what string, cond func() bool) bool {
	p.Helper()
	ctx, cancel := context.WithTimeout(p.Context(), time.Minute)
	defer cancel()
	if err := p.s.discord.WaitFor(ctx, func(*discordsim.Server) bool { return cond() }); err != nil {
		p.Errorf("%s: %v", what, err)
		return false
	}
	return true
}

// offers waits for the thread so named, and writes an offer there.
func (p puppet) offers(name string) {
	p.awaits("the thread "+name, func() bool {
		for _, c := range p.s.discord.View(p.s.guild.ada).Channels {
			if c.Kind == discordsim.PublicThread && c.Name == name {
				p.call("/channels/"+c.ID+"/messages", map[string]any{"content": "Shall I post **" + name + "**?", "components": []any{map[string]any{
					"type": 1, "components": []any{map[string]any{"type": 2, "style": 1, "custom_id": "why", "label": "Why?"}},
				}}})
				return true
			}
		}
		return false
	})
}

// answers waits until so many things were pressed, and answers the last one so
// that only one person sees it.
func (p puppet) answers(n int, text string) {
	p.awaits("a press", func() bool { return len(p.s.discord.Interactions()) >= n })
	if all := p.s.discord.Interactions(); len(all) == n {
		in := all[n-1]
		p.call("/interactions/"+in.ID+"/"+in.Token+"/callback", map[string]any{"type": 4, "data": map[string]any{"content": text, "flags": 64}})
	}
}

// What the bot says to a thread and to a press is there when the page comes, and
// the page is led to it.
func TestWindowWaitsForBot(t *testing.T) {
	t.Parallel()
	l, s := windowThatWaits(t, 10*time.Second)
	bot := puppet{t, s}
	meanwhile := func(does func(), path string, form url.Values) (string, string) {
		t.Helper()
		done := make(chan struct{})
		go func() { defer close(done); does() }()
		at, page := l.landed(path, form)
		<-done
		return at, page
	}
	if _, err := s.discord.StartPost(s.guild.ada, s.guild.forum, "A wheel", discordsim.Draft{Content: "Mine."}); err != nil {
		t.Fatal(err) // nobody answers there
	}
	at, page := meanwhile(func() { bot.offers("Rings") }, "/thread", url.Values{"title": {"Rings"}})
	if t.Failed() {
		return
	}
	wantIn(t, page, "Shall I post <strong>Rings</strong>?", `<section id="`+at+`" tabindex="-1"`)
	if strings.Contains(page, "Only Ada sees this") {
		t.Errorf("somebody was told something:\n%s", page)
	}
	first, _ := meanwhile(func() { bot.answers(1, "Because of `one`.") }, "/press", l.button("ada", "Why?"))
	second, page := meanwhile(func() { bot.answers(2, "Because of ~~two~~.") }, "/press", l.button("ada", "Why?"))
	if first == second {
		t.Errorf("both answers lead to %q", first)
	}
	before, after, ok := strings.Cut(page, "What only Ada saw earlier: 1")
	if !ok {
		t.Fatalf("nothing is folded:\n%s", page)
	}
	wantIn(t, before, "Rings</h2>", "Shall I post", "Only Ada sees this", `<div id="`+second+`" tabindex="-1">`, "Because of <s>two</s>.")
	wantIn(t, after, `<div id="`+first+`"`, "Because of <code>one</code>.", "A wheel</h2>", "The bot has no message here now.")
	if page := l.look("ben"); strings.Contains(page, "Because of") {
		t.Errorf("Ben sees what only Ada should:\n%s", page)
	}
}

// A press that is not answered is said to be one, once.
func TestWindowUnanswered(t *testing.T) {
	t.Parallel()
	l, _ := newWindow(t)
	at := landing{at: "unanswered", unanswered: true}.address(person{Short: "ben"})
	if want := "/?as=ben&unanswered=1#unanswered"; at != want {
		t.Errorf("%s, want %s", at, want)
	}
	_, page := l.do(http.MethodGet, at, "", nil, nil)
	wantIn(t, page, "as Ben sees it", `<p id="unanswered" role="alert" tabindex="-1">`)
	if page := l.look("ben"); strings.Contains(page, "did not respond") {
		t.Errorf("it is said again:\n%s", page)
	}
}

// What was changed last is the newest.
func TestNewestFirst(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return time.Date(2030, 1, 1, 12, minute, 0, 0, time.UTC) }
	p := newestFirst([]discordsim.Message{
		{ID: "1", At: at(1), Edited: at(9)}, {ID: "2", At: at(2)}, {ID: "3", At: at(3)},
	}, nil)
	if len(p.Latest) != 1 || p.Latest[0].ID != "1" || len(p.Earlier) != 2 || p.Earlier[0].ID != "3" || p.Earlier[1].ID != "2" {
		t.Errorf("%+v", p)
	}
	if p := newestFirst(nil, nil); len(p.Latest)+len(p.Earlier) > 0 {
		t.Errorf("%+v", p)
	}
}

// A person who moderates, and emoji of both kinds, are there to try things with.
func TestWindowHasWhatToTry(t *testing.T) {
	t.Parallel()
	_, s := newWindow(t)
	moving := map[bool]int{}
	for _, e := range s.discord.Emojis(s.guild.id) {
		moving[e.Animated]++
	}
	if moving[true] != 1 || moving[false] != 1 {
		t.Errorf("emoji that move, and that do not: %v", moving)
	}
}
