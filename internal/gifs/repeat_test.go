package gifs

import (
	"testing"

	"rookery/internal/sim/boorusim"
	"rookery/internal/store"
)

// A picture that was chosen for a request which has to wait is not shown twice
// when another request gets it meanwhile, in this process or the next.
func TestChosenPictureShownMeanwhile(t *testing.T) {
	for name, between := range map[string]func(w *world){
		"the same process": func(*world) {},
		"another process":  func(w *world) { w.restart() },
	} {
		t.Run(name, func(t *testing.T) {
			alone(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s, options{}, picture([]string{"dancing"}))
				w.board.Inject(boorusim.Fault{Kind: boorusim.Unavailable, Files: true})
				first := w.ask("dancing")
				w.round()
				if n := w.count(`select count(*) from gifs_choice where picture <> ''`); n != 1 {
					t.Fatalf("%d pictures are chosen", n)
				}
				second := w.ask("dancing")
				between(w)
				w.rounds(4)
				shown := len(w.reply(first).Media) + len(w.reply(second).Media)
				if shown != 1 {
					t.Errorf("the picture is shown %d times", shown)
				}
			})
		})
	}
}
