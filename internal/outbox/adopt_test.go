package outbox

import (
	"context"
	"errors"
	"slices"
	"testing"

	"rookery/internal/store"
)

func (h *house) adopt(o *Outbox, e Effect, made ...string) error {
	e.Feature, e.Account = "test", "acc"
	return h.s.Write(h.t.Context(), func(ctx context.Context, tx store.Tx) error { return o.Adopt(ctx, tx, e, made...) })
}

// made is what an effect has made, as it is stored.
func (h *house) made(key string) (ids []string) {
	h.t.Helper()
	err := h.s.Write(h.t.Context(), func(ctx context.Context, tx store.Tx) (err error) {
		ids, err = Made(ctx, tx, key)
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return ids
}

func TestWhatAnotherProgramMadeIsAdoptedAndDeleted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		h.w.posts = []post{{id: "old1", want: "old"}, {id: "old2", want: "old", part: 1}, {id: "other", want: "other"}}
		e := create("old")
		e.Lane = "lane"
		if err := h.adopt(o, e, "old1", "old2"); err != nil {
			t.Fatal(err)
		}
		if err := h.adopt(o, e, "other"); err != nil { // the key is known
			t.Fatal(err)
		}
		if got := h.made("old"); !slices.Equal(got, []string{"old1", "old2"}) {
			t.Errorf("made %q", got)
		}
		if key, ok, err := o.KeyOf(t.Context(), "acc", "old2"); key != "old" || !ok || err != nil {
			t.Errorf("it is of %q, %v, %v", key, ok, err)
		}
		if c := h.plan(o, e); c != nil {
			t.Error("what is adopted was planned once more")
		}
		h.sweep(o)
		if len(h.ended) != 0 || len(h.w.posts) != 3 {
			t.Errorf("adopting had an effect: %+v, %+v", h.ended, h.w.posts)
		}
		if err := o.Deliver(t.Context(), h.plan(o, Effect{Key: "d", Kind: "test.delete", Lane: "lane"})); err != nil {
			t.Fatal(err)
		}
		if len(h.w.posts) != 1 || h.w.posts[0].id != "other" || h.ended["d"].State != Confirmed {
			t.Errorf("%+v, %+v", h.w.posts, h.ended["d"])
		}
	})
}

func TestWhatAnEffectHasIsNotAdopted(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		if err := o.Deliver(t.Context(), h.plan(o, create("a"))); err != nil {
			t.Fatal(err)
		}
		ours := h.ended["a"].Made[0]
		for name, made := range map[string][]string{"taken": {"x", ours}, "nothing": {}, "no id": {"x", ""}, "twice": {"x", "x"}} {
			if err := h.adopt(o, create(name), made...); err == nil || errors.Is(err, ErrTaken) != (name == "taken") {
				t.Errorf("%s: %v", name, err)
			}
			if got := h.made(name); len(got) != 0 {
				t.Errorf("%s: made %q", name, got)
			}
		}
		if err := h.adopt(o, Effect{Key: "k", Kind: "test.unknown"}, "x"); err == nil {
			t.Error("a kind that this program does not have was adopted")
		}
		if got := h.made("a"); !slices.Equal(got, []string{ours}) {
			t.Errorf("made %q", got)
		}
		// The lane's own place is kept: what is adopted comes after what stands.
		e := create("b")
		e.Lane = "a"
		if err := h.adopt(o, e, "x"); err != nil {
			t.Fatal(err)
		}
		var seen []string
		h.w.next = func(a Attempt) fate { seen = a.Made; return fate{} }
		if err := o.Deliver(t.Context(), h.plan(o, Effect{Key: "d", Kind: "test.delete", Lane: "a"})); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(seen, []string{ours, "x"}) {
			t.Errorf("the lane has made %q", seen)
		}
	})
}

// The owner of an effect that is refused in the middle learns what stands, and
// goes on from there.
func TestTheEndOfAPartlyMadeEffectTellsWhatStands(t *testing.T) {
	each(t, func(t *testing.T, h *house) {
		o := h.process()
		h.fates(fate{store: true}, fate{err: err422})
		e := create("a")
		e.Parts = 3
		_ = o.Deliver(t.Context(), h.plan(o, e))
		r := h.ended["a"]
		if r.State != Refused || r.Reason != "422" || len(r.Made) != 1 || r.Made[0] != h.w.posts[0].id {
			t.Fatalf("%+v", r)
		}
		var before []string
		h.w.next = func(a Attempt) fate {
			if a.Part == 0 {
				before = a.Made
			}
			return fate{store: true}
		}
		rest := Effect{Key: "a/1", Kind: "test.create", Payload: "a/1", Lane: "a", Parts: 2}
		if err := o.Deliver(t.Context(), h.plan(o, rest)); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(before, r.Made) || len(h.ended["a/1"].Made) != 2 {
			t.Errorf("after %q, %+v", before, h.ended["a/1"])
		}
		if err := o.Deliver(t.Context(), h.plan(o, Effect{Key: "d", Kind: "test.delete", Lane: "a"})); err != nil {
			t.Fatal(err)
		}
		if len(h.w.posts) != 0 {
			t.Errorf("left: %+v", h.w.posts)
		}
	})
}
