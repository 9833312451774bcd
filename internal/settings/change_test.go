package settings

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/store"
	"rookery/internal/words"
)

func TestAChangeIsReadShownAndAudited(t *testing.T) {
	each(t, func(w *world) {
		if in(w, w.enabled) || in(w, w.daily) != 20 || in(w, w.zone) != time.UTC || in(w, w.channels) == nil {
			t.Error("a guild without settings has not the defaults")
		}
		changes := w.set(ada, "owl.daily", " 5,000")
		if len(changes) != 1 || changes[0].Field != w.daily.Field || changes[0].Old != "20" || changes[0].New != "5000" || !changes[0].OldAt.IsZero() {
			t.Errorf("first change: %+v", changes)
		}
		if got := in(w, w.daily); got != 5000 {
			t.Errorf("daily is %d after the change", got)
		}
		w.clock.Advance(time.Minute)
		changes = w.set(ben, "owl.daily", "7")
		if len(changes) != 1 || changes[0].Old != "5000" || changes[0].OldBy != ada || !changes[0].OldAt.Equal(w.clock.Now().Add(-time.Minute)) {
			t.Errorf("second change: %+v", changes)
		}
		if again := w.set(ada, "owl.daily", "007"); again != nil {
			t.Errorf("the same value changed %+v", again)
		}
		v, _ := w.show().Value("owl.daily")
		if v.Text != "7" || v.IsDefault || v.ChangedBy != ben || !v.ChangedAt.Equal(w.clock.Now()) {
			t.Errorf("shown: %+v", v)
		}
		if other, _ := w.show().Value("owl.enabled"); other.Text != "false" || !other.IsDefault || !other.ChangedAt.IsZero() {
			t.Errorf("never changed: %+v", other)
		}

		changes, err := w.Reset(t.Context(), guild, ada, "owl.daily", "owl.enabled")
		if err != nil || len(changes) != 1 || changes[0].New != "20" {
			t.Errorf("reset: %+v, %v", changes, err)
		}
		if v, _ = w.show().Value("owl.daily"); !v.IsDefault || v.ChangedBy != ada || in(w, w.daily) != 20 {
			t.Errorf("after the reset: %+v", v)
		}
		lines := w.history()
		if len(lines) != 3 || lines[0].Old != "7" || lines[0].New != "20" || lines[1].By != ben || lines[2].Field != "owl.daily" || lines[2].By != ada ||
			lines[0].Revision <= lines[1].Revision || lines[1].Revision <= lines[2].Revision {
			t.Errorf("history: %+v", lines)
		}
		if n, err := w.History(t.Context(), guild, 2); err != nil || len(n) != 2 {
			t.Errorf("the two latest: %v, %v", n, err)
		}
		if other, err := w.History(t.Context(), "200", 10); err != nil || len(other) != 0 {
			t.Errorf("another guild's history: %v, %v", other, err)
		}
	})
}

func TestEveryKindIsReadAsItWasSet(t *testing.T) {
	each(t, func(w *world) {
		for field, raw := range map[string]string{"owl.enabled": "да", "owl.pause": "1h30m", "owl.about": "Ж\n\"x\" \\ '", "owl.mood": "off", "owl.channel": "<#12>",
			"owl.channels": "<#12> <#13>", "general.role": "<@&14>", "general.roles": "15, 16", "general.zone": "europe/berlin", "general.language": "русский"} {
			w.set(ada, field, raw)
		}
		for name, ok := range map[string]bool{
			"bool":     in(w, w.enabled),
			"duration": in(w, w.pause) == 90*time.Minute,
			"text":     in(w, w.about) == "Ж\n\"x\" \\ '",
			"choice":   in(w, w.mood) == mood("off"),
			"channel":  in(w, w.channel) == "12",
			"channels": slices.Equal(in(w, w.channels), []community.ChannelID{"12", "13"}),
			"role":     in(w, w.role) == "14",
			"roles":    slices.Equal(in(w, w.roles), []community.RoleID{"15", "16"}),
			"zone":     in(w, w.zone).String() == "Europe/Berlin",
			"language": in(w, w.language) == words.Russian,
		} {
			if !ok {
				t.Errorf("%s is read as something else", name)
			}
		}
		in(w, w.channels)[0] = "66"
		if got := in(w, w.channels)[0]; got != "12" {
			t.Errorf("a reader changed the list for all: %s", got)
		}
	})
}

