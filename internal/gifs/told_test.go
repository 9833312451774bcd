package gifs

import (
	"fmt"
	"testing"
	"time"

	"rookery/internal/sim/boorusim"
	"rookery/internal/store"
)

// When many wait, some are told in each hour: notices and pictures share what
// a server takes of an account.
func TestSomeAreToldInEachHour(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{gifs: func(c *Config) { c.NoticeAfter = 5 * time.Minute }})
		w.board.Inject(boorusim.Fault{Kind: boorusim.BadGateway, Times: boorusim.Always})
		for i := range toldInAnHour + 5 {
			w.sim.AddAccount(fmt.Sprint("member", i)).Post("@rook dancing")
		}
		w.poll()
		told := func() int {
			w.clock.Advance(10 * time.Minute)
			_, _ = w.gifs.Answer(w.Context(), w.account, -1) // the board is in trouble
			w.sweep()
			return len(w.sim.PostsBy(w.bot.ID))
		}
		for range 3 {
			if n := told(); n != toldInAnHour {
				t.Fatalf("%d are told, not %d", n, toldInAnHour)
			}
		}
		w.clock.Advance(time.Hour)
		if n := told(); n != toldInAnHour+5 {
			t.Errorf("%d are told in the end", n)
		}
	})
}
