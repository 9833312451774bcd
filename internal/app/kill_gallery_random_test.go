package app_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"rookery/internal/app/apptest"
	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
)

// killGalleryAtRandom kills the program at random moments, while an artist shares
// and deletes and everything goes wrong at its servers.
func killGalleryAtRandom(t *testing.T, k *galleryKills, kills int) {
	t.Helper()
	rng := rand.New(rand.NewPCG(5, 6))
	for range kills {
		k.trouble(rng)
		for range 1 + rng.IntN(2) {
			s := k.next(life{wish: []wish{described, left}[rng.IntN(2)]})
			s.thread = k.Begin(k.Ada, s.title, k.files()...)
		}
		newest := k.all[len(k.all)-1]
		k.Offered(newest.thread, apptest.PostLabel)
		until := k.Fedi.RequestCount() + 1 + rng.IntN(8) // which the newest alone brings about
		for _, s := range k.all {
			k.answer(s, s != newest && rng.IntN(3) == 0)
		}
		k.WaitFor("a moment to kill the program at", func(f *fedisim.Server) bool { return f.RequestCount() >= until })
		k.p.Kill()
		k.Disconnected()
		k.EndHolds()
		k.start("")
	}
	k.Fedi.ClearFaults()
	k.Discord.ClearFaults()
	for _, s := range k.all {
		if !s.deleted {
			k.Wait("the message in each thread", func(d *discordsim.Server) bool { return len(d.ByBot(s.thread)) > 0 })
			k.again(s)
		}
	}
	k.Rest()
	entries := k.Entries()
	for _, s := range k.all {
		s.deleted = false // the press may have been lost
		for _, e := range entries[s.thread] {
			s.deleted = s.deleted || e.Event == ledger.Deleted
		}
		if !s.deleted {
			k.posted(s)
		}
	}
	k.finish(2 * kills)
	t.Logf("%d kills, %d submissions, %d requests", kills, len(k.all), k.Fedi.RequestCount())
}

// answer does what the artist does about what they see in a thread: they share
// it, or have it deleted.
func (k *galleryKills) answer(s *shared, remove bool) {
	k.t.Helper()
	for _, m := range k.Discord.ByBot(s.thread) {
		b := apptest.Buttons(m)
		switch {
		case b[apptest.PostLabel] != "":
			k.again(s)
		case b[apptest.DeleteLabel] != "" && remove && !s.deleted:
			k.delete(s)
		}
	}
}

// trouble has one or two things go wrong at the servers.
func (k *galleryKills) trouble(rng *rand.Rand) {
	const statuses = posting + "/*"
	fedi := []fedisim.Fault{
		fedisim.Fail(500).Stored().On("POST", posting),
		fedisim.Reset().Stored().On("POST", posting),
		fedisim.Late(300*time.Millisecond, true).On("POST", posting),
		fedisim.Truncated().On("POST", posting),
		fedisim.Fail(502).On("POST", posting),
		fedisim.TooMany(fedisim.ResetISO, time.Second).On("POST", posting),
		fedisim.Reset().Stored().On("POST", uploads),
		fedisim.Fail(502).On("POST", uploads),
		fedisim.Truncated().On("POST", uploads),
		fedisim.Reset().On("DELETE", statuses),
		fedisim.Fail(500).Stored().On("DELETE", statuses),
	}
	discord := []discordsim.Fault{
		discordsim.Fail(500).Stored().On("PATCH", oneMessage),
		discordsim.CutOff().Stored().On("PATCH", oneMessage),
		discordsim.FailPage(502).On("PATCH", oneMessage),
		discordsim.CutOff().On("GET", oneMessage),
		discordsim.CutOff().Stored().On("POST", messages),
		discordsim.FailPage(503).On("POST", messages),
		discordsim.CutOff().Stored().On("DELETE", oneMessage),
		discordsim.CutOff().Stored().On("PATCH", answers),
	}
	k.Fedi.Inject(fedi[rng.IntN(len(fedi))])
	k.Discord.Inject(discord[rng.IntN(len(discord))])
}