func TestAFormIsAllOrNothing(t *testing.T) {
	each(t, func(w *world) {
		check := &platform{}
		form := Form{Guild: guild, By: ada, Check: check, Values: []Raw{{Field: "owl.daily", Text: "30"}, {Field: "owl.pause", Text: "20"},
			{Field: "owl.channel", Text: "<#81>"}, {Field: "owl.channels", Text: "1 <#91>"}, {Field: "general.role", Text: "9"}, {Field: "owl.dayly", Text: "1"}, {Field: "nonsense", Text: ""}}}
		_, err := w.Set(t.Context(), form)
		var keys []words.Key
		for _, p := range refused(t, err) {
			keys = append(keys, p.Key)
		}
		if want := []words.Key{words.SettingsNoUnit, words.SettingsChannelPermission, words.SettingsChannelGone, words.SettingsRoleGone, words.SettingsUnknownNear, words.SettingsUnknown}; !slices.Equal(keys, want) {
			t.Errorf("problems %q, want %q", keys, want)
		}
		if s := err.Error(); !strings.Contains(s, "owl.channel: I lack permissions in <#81>: Send Messages") || !strings.Contains(s, "Did you mean owl.daily?") {
			t.Errorf("error %q", s)
		}
		if len(w.history()) != 0 || in(w, w.daily) != 20 {
			t.Error("something of a refused form was changed")
		}

		form.Values = []Raw{{Field: "owl.daily", Text: "30"}, {Field: "owl.channel", Text: "71"}}
		_, err = w.Set(t.Context(), form)
		if p := refused(t, err); len(p) != 1 || p[0].Key != words.SettingsChannelKind || !strings.Contains(p[0].Say(words.English), "text channel, thread") {
			t.Errorf("wrong kind: %v", err)
		}
		check.down = errors.New("no connection")
		if _, err = w.Set(t.Context(), form); !errors.Is(err, check.down) || len(w.history()) != 0 {
			t.Errorf("a check that cannot be made: %v", err)
		}
		check.down = nil
		form.Values[1].Text = "1"
		changes, err := w.Set(t.Context(), form)
		if err != nil || len(changes) != 2 || changes[0].New != "30" || changes[1].New != "1" {
			t.Errorf("a good form: %+v, %v", changes, err)
		}
		if lines := w.history(); len(lines) != 2 || lines[0].Revision != lines[1].Revision {
			t.Errorf("history: %+v", lines)
		}
		if _, err := w.Set(t.Context(), Form{Guild: guild, Values: []Raw{{Field: "owl.daily", Text: "1"}, {Field: "owl.daily", Text: "2"}}}); err == nil {
			t.Error("a form with a field twice passed")
		}
		if _, err := w.Set(t.Context(), Form{Guild: "", Values: []Raw{{Field: "owl.daily", Text: "1"}}}); err == nil {
			t.Error("a form without a guild passed")
		}
	})
}

