package turns

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whoever asks many things gets no more turns than who asks one, until
// everybody has had one; and nobody comes later than their place says.
func TestTurnsAreFairAndNobodyComesLaterThanTheirPlace(t *testing.T) {
	each(t, func(w *world) {
		for seed := range uint64(4) {
			chance := rand.New(rand.NewPCG(seed, 1))
			left, total, waits := map[string]int{}, 0, []string{}
			for n := range 2 + chance.IntN(5) {
				for range 1 + chance.IntN(6) {
					waits = append(waits, fmt.Sprintf("m%d@art.example", n))
				}
			}
			chance.Shuffle(len(waits), func(i, j int) { waits[i], waits[j] = waits[j], waits[i] })
			for _, who := range waits {
				w.ask(who, "one?")
				left[who]++
				total++
			}
			places, last := map[string]int{}, map[string]int{}
			for who := range left {
				n, place, err := w.one.WaitingOf(t.Context(), w.s, ours, who)
				if n != left[who] || place < n || place > total || err != nil {
					t.Errorf("%d of %s wait, the last at place %d of %d: %v", n, who, place, total, err)
				}
				places[who] = place
			}
			turns, oldest := map[string]int{}, map[string]time.Time{}
			for at := 1; at <= total; at++ {
				v := w.pick(w.one)
				who := v.Mention.Post.Author.Handle
				turns[who]++
				last[who] = at
				if v.Mention.Notified.Before(oldest[who]) {
					t.Errorf("%s: an older one came later", who)
				}
				oldest[who] = v.Mention.Notified
				for other, n := range left {
					if turns[other] < min(n, turns[who]-1) {
						t.Errorf("%s has turn %d, %s had %d of %d", who, turns[who], other, turns[other], n)
					}
				}
				if !w.held(w.one, v) {
					t.Error("it was not held")
				}
			}
			w.picksNothing(w.one, "after all")
			for who, at := range last {
				if at > places[who] {
					t.Errorf("%s had the last turn at %d, after the place %d", who, at, places[who])
				}
			}
		}
	})
}

// Whose turn it is first is decided by lot, not by who came first.
func TestFirstTurnIsDrawn(t *testing.T) {
	each(t, func(w *world) {
		w.ask("ada@art.example", "one, first")
		w.ask("zoe@art.example", "one, last")
		w.one.Shuffle = func(n int, swap func(i, j int)) {
			for i := range n / 2 {
				swap(i, n-1-i)
			}
		}
		if v := w.pick(w.one); v.Mention.Post.Text != "one, last" {
			t.Errorf("%q came first: the draw decided nothing", v.Mention.Post.Text)
		}
	})
}

// Two processes draw for themselves, and share what waits.
func TestTwoProcessesShareWhatWaits(t *testing.T) {
	each(t, func(w *world) {
		other := w.feature("one")
		for n := range 12 {
			w.ask(fmt.Sprintf("m%d@art.example", n%4), "one?")
		}
		var got []string
		for n := range 12 {
			v := w.pick([]feature{w.one, other}[n%2])
			got = append(got, string(v.ID))
		}
		slices.Sort(got)
		if n := len(slices.Compact(got)); n != 12 {
			t.Errorf("%d of 12 were picked", n)
		}
		w.picksNothing(w.one, "after all")
		w.picksNothing(other, "after all")
	})
}

func TestBackOffGrowsWithJitterToTenMinutes(t *testing.T) {
	t.Parallel()
	for _, failures := range []int{-5, -1, 0, 1, 2, 5, 8, 9, 12, 13, 63, 64, 1 << 40} {
		most := 10 * time.Minute
		if failures <= 8 {
			most = 2 * time.Second << max(failures, 0)
		}
		for range 200 {
			if d := Backoff(failures); d < most/2 || d > most {
				t.Fatalf("after %d failures: %v, not from %v to %v", failures, d, most/2, most)
			}
		}
	}
}
