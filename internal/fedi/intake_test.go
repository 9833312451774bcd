package fedi

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"rookery/internal/sim/fedisim"
)

// TestNoOrderOfArrivalsAndFaultsSkipsOrRepeatsAMention lets mentions come, come
// late, come while pages fail and while the process is replaced, and then
// looks that each was taken in exactly once.
func TestNoOrderOfArrivalsAndFaultsSkipsOrRepeatsAMention(t *testing.T) {
	t.Parallel()
	const list = "/api/v1/notifications"
	faults := []fedisim.Fault{fedisim.Fail(500), fedisim.WebPage(200), fedisim.Torn(), fedisim.Truncated(), fedisim.Reset(), fedisim.Empty(),
		fedisim.TooMany(fedisim.RetrySeconds, time.Second)}
	rapid.Check(t, func(rt *rapid.T) {
		profile := rapid.SampledFrom([]fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.GoToSocial, fedisim.Sharkey}).Draw(rt, "profile")
		k := begin(t, profile, true)
		defer k.sim.Close()
		ada, ben := k.sim.AddAccount("ada"), k.sim.AddRemote("ben@other.example")
		asked, held := 0, time.Duration(0) // held: since the oldest that is not yet visible
		tick := func(d time.Duration) {
			k.clock.Advance(d)
			held += d
		}
		rt.Repeat(map[string]func(*rapid.T){
			"mention": func(rt *rapid.T) {
				for range rapid.IntRange(1, 30).Draw(rt, "mentions") {
					who := rapid.SampledFrom([]*fedisim.Account{ada, ben}).Draw(rt, "who")
					who.Post(fmt.Sprintf("@elelem@%s mention %d.", k.sim.Domain(), asked))
					asked++
					tick(time.Second)
				}
			},
			"mention, visible later": func(*rapid.T) {
				ada.Post(fmt.Sprintf("@elelem mention %d.", asked), fedisim.HoldNotification())
				asked++
				tick(time.Second)
			},
			"noise": func(*rapid.T) { ada.Follow(k.bot) },
			"poll":  func(*rapid.T) { _ = k.f.PollOnce(t.Context()) },
			"faulty poll": func(rt *rapid.T) {
				k.sim.Inject(rapid.SampledFrom(faults).Draw(rt, "fault").On("GET", list).Times(rapid.IntRange(1, 3).Draw(rt, "times")))
				_ = k.f.PollOnce(t.Context())
			},
			"another process": func(*rapid.T) { k.restart(t, true) },
			"time passes": func(rt *rapid.T) {
				// What is not yet visible becomes so within ten minutes.
				d := time.Duration(rapid.IntRange(1, 500).Draw(rt, "seconds")) * time.Second
				if held+d > 9*time.Minute {
					k.sim.ReleaseNotifications()
					held = 0
				}
				tick(d)
			},
		})
		k.sim.ClearFaults()
		k.sim.ReleaseNotifications()
		k.clock.Advance(time.Minute) // whatever was put off is due
		k.poll(t)
		times := map[string]int{}
		for _, m := range k.ears.heard {
			times[m.Post.URI]++
		}
		if len(times) != asked || len(k.ears.heard) != asked {
			rt.Fatalf("%d mentions, %d taken in, %d different", asked, len(k.ears.heard), len(times))
		}
	})
}