func TestWhoIsSlowerIsTold(t *testing.T) {
	for name, order := range map[string][2]By{"Ada first": {ada, ben}, "Ben first": {ben, ada}} {
		t.Run(name, func(t *testing.T) {
			each(t, func(w *world) {
				first, second := order[0], order[1]
				w.set(first, "owl.daily", "10")
				shown := w.show().Revision // both look
				w.clock.Advance(time.Second)
				try := func(by By, text string) ([]Change, error) {
					return w.Set(w.Context(), Form{Guild: guild, By: by, Values: []Raw{{Field: "owl.daily", Text: text}}, Shown: &shown})
				}
				if _, err := try(first, "11"); err != nil {
					t.Fatal(err)
				}
				at := w.clock.Now()
				w.clock.Advance(time.Second)
				_, err := try(second, "12")
				c, ok := errors.AsType[*ConflictError](err)
				if !ok || len(c.Conflicts) != 1 {
					t.Fatalf("the slower one: %v", err)
				}
				if got := c.Conflicts[0]; got.Field != w.daily.Field || got.Value != "11" || got.By != first || !got.At.Equal(at) {
					t.Errorf("conflict: %+v", got)
				}
				if s := c.Conflicts[0].Say(words.English); !strings.Contains(s, first.Name+" changed owl.daily to 11") {
					t.Errorf("told: %q", s)
				}
				if in(w, w.daily) != 11 || len(w.history()) != 2 {
					t.Error("the slower one changed something")
				}
				// To the same value there is nothing to argue about.
				if changes, err := try(second, "11"); err != nil || changes != nil {
					t.Errorf("the same value: %v, %v", changes, err)
				}
				// Another field was not changed.
				if _, err := w.Set(w.Context(), Form{Guild: guild, By: second, Values: []Raw{{Field: "owl.enabled", Text: "on"}}, Shown: &shown}); err != nil {
					t.Errorf("another field: %v", err)
				}
				// In a form of several, what came back as it was shown is not meant.
				changes, err := w.Set(w.Context(), Form{Guild: guild, By: second, Shown: &shown,
					Values: []Raw{{Field: "owl.daily", Text: "10"}, {Field: "owl.about", Text: "A fox."}}})
				if err != nil || len(changes) != 1 || changes[0].New != "A fox." || in(w, w.daily) != 11 {
					t.Errorf("an untouched field: %+v, %v", changes, err)
				}
				// Without a revision the last one wins, and sees what was there.
				if changes := w.set(second, "owl.daily", "13"); len(changes) != 1 || changes[0].Old != "11" || changes[0].OldBy != first {
					t.Errorf("the last one: %+v", changes)
				}
			})
		})
	}
}

// Many at once, in two processes: each change builds on the one before, and
// of those who saw the same only one succeeds.
func TestTwoManagersAtOnce(t *testing.T) {
	each(t, func(w *world) {
		other := process(t, w.s, w.clock)
		shown := w.show().Revision
		var wg sync.WaitGroup
		results := make(chan error, 16)
		for i := range cap(results) {
			wg.Go(func() {
				p, by := w, ada
				if i%2 == 1 {
					p, by = other, ben
				}
				_, err := p.Set(context.WithoutCancel(t.Context()), Form{Guild: guild, By: by, Shown: &shown,
					Values: []Raw{{Field: "owl.daily", Text: []string{"30", "31", "32", "33"}[i%4]}}})
				results <- err
			})
		}
		wg.Wait()
		close(results)
		conflicts := 0
		for err := range results {
			if _, ok := errors.AsType[*ConflictError](err); ok {
				conflicts++
			} else if err != nil {
				t.Error(err)
			}
		}
		// Three of four want another value than the first one's.
		if lines := w.history(); len(lines) != 1 || conflicts != 12 {
			t.Errorf("%d conflicts, history %+v", conflicts, lines)
		}

		for i := range 20 {
			wg.Go(func() {
				p := w
				if i%2 == 1 {
					p = other
				}
				if _, err := p.Set(context.WithoutCancel(t.Context()), Form{Guild: guild, By: ben, Values: []Raw{{Field: "owl.pause", Text: strconv.Itoa(100+i) + "s"}}}); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		lines := w.history()
		if len(lines) != 21 {
			t.Fatalf("%d lines in the history, want 21", len(lines))
		}
		for i, l := range lines[:19] {
			if l.Old != lines[i+1].New {
				t.Errorf("a change from %s came after one to %s", l.Old, lines[i+1].New)
			}
		}
	})
}

func TestACrashInBetweenLeavesNothing(t *testing.T) {
	each(t, func(w *world) {
		crash := errors.New("crash")
		p, err := w.Prepare(t.Context(), Form{Guild: guild, By: ada, Values: []Raw{{Field: "owl.daily", Text: "30"}, {Field: "owl.enabled", Text: "on"}}})
		if err != nil {
			t.Fatal(err)
		}
		in(w, w.daily)
		err = w.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
			if changes, err := p.Apply(ctx, tx); err != nil || len(changes) != 2 {
				t.Errorf("apply: %v, %v", changes, err)
			}
			if n, err := w.daily.InTx(ctx, tx, guild); err != nil || n != 30 {
				t.Errorf("the transaction sees %d, %v", n, err)
			}
			return crash
		})
		if !errors.Is(err, crash) || len(w.history()) != 0 || in(w, w.daily) != 20 || w.count("settings_value") != 0 {
			t.Errorf("after the crash: %v, %v", err, w.history())
		}
		// The same again, and also twice.
		for range 2 {
			if err := w.s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error { _, err := p.Apply(ctx, tx); return err }); err != nil {
				t.Fatal(err)
			}
		}
		if len(w.history()) != 2 || in(w, w.daily) != 30 || !in(w, w.enabled) {
			t.Errorf("after the repetition: %v", w.history())
		}
	})
}

