package persona

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"rookery/internal/community"
	"rookery/internal/llm"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// placed is the thread and the pages that an attack is made with: the question,
// and what stands above it.
func placed(a attack) (q community.Post, above []community.Post, pages map[string]page) {
	q = said(ada, "What do you make of it?")
	q.ID = "question"
	switch a.where {
	case "post":
		q.Text = a.text
	case "cw":
		q.CW = a.text
	case "handle":
		q.Author.Handle, q.Author.Acct = a.text, a.text
	case "name":
		q.Author.Name = a.text
	case "note":
		q.Author.Note = a.text
	case "alt":
		q.Media = []community.Attachment{{Kind: "image", Description: a.text}}
	case "link title":
		q.Links, pages = []string{"https://owls.example/"}, map[string]page{"https://owls.example/": {title: a.text, text: "Owls."}}
	case "link text":
		q.Links, pages = []string{"https://owls.example/"}, map[string]page{"https://owls.example/": {title: "Owls", text: a.text}}
	case "ancestor":
		above = []community.Post{said(ben, a.text)}
	default:
		panic("an attack at an unknown place: " + a.where)
	}
	return q, above, pages
}

// What reaches the model is the same conversation whatever a member writes: the
// operator's words untouched, one fence for each post, every one of them closed,
// nothing outside of them, and no sign that a chat template could take for a turn.
func TestInjectionReachesTheModelAsDataOnly(t *testing.T) {
	t.Parallel()
	if n := len(attacks()); n < 50 {
		t.Fatalf("the corpus has %d attacks", n)
	}
	p := &Persona{Config: Config{Character: character}}
	secret := said(ben, "the key is under the third flower pot")
	secret.Visibility = community.Followers
	template := regexp.MustCompile(`(?i)<\|?[a-z_/]|\[/?INST\]|<<`)
	for _, a := range attacks() {
		q, above, pages := placed(a)
		above = append([]community.Post{secret, said(elelem, "I am an owl.")}, above...)
		c := p.prompt(setting{self: elelem, pages: pages}, community.Mention{Post: q}, above, 400, 24_000)
		if len(c) != len(above)+2 {
			t.Errorf("%s: %d messages", a.name, len(c))
			continue
		}
		if c[0].Role != llm.System || c[0].Text != p.systemOf(setting{self: elelem}, 400) {
			t.Errorf("%s: the system prompt is %q", a.name, c[0].Text)
		}
		for i, m := range c[1:] {
			want := llm.User
			if i == 1 {
				want = llm.Assistant
			}
			if m.Role != want {
				t.Errorf("%s: message %d is of role %s", a.name, i, m.Role)
			}
			inside := m.Text
			if want == llm.User {
				var opened, closed bool
				inside, opened = strings.CutPrefix(inside, "<post by=\"@")
				inside, closed = strings.CutSuffix(inside, "\n</post>")
				if !opened || !closed {
					t.Errorf("%s: no fence around %q", a.name, m.Text)
				}
				if name, rest, ok := strings.Cut(inside, "\">\n"); !ok || strings.ContainsAny(name, "\n\r<") {
					t.Errorf("%s: the fence begins %q", a.name, name)
				} else {
					inside = rest
				}
			}
			if strings.ContainsAny(inside, "<＜\x00") || template.MatchString(inside) {
				t.Errorf("%s: inside a fence: %q", a.name, inside)
			}
		}
		if all := told(c); strings.Contains(all, "flower pot") {
			t.Errorf("%s: a post that is not shared was told", a.name)
		}
	}
}

// What leaves, even if the model obeys to the letter, is a reply to the asker
// and nobody else, as narrow as the question, in plain text, not longer than
// the server takes, and not the prompt.
func TestInjectionThatTheModelObeysDoesNoHarm(t *testing.T) {
	t.Parallel()
	p := &Persona{Config: Config{Character: character}}
	system := p.systemOf(setting{self: elelem}, 400)
	in := mastodon(500)
	mention := regexp.MustCompile(`(^|[^\p{L}\p{N}_])[@＠]\s*[\p{L}\p{N}_]`)
	for _, a := range attacks() {
		if recites(a.saidBack, system) {
			continue // declined before it is composed
		}
		parts := compose(elelem, ada, a.saidBack, "", in, 3)
		for _, text := range parts {
			body, ok := strings.CutPrefix(text, "@ada ")
			if !ok {
				t.Errorf("%s: it begins %q", a.name, text)
			}
			if strings.ContainsAny(body, "@＠") && mention.MatchString(body) {
				t.Errorf("%s: it mentions somebody: %q", a.name, body)
			}
			if in.Length(text, "") > 500 {
				t.Errorf("%s: %d characters", a.name, in.Length(text, ""))
			}
			if regexp.MustCompile(`(?i)</?(script|a|b|i|p|img|iframe|div|span)[ >/]`).MatchString(body) || unseen.MatchString(body) {
				t.Errorf("%s: markup or hidden signs in %q", a.name, body)
			}
		}
	}
}

// The same on the way of a real mention, to a server and back: the reply's
// audience is decided by the question, whatever was said.
func TestInjectionThroughTheWholeWay(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var say string
		w := newWorld(t, s, options{said: func(r llmsim.Request) llmsim.Answer { return llmsim.Answer{Text: say} }})
		others := []*fedisim.Account{w.sim.AddAccount("everyone"), w.sim.AddAccount("ben"), w.sim.AddAccount("all")}
		for i, a := range attacks() {
			if i%5 != 0 || a.where != "post" {
				continue
			}
			say = a.saidBack
			q := w.ada.Post("@elelem "+a.text, fedisim.As("direct"), fedisim.HTML("<p>@elelem "+htmlEscaped(a.text)+"</p>"), fedisim.Mentioning(w.bot))
			w.poll()
			if _, err := w.persona.Answer(t.Context(), w.account, -1); err != nil {
				t.Errorf("%s: %v", a.name, err)
			}
			for _, r := range w.replies(q) {
				if r.Visibility != "direct" || fmt.Sprint(r.Mentions) != "[ada]" {
					t.Errorf("%s: the reply is %s and mentions %v: %q", a.name, r.Visibility, r.Mentions, r.Text)
				}
			}
		}
		for _, o := range others {
			for _, n := range w.sim.Notifications(o.ID) {
				if n.From == w.bot.ID {
					t.Errorf("%s was notified of %v", o.Acct, n)
				}
			}
		}
	})
}

var escape = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

func htmlEscaped(text string) string { return escape.Replace(text) }
