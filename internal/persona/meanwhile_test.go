package persona

import (
	"context"
	"sync/atomic"
	"testing"

	"rookery/internal/inbox"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// ⚠ No answer slips out after "stop", or after the guild has turned answering
// off, however long the model thinks; what it has used is counted all the same.
func TestDiscordStopWhileTheModelThinks(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var stopped atomic.Bool
		w := newTalk(t, s, options{
			said: func(llmsim.Request) llmsim.Answer { stopped.Store(true); return llmsim.Answer{Text: "Here I am."} },
			persona: func(c *Config) {
				c.Stopped = func(_ context.Context, _ inbox.Rows, handles ...string) (map[string]bool, error) {
					who := map[string]bool{}
					for _, h := range handles {
						who[h] = stopped.Load()
					}
					return who, nil
				}
			},
		})
		q := w.ask(dora, "hello?")
		w.answer()
		if got := w.replies(q); len(got) != 0 {
			t.Errorf("after stop: %q", got)
		}
		if got := w.state(q); got != "ignored: its author has told us to stop" {
			t.Error(got)
		}
	})
}

func TestDiscordTurnedOffWhileTheModelThinks(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		var w *talkIn
		w = newTalk(t, s, options{said: func(llmsim.Request) llmsim.Answer {
			w.set("enabled", "off")
			return llmsim.Answer{Text: "Here I am."}
		}})
		q := w.ask(dora, "hello?")
		w.answer()
		if got := w.replies(q); len(got) != 0 {
			t.Errorf("after it was turned off: %q", got)
		}
	})
}
