package fedi

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// on runs a test for some profiles.
func on(t *testing.T, profiles []fedisim.Profile, fn func(t *testing.T, p fedisim.Profile)) {
	t.Helper()
	for _, p := range profiles {
		t.Run(string(p), func(t *testing.T) {
			t.Parallel()
			fn(t, p)
		})
	}
}

// gallery is a set whose effects are heard of, and whose posts a renderer
// makes.
type gallery struct {
	*set

	mu     sync.Mutex
	ended  map[string]outbox.Result
	drafts []Draft
}

func openGallery(t *testing.T, p fedisim.Profile) *gallery {
	t.Helper()
	g := &gallery{set: begin(t, p, false), ended: map[string]outbox.Result{}}
	g.watch(t)
	return g
}

// watch is what a feature does in each process.
func (g *gallery) watch(t *testing.T) {
	t.Helper()
	g.outbox.Own("test", func(_ context.Context, tx store.Tx, r outbox.Result) error {
		tx.AfterCommit(func() { g.mu.Lock(); g.ended[r.Key] = r; g.mu.Unlock() })
		return nil
	})
	g.f.Renderer("posts", func(_ context.Context, ref string) ([]Draft, error) {
		g.mu.Lock()
		defer g.mu.Unlock()
		if ref != "s1" {
			return nil, errors.New("no such submission")
		}
		return g.drafts, nil
	})
	g.poll(t)
}

// plan plans an effect of the lane "s1".
func (g *gallery) plan(t *testing.T, key, kind string, payload any, parts int) {
	t.Helper()
	err := g.store.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		_, err := g.outbox.Plan(ctx, tx, outbox.Effect{Key: key, Feature: "test", Kind: kind, Account: g.id(), Lane: "s1", Payload: payload, Parts: parts})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// does plans an effect and returns how it ended.
func (g *gallery) does(t *testing.T, key, kind string, payload any, parts int) outbox.Result {
	t.Helper()
	g.plan(t, key, kind, payload, parts)
	g.settle(t)
	return g.result(t, key)
}

func (g *gallery) result(t *testing.T, key string) outbox.Result {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	r, ok := g.ended[key]
	if !ok {
		t.Fatalf("%s has not ended", key)
	}
	return r
}

func (g *gallery) post(t *testing.T, id string) fedisim.Post {
	t.Helper()
	p, ok := g.sim.Post(id)
	if !ok {
		t.Fatalf("%s is not there", id)
	}
	return p
}

// three posts three parts with four pictures, as the gallery does.
func (g *gallery) three(t *testing.T) (made, pictures []string) {
	t.Helper()
	for range 4 {
		pictures = append(pictures, g.bot.AddMedia("image", "old"))
		g.clock.Advance(time.Second)
	}
	p := PostPayload{Parts: []string{"one", "two", "three"}, Visibility: community.Public, Replies: community.Unlisted, CW: "eyes", Sensitive: true, Language: "en",
		PartMedia: [][]string{pictures[:2], pictures[2:3], pictures[3:]}}
	r := g.does(t, "post", PostKind, p, 3)
	if r.State != outbox.Confirmed || len(r.Made) != 3 {
		t.Fatalf("%+v", r)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.drafts = nil
	for n, text := range p.Parts {
		g.drafts = append(g.drafts, Draft{Text: text, CW: p.CW, Sensitive: true, Language: "en", MediaIDs: p.PartMedia[n]})
	}
	return r.Made, pictures
}

func TestEachPartHasItsOwnMediaAndIsFoundByThem(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		g := openGallery(t, p)
		var second sync.Map
		g.sim.Inject(fedisim.Reset().Stored().On("POST", "/api/v1/statuses").If(func(r *http.Request) bool {
			second.Store(r.Header.Get("Idempotency-Key"), true)
			n := 0
			second.Range(func(any, any) bool { n++; return true })
			return n == 2
		}))
		made, pictures := g.three(t)
		if all := g.sim.PostsBy(g.bot.ID); len(all) != 3 {
			t.Fatalf("%d posts", len(all))
		}
		parent := ""
		for n, id := range made {
			got := g.post(t, id)
			want := [][]string{pictures[:2], pictures[2:3], pictures[3:]}[n]
			visibility := map[bool]string{true: "public", false: "unlisted"}[n == 0]
			if !slices.Equal(got.MediaIDs, want) || got.Visibility != visibility || got.CW != "eyes" || !got.Sensitive || got.InReplyTo != parent {
				t.Errorf("part %d: %+v", n, got)
			}
			parent = id
		}
	})
}

