package gallery

import (
	"context"
	"strings"
	"testing"
	"time"

	"rookery/internal/inbox"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/words"
)

// kept is what "my data" says of a member.
func (w *world) kept(m inbox.Member, l words.Language) string {
	w.Helper()
	var lines []string
	w.must(w.store.Write(w.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		lines, err = w.g.Kept(ctx, tx, m, l)
		return err
	}))
	return strings.Join(lines, "\n")
}

func TestMyDataTellsOfTheGallery(t *testing.T) {
	each(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		if got := w.kept(member(w.ada), words.English); got != "" {
			t.Errorf("before she has done anything it says %q", got)
		}
		w.said(w.ada, w.text, "artist profile", discordsim.Args{"name": "Adelheid", "links": "https://art.example/ada"})
		w.begin(w.ada, "an owl", picture(1))
		_, no := w.begin(w.ada, "no", picture(2))
		w.press(w.ada, no, verbNever)
		w.sweep()
		w.said(w.mod, w.text, "gallery block", discordsim.Args{"member": w.ada})
		got := w.kept(member(w.ada), words.English)
		contains(t, got, "– 1 thing that I asked you to share", "– 1 thing that was not posted", "30 days", "Adelheid, https://art.example/ada", "consent ledger", w.subject(w.ada),
			"– 1 server on Discord where you do not want to be asked", "– 1 server on Discord whose moderators do not let you share")
		if strings.Contains(got, "letter") || strings.Contains(got, "as a moderator") {
			t.Errorf("it says too much: %q", got)
		}
		contains(t, w.kept(member(w.ada), words.Russian), "– 1 работа, о которой вас спросили", "Ваша подпись: Adelheid")
		contains(t, w.kept(member(w.mod), words.English), "– 1 member whom you have kept from sharing")
		w.forget(member(w.ada))
		if got := w.kept(member(w.ada), words.English); strings.Count(got, "\n") != 0 || !strings.Contains(got, "do not let you share") {
			t.Errorf("forgotten, it says %q", got)
		}
	})
}

func TestMyDataTellsOfLetters(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := withCommands(t, s)
		zoe := w.fedi.AddAccount("zoe")
		for range 2 {
			w.clock.Advance(time.Second)
			zoe.Post("@gallery hello", fedisim.As("direct"))
		}
		w.must(w.platF.PollOnce(t.Context()))
		contains(t, w.kept(inbox.Member{Handle: "zoe@mastodon.example"}, words.English), "– 2 letters of yours", "20 November 2026", "396 days")
		if got := w.kept(inbox.Member{Handle: "max@mastodon.example"}, words.English); got != "" {
			t.Errorf("of another it says %q", got)
		}
	})
}
