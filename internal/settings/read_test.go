package settings

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/clock"
	"rookery/internal/community"
	"rookery/internal/store"
)

func TestASecondProcessSeesChangesAfterAMoment(t *testing.T) {
	each(t, func(w *world) {
		other := process(t, w.s, w.clock)
		if in(other, other.daily) != 20 {
			t.Fatal("not the default")
		}
		w.set(ada, "owl.daily", "30")
		if got := in(w, w.daily); got != 30 {
			t.Errorf("who changed it reads %d", got)
		}
		if got := in(other, other.daily); got != 20 {
			t.Errorf("the other reads %d at once: is it from memory?", got)
		}
		w.clock.Advance(Recheck - time.Millisecond)
		if got := in(other, other.daily); got != 20 {
			t.Errorf("the other asked before its time: %d", got)
		}
		w.clock.Advance(time.Millisecond)
		if got := in(other, other.daily); got != 30 {
			t.Errorf("the other reads %d in the end", got)
		}
		// Also that it was purged, and set anew.
		if err := w.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { return w.Purge(ctx, tx, guild) }); err != nil {
			t.Fatal(err)
		}
		w.clock.Advance(Recheck)
		if got := in(other, other.daily); got != 20 {
			t.Errorf("after the purge the other reads %d", got)
		}
		w.set(ada, "owl.daily", "31")
		w.clock.Advance(-time.Hour) // a clock that was put right
		if got := in(other, other.daily); got != 31 {
			t.Errorf("with another clock the other reads %d", got)
		}
	})
}

func TestReadingIsFromMemory(t *testing.T) {
	each(t, func(w *world) {
		in(w, w.daily)
		w.exec(`insert into settings_guild (guild, revision) values ('100', 0)`)
		w.exec(`insert into settings_value (guild, field, value, revision, at, member, name, via) values ('100', 'owl.daily', '30', 0, 0, '', '', '')`)
		for range 3 {
			w.clock.Advance(Recheck)
			if got := in(w, w.daily); got != 20 {
				t.Fatalf("without a new revision the values were read again: %d", got)
			}
		}
		w.exec(`update settings_guild set revision = 1`)
		w.clock.Advance(Recheck)
		if got := in(w, w.daily); got != 30 {
			t.Errorf("with a new revision: %d", got)
		}
	})
}

func TestABrokenValueGivesTheDefaultAndOneWarning(t *testing.T) {
	each(t, func(w *world) {
		w.set(ada, "owl.daily", "30")
		w.set(ada, "owl.about", "kept")
		w.exec(`update settings_value set value = '6000' where field = 'owl.daily'`)
		w.exec(`insert into settings_value (guild, field, value, revision, at, member, name, via) values ('100', 'gone.field', 'x', 1, 0, '', '', '')`)
		for i := range 3 {
			w.exec(`update settings_guild set revision = revision + 1`)
			w.clock.Advance(Recheck)
			if got := in(w, w.daily); got != 20 || in(w, w.about) != "kept" {
				t.Fatalf("reading %d: %d", i, got)
			}
		}
		if n := strings.Count(w.log.String(), "no use"); n != 1 || !strings.Contains(w.log.String(), "owl.daily") {
			t.Errorf("%d warnings: %s", n, w.log)
		}
		v, _ := w.show().Value("owl.daily")
		if v.Text != "20" || v.Broken != "6000" || !v.IsDefault {
			t.Errorf("shown: %+v", v)
		}
		// The default is a change, which mends it.
		if changes := w.set(ben, "owl.daily", "20"); len(changes) != 1 || changes[0].Old != "6000" || changes[0].New != "20" {
			t.Errorf("mended: %+v", changes)
		}
		if v, _ := w.show().Value("owl.daily"); v.Broken != "" {
			t.Errorf("shown after: %+v", v)
		}
	})
}

func TestADatabaseInTroubleIsToldOnlyWhenItMatters(t *testing.T) {
	each(t, func(w *world) {
		w.set(ada, "owl.daily", "30")
		if in(w, w.daily) != 30 {
			t.Fatal("not set")
		}
		w.exec(`drop table settings_guild`)
		w.clock.Advance(Recheck)
		if got := in(w, w.daily); got != 30 {
			t.Errorf("a moment later: %d", got)
		}
		w.clock.Advance(stale)
		if got, err := w.daily.In(t.Context(), guild); err == nil || got != 20 {
			t.Errorf("a long time later: %d, %v", got, err)
		}
		if got, err := w.daily.In(t.Context(), "200"); err == nil || got != 20 {
			t.Errorf("a guild never read: %d, %v", got, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		why := errors.New("over")
		cancel(why)
		if _, err := w.daily.In(ctx, "300"); err == nil {
			t.Error("an ended context was no error")
		}
	})
}

// Readers all the time, while one changes: whoever reads after a change sees it.
func TestReadersNeverMissAChangeOfTheirProcess(t *testing.T) {
	each(t, func(w *world) {
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				last := 20
				for {
					select {
					case <-stop:
						return
					default:
					}
					n, err := w.daily.In(context.WithoutCancel(t.Context()), guild)
					if err != nil || n < last {
						t.Errorf("read %d after %d, %v", n, last, err)
						return
					}
					last = n
				}
			})
		}
		for n := 21; n < 60; n++ {
			if _, err := w.Set(t.Context(), Form{Guild: guild, By: ada, Values: []Raw{{Field: "owl.daily", Text: strconv.Itoa(n)}}}); err != nil {
				t.Error(err)
			}
			if got := in(w, w.daily); got != n {
				t.Errorf("after the change to %d: %d", n, got)
			}
		}
		close(stop)
		wg.Wait()
	})
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	b := New(Config{Clock: clock.NewManual(time.Unix(0, 0))})
	for i := range mostGuilds + 10 {
		b.remembered(community.GuildID(strconv.Itoa(i)))
	}
	if n := len(b.guilds); n != mostGuilds {
		t.Errorf("%d guilds are remembered, want %d", n, mostGuilds)
	}
}