func TestOldPayloadsMeanWhatTheyMeant(t *testing.T) {
	t.Parallel()
	old := PostPayload{Parts: []string{"a", "b"}, Visibility: community.Public, MediaIDs: []string{"m"}}
	if got := old.media(0); !slices.Equal(got, []string{"m"}) || old.media(1) != nil || old.visibility(1) != community.Public {
		t.Errorf("%q, %q, %s", got, old.media(1), old.visibility(1))
	}
	quiet := PostPayload{Visibility: community.Followers, Replies: community.Unlisted, PartMedia: [][]string{nil, {"n"}}, MediaIDs: []string{"m"}}
	if quiet.visibility(1) != community.Followers || quiet.visibility(0) != community.Followers || quiet.media(0) != nil || len(quiet.media(1)) != 1 {
		t.Errorf("%s, %q, %q", quiet.visibility(1), quiet.media(0), quiet.media(1))
	}
	k := openDesk(t, &desk{})
	if _, e := k.send(t, PostPayload{Parts: []string{"a"}, Visibility: community.Public, PartMedia: [][]string{nil, {"lost"}}}); e == nil || e.Outcome != outbox.Rejected {
		t.Errorf("media of a part that is not there: %+v", e)
	}
}

func TestAnEditChangesEveryPostOfItsLane(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		g := openGallery(t, p)
		made, pictures := g.three(t)
		g.drafts[0].Text = "one, mended"
		g.drafts[0].MediaDescriptions = map[string]string{pictures[0]: "A red pony.", pictures[1]: "A blue\npony."}
		g.drafts[2].MediaDescriptions = map[string]string{pictures[3]: "A pony <3"}
		r := g.does(t, "edit", EditKind, Edit{Renderer: "posts", Ref: "s1"}, 0)
		first, third := g.post(t, made[0]), g.post(t, made[2])
		shows := first.Media[0].Description == "A red pony." && first.Media[1].Description == "A blue\npony." && third.Media[0].Description == "A pony <3"
		if first.Text != "one, mended" || first.CW != "eyes" || !first.Sensitive || len(first.MediaIDs) != 2 {
			t.Errorf("%+v", first)
		}
		switch {
		case shows && r.State == outbox.Confirmed:
		case !shows && p != fedisim.Mastodon && p != fedisim.GoToSocial && r.State == outbox.Refused && r.Reason == ReasonDescriptions:
		default:
			t.Errorf("descriptions shown: %v, %+v", shows, r)
		}
		got, err := g.f.Posted(t.Context(), g.id(), community.PostID(made[0]))
		if err != nil || got.URL == "" || got.URI == "" || got.CW != "eyes" || len(got.Media) != 2 || got.Media[0].Description != first.Media[0].Description {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

func TestAnEditWhoseOutcomeIsUnknownIsRepeated(t *testing.T) {
	for name, fault := range map[string]fedisim.Fault{
		"reset, stored": fedisim.Reset().Stored(), "reset": fedisim.Reset(), "500": fedisim.Fail(500), "503": fedisim.Unavailable(time.Minute), "torn": fedisim.Torn(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := openGallery(t, fedisim.GoToSocial)
			made, pictures := g.three(t)
			g.drafts[1].MediaDescriptions = map[string]string{pictures[2]: "A pony."}
			g.plan(t, "edit", EditKind, Edit{Renderer: "posts", Ref: "s1"}, 0)
			g.sim.Inject(fault.On("PUT", "/api/v1/statuses"))
			if _, err := g.outbox.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.restart(t, false) // what was in memory is gone
			g.watch(t)
			g.drafts[0].Text = "the latest"
			g.settle(t)
			if r := g.result(t, "edit"); r.State != outbox.Confirmed {
				t.Errorf("%+v", r)
			}
			if one, two := g.post(t, made[0]), g.post(t, made[1]); one.Text != "the latest" || two.Media[0].Description != "A pony." {
				t.Errorf("%q, %q", one.Text, two.Media[0].Description)
			}
		})
	}
}

func TestAPostThatIsGoneKeepsNoOtherFromBeingEdited(t *testing.T) {
	on(t, []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.Snac}, func(t *testing.T, p fedisim.Profile) {
		g := openGallery(t, p)
		made, _ := g.three(t)
		g.bot.Delete(made[1])
		for n := range g.drafts {
			g.drafts[n].Text = "changed"
		}
		if r := g.does(t, "edit", EditKind, Edit{Renderer: "posts", Ref: "s1"}, 0); r.State != outbox.Confirmed {
			t.Errorf("%+v", r)
		}
		if one, three := g.post(t, made[0]), g.post(t, made[2]); one.Text != "changed" || three.Text != "changed" {
			t.Errorf("%q, %q", one.Text, three.Text)
		}
		g.bot.Delete(made[0])
		g.bot.Delete(made[2])
		if r := g.does(t, "again", EditKind, Edit{Renderer: "posts", Ref: "s1"}, 0); r.State != outbox.Refused || r.Reason != string(Gone) {
			t.Errorf("%+v", r)
		}
		if _, err := g.f.Posted(t.Context(), g.id(), community.PostID(made[0])); ClassOf(err) != Gone {
			t.Errorf("%v", err)
		}
	})
}

