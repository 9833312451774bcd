package gifs

import (
	"testing"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// A request is answered with one picture: alt text, credit, source, for the
// asker alone.
func TestAnswersWithAPicture(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{}, picture([]string{"dancing", "rainbow_dash", "high res"}, by("someone"), sized(320, 200)),
			picture([]string{"sleeping"}), picture([]string{"dancing"}, rated(boorusim.Explicit)))
		ask := w.ask("dancing", fedisim.Mentioning(w.sim.AddAccount("ben")))
		if n := w.round(); n != 1 {
			t.Fatalf("%d answered", n)
		}
		r := w.reply(ask)
		contains(t, r.Text, "@ada ", "By someone.", "Source: "+w.board.URL()+"/images/1")
		if r.Visibility != "unlisted" || r.CW != "" || r.Sensitive {
			t.Errorf("visibility %q, warning %q, sensitive %v", r.Visibility, r.CW, r.Sensitive)
		}
		m := w.medium(r)
		if m.Type != "image/gif" || m.Width != 320 || m.Description != "Animated GIF: dancing, rainbow dash" {
			t.Errorf("%+v", m)
		}
		if state, _ := w.state(); state != "done" {
			t.Error(state)
		}
		if n := w.round(); n != 0 {
			t.Errorf("%d more answered", n)
		}
	})
}
