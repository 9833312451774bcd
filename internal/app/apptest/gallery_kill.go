package apptest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"rookery/internal/clock"
	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
)

// Disconnected waits until no session stands on the gateway: the program has
// ended, and Discord knows.
func (g *Gallery) Disconnected() {
	g.T.Helper()
	g.Wait("the end of the session", func(s *discordsim.Server) bool {
		return !slices.ContainsFunc(s.Sessions(), func(one discordsim.Session) bool { return one.Connected })
	})
}

// Logins counts how often the program has logged in on the Fediverse.
func (g *Gallery) Logins() int { return strings.Count(g.Log.String(), `msg="logged in"`) }

// LoggedIn waits until it has done so more often.
func (g *Gallery) LoggedIn(before int) {
	g.T.Helper()
	g.until("the account to be logged in", func() bool { return g.Logins() > before })
}

// until waits for what nobody tells of.
func (g *Gallery) until(what string, cond func() bool) {
	g.T.Helper()
	give := time.After(Patience)
	for !cond() {
		select {
		case <-give:
			g.T.Fatalf("waited in vain for %s\nthe database holds:\n%s", what, g.waiting())
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// EndHolds ends the holds that a dead process has, as the time does that each
// lasts: on an account, some 15 minutes, and on the jobs that it had begun, up
// to their time-out and a minute. Another process on PostgreSQL cannot know that
// the first is dead. No process may be alive. On SQLite it does nothing, for
// there the next process knows.
func (g *Gallery) EndHolds() {
	g.T.Helper()
	if g.Store.PostgresURL == "" {
		return
	}
	g.exec(`update gallery_worker set held_until = 1 where held_until > 1`)
	g.exec(`update river_job set state = 'available', scheduled_at = now() where state = 'running'`)
}

// Entries are what the consent ledger has, by the threads in which the bot has
// offered to share something.
func (g *Gallery) Entries() map[string][]ledger.Entry {
	g.T.Helper()
	s := g.open()
	defer s.Close()
	ctx := context.Background()
	l := ledger.New(s, clock.System{})
	if err := l.Verify(ctx); err != nil {
		g.T.Errorf("the ledger is not whole: %v", err)
	}
	rows, err := s.Query(ctx, `select id, channel from gallery_submission`)
	type one struct{ id, channel string }
	list, err := store.Collect(rows, err, func(r store.Row) (o one, err error) { return o, r.Scan(&o.id, &o.channel) })
	if err != nil {
		g.T.Fatal(err)
	}
	all := map[string][]ledger.Entry{}
	for _, o := range list {
		entries, err := l.Submission(ctx, o.id)
		if err != nil {
			g.T.Fatal(err)
		}
		all[o.channel] = append(all[o.channel], entries...)
	}
	return all
}

// Kept tells what the program still keeps, or waits for, when all submissions
// have come to rest: each line is something that should not be there.
func (g *Gallery) Kept() (all []string) {
	g.T.Helper()
	s := g.open()
	defer s.Close()
	for what, sql := range map[string]string{
		"uploads":                            `select count(*) from fedi_media`,
		"effects under way":                  `select count(*) from outbox_effect where state in ('planned', 'sent')`,
		"effects that were refused":          `select count(*) from outbox_effect where state = 'refused'`,
		"submissions that are not at rest":   `select count(*) from gallery_submission where state not in ('posted', 'deleted')`,
		"posts whose address is not known":   `select count(*) from gallery_submission where state = 'posted' and (post_url = '' or next_at > 0)`,
		"pictures of posts that are no more": `select count(*) from gallery_medium m join gallery_submission s on s.id = m.submission where s.state = 'deleted'`,
		"members who wait to be told":        `select count(*) from gallery_submission where body like '%"asked"%'`,
	} {
		var n int
		if err := s.QueryRow(context.Background(), sql).Scan(&n); err != nil {
			g.T.Fatal(err)
		}
		if n > 0 {
			all = append(all, fmt.Sprintf("%d %s", n, what))
		}
	}
	slices.Sort(all)
	return all
}

// WaitForModel waits until cond holds at the model.
func (w *World) WaitForModel(what string, cond func(*llmsim.Server) bool) {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	if err := w.Model.WaitFor(ctx, func() bool { return cond(w.Model) }); err != nil {
		w.T.Fatalf("waited in vain for %s: %v\nthe database holds:\n%s", what, err, w.waiting())
	}
}

// Rest waits until the program, which is running, has nothing left to do.
func (g *Gallery) Rest() {
	g.T.Helper()
	g.until("the program to come to rest", func() bool { return len(g.Kept()) == 0 })
}