// outcome sends an edit of posts that stand as the outbox would.
func (g *gallery) outcome(t *testing.T, e Edit, made ...string) *outbox.SendError {
	t.Helper()
	b, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	id := g.f.logins[0].client.base.Host + "/" + g.bot.ID
	_, err = editKind{g.f}.Send(t.Context(), outbox.Attempt{Account: community.AccountID(id), Payload: b, Made: made})
	if err == nil {
		return nil
	}
	s, ok := errors.AsType[*outbox.SendError](err)
	if !ok {
		t.Fatalf("%v is no SendError", err)
	}
	return s
}

func TestWhyAnEditIsRefused(t *testing.T) {
	t.Parallel()
	e := Edit{Renderer: "posts", Ref: "s1"}
	g := openGallery(t, fedisim.Mastodon)
	made, pictures := g.three(t)
	for name, status := range map[string]int{"no such call": 404, "not allowed": 405} {
		g.sim.Inject(fedisim.Fail(status).On("PUT", "/api/v1/statuses").Times(3))
		if s := g.outcome(t, e, made...); s == nil || s.Outcome != outbox.Rejected || s.Reason != ReasonUnsupported {
			t.Errorf("%s: %+v", name, s)
		}
		g.sim.ClearFaults()
	}
	if s := g.outcome(t, Edit{Renderer: "posts", Ref: "s2"}, made...); s == nil || s.Outcome != outbox.NotSent {
		t.Errorf("cannot be rendered: %+v", s)
	}
	if s := g.outcome(t, Edit{Renderer: "none"}, made...); s == nil || s.Outcome != outbox.NotSent {
		t.Errorf("no such renderer: %+v", s)
	}
	if s := g.outcome(t, e); s == nil || s.Reason != string(Gone) {
		t.Errorf("nothing was made: %+v", s)
	}
	if s := g.outcome(t, e, append(slices.Clone(made), "4711")...); s != nil {
		t.Errorf("more posts than drafts: %+v", s)
	}
	g.drafts[0].MediaDescriptions = map[string]string{pictures[0]: strings.Repeat("long ", 400)}
	g.drafts[1].Text = "the others are changed all the same"
	if s := g.outcome(t, e, made...); s != nil && s.Outcome != outbox.Rejected {
		t.Errorf("too long: %+v", s)
	}
	if got := g.post(t, made[1]); got.Text != g.drafts[1].Text {
		t.Errorf("%q", got.Text)
	}
	g.sim.Inject(fedisim.TooMany(fedisim.RetrySeconds, time.Minute).On("PUT", "/api/v1/statuses"))
	if s := g.outcome(t, e, made...); s == nil || s.Outcome != outbox.NotSent || !s.RetryAt.After(g.clock.Now()) {
		t.Errorf("too many: %+v", s)
	}
	g.clock.Advance(2 * time.Minute)
	g.sim.SwapToken(g.bot.Token, g.sim.AddAccount("other", fedisim.Bot()))
	if s := g.outcome(t, e, made...); s == nil || s.Outcome != outbox.NotSent || !strings.Contains(s.Error(), "belongs to other") {
		t.Errorf("another's token: %+v", s)
	}
}