func TestHooksSeeChangesInTheirTransaction(t *testing.T) {
	each(t, func(w *world) {
		var seen []Change
		var fail error
		w.OnChange(func(ctx context.Context, tx store.Tx, g community.GuildID, changes []Change) error {
			seen = changes
			if on, err := w.enabled.InTx(ctx, tx, g); err != nil || !on || g != guild {
				t.Errorf("the hook sees %v in %s, %v", on, g, err)
			}
			return fail
		})
		fail = errors.New("no")
		if _, err := w.Set(t.Context(), Form{Guild: guild, Values: []Raw{{Field: "owl.enabled", Text: "on"}}}); !errors.Is(err, fail) || in(w, w.enabled) {
			t.Errorf("a hook that fails: %v", err)
		}
		fail = nil
		changes := w.set(ada, "owl.enabled", "on")
		if !reflect.DeepEqual(seen, changes) || len(seen) != 1 {
			t.Errorf("the hook saw %+v of %+v", seen, changes)
		}
		seen = nil
		if w.set(ada, "owl.enabled", "yes"); seen != nil {
			t.Error("the hook was called without a change")
		}
	})
}

func TestPurgeForgetAndPrune(t *testing.T) {
	each(t, func(w *world) {
		in2 := func() bool {
			on, err := w.enabled.In(t.Context(), "200")
			if err != nil {
				t.Fatal(err)
			}
			return on
		}
		if _, err := w.Set(t.Context(), Form{Guild: "200", By: ada, Values: []Raw{{Field: "owl.enabled", Text: "on"}}}); err != nil {
			t.Fatal(err)
		}
		w.set(ada, "owl.enabled", "on")
		w.set(ben, "owl.daily", "3")
		before := w.show().Revision
		if !in(w, w.enabled) || !in2() {
			t.Fatal("not set")
		}
		tx := func(fn func(ctx context.Context, tx store.Tx) error) {
			t.Helper()
			if err := w.s.Write(t.Context(), fn); err != nil {
				t.Fatal(err)
			}
		}
		tx(func(ctx context.Context, tx store.Tx) error { return w.Forget(ctx, tx, ada.Member) })
		nobody := By{Via: "command"}
		if v, _ := w.show().Value("owl.enabled"); v.Text != "true" || v.ChangedBy != nobody {
			t.Errorf("after forgetting: %+v", v)
		}
		if lines := w.history(); len(lines) != 2 || lines[0].By != ben || lines[1].By != nobody {
			t.Errorf("history after forgetting: %+v", lines)
		}
		tx(func(ctx context.Context, tx store.Tx) error { return w.Forget(ctx, tx, "") })

		tx(func(ctx context.Context, tx store.Tx) error { return w.Purge(ctx, tx, guild) })
		if in(w, w.enabled) || len(w.history()) != 0 || w.show().Revision != 0 || !in2() {
			t.Error("purged: not all went, or too much")
		}
		w.clock.Advance(time.Millisecond)
		w.set(ben, "owl.daily", "3")
		if after := w.show().Revision; after <= before {
			t.Errorf("the revision after the purge is %d, before it was %d", after, before)
		}

		w.clock.Advance(13 * 31 * 24 * time.Hour)
		w.set(ada, "owl.about", "new")
		if err := w.Prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		if lines := w.history(); len(lines) != 1 || lines[0].Field != "owl.about" {
			t.Errorf("history after 13 months: %+v", lines)
		}
		if v, _ := w.show().Value("owl.daily"); v.Text != "3" || v.ChangedBy != (By{Via: "form"}) {
			t.Errorf("an old value: %+v", v)
		}
	})
}
