package fedi

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/outbox"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// A file that is lost after the first part stands: the owner learns what does,
// and goes on from there in the same lane.
func TestAFileOfALaterPartIsLost(t *testing.T) {
	on(t, []fedisim.Profile{fedisim.Mastodon, fedisim.GoToSocial}, func(t *testing.T, p fedisim.Profile) {
		g := openGallery(t, p)
		picture := g.bot.AddMedia("image", "one")
		first := PostPayload{Parts: []string{"one", "two"}, Visibility: community.Public, Replies: community.Unlisted, PartMedia: [][]string{{picture}, {"4711"}}}
		r := g.does(t, "post", PostKind, first, 2)
		if r.State != outbox.Refused || r.Reason != string(NoMedia) || len(r.Made) != 1 {
			t.Fatalf("%+v", r)
		}
		rest := PostPayload{Parts: []string{"two"}, Visibility: community.Unlisted, InReplyTo: community.PostID(r.Made[0]), MediaIDs: []string{g.bot.AddMedia("image", "two")}}
		again := g.does(t, "post/1", PostKind, rest, 1)
		if again.State != outbox.Confirmed || len(again.Made) != 1 {
			t.Fatalf("%+v", again)
		}
		if got := g.post(t, again.Made[0]); got.InReplyTo != r.Made[0] || got.Visibility != "unlisted" || len(got.MediaIDs) != 1 {
			t.Errorf("%+v", got)
		}
		g.does(t, "delete", DeleteKind, nil, 0)
		if left := g.sim.PostsBy(g.bot.ID); len(left) != 0 {
			t.Errorf("left: %+v", left)
		}
	})
}

func TestEachPartThatLostAFileIsTold(t *testing.T) {
	t.Parallel()
	g := openGallery(t, fedisim.Akkoma) // which leaves out what it does not know
	var told []FewerMedia
	g.f.Fewer = func(f FewerMedia) { g.mu.Lock(); told = append(told, f); g.mu.Unlock() }
	r := g.does(t, "post", PostKind, PostPayload{Parts: []string{"one", "two"}, Visibility: community.Public, PartMedia: [][]string{nil, {"4711"}}}, 2)
	same(t, told, []FewerMedia{{Account: g.id(), Effect: r.Effect, Part: 1, Post: community.PostID(r.Made[1]), Sent: 1}})
}

func TestALaneIsDeletedWhole(t *testing.T) {
	on(t, []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma, fedisim.Snac}, func(t *testing.T, p fedisim.Profile) {
		g := openGallery(t, p)
		made, _ := g.three(t)
		g.bot.Delete(made[1])
		// The server refuses to delete the last one, which is looked at first.
		g.sim.Inject(fedisim.Fail(422).On("DELETE", "/api/v1/statuses/"+made[2]).Always())
		if r := g.does(t, "delete", DeleteKind, nil, 0); r.State != outbox.Refused {
			t.Errorf("%+v", r)
		}
		if _, there := g.sim.Post(made[0]); there {
			t.Error("the first is still there")
		}
		g.sim.ClearFaults()
		if r := g.does(t, "again", DeleteKind, nil, 0); r.State != outbox.Confirmed || len(g.sim.PostsBy(g.bot.ID)) != 0 {
			t.Errorf("%+v", r)
		}
	})
}

func TestALaneIsNotDeletedWithAnothersToken(t *testing.T) {
	on(t, []fedisim.Profile{fedisim.Mastodon, fedisim.Akkoma}, func(t *testing.T, p fedisim.Profile) {
		g := openGallery(t, p)
		made, _ := g.three(t)
		g.bot.Delete(made[1])
		g.sim.SwapToken(g.bot.Token, g.sim.AddAccount("other", fedisim.Bot()))
		g.plan(t, "delete", DeleteKind, nil, 0)
		for range 5 {
			if _, err := g.outbox.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			g.clock.Advance(time.Minute)
		}
		n, _, err := g.outbox.Counts(t.Context())
		if err != nil || n[outbox.Planned] != 1 || len(g.sim.PostsBy(g.bot.ID)) != 2 {
			t.Errorf("%v, %v, %d posts", n, err, len(g.sim.PostsBy(g.bot.ID)))
		}
	})
}

// What another program has posted is edited and deleted like our own.
func TestAdoptedPostsAreEditedAndDeleted(t *testing.T) {
	t.Parallel()
	g := openGallery(t, fedisim.Mastodon)
	picture := g.bot.AddMedia("image", "")
	old := g.bot.Post("posted by the old bot", fedisim.Attach(picture))
	err := g.store.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
		return g.outbox.Adopt(ctx, tx, outbox.Effect{Key: "old", Feature: "test", Kind: PostKind, Account: g.id(), Lane: "s1"}, old.ID)
	})
	if err != nil {
		t.Fatal(err)
	}
	g.drafts = []Draft{{Text: "described", Language: "en", MediaIDs: []string{picture}, MediaDescriptions: map[string]string{picture: "A pony."}}}
	if r := g.does(t, "edit", EditKind, Edit{Renderer: "posts", Ref: "s1"}, 0); r.State != outbox.Confirmed {
		t.Errorf("%+v", r)
	}
	if got := g.post(t, old.ID); got.Text != "described" || got.Media[0].Description != "A pony." {
		t.Errorf("%+v", got)
	}
	if r := g.does(t, "delete", DeleteKind, nil, 0); r.State != outbox.Confirmed {
		t.Errorf("%+v", r)
	}
	if _, there := g.sim.Post(old.ID); there {
		t.Error("it is still there")
	}
}

// A file's description goes by the file where an edit of the post does not
// take it.
func TestFilesAreDescribedWhereEditsDoNot(t *testing.T) {
	t.Parallel()
	for sw, want := range map[Software]int{Mastodon: 0, GoToSocial: 0, Akkoma: 1, Pleroma: 1, Misskey: 1, Snac: 1, SoftwareUnknown: 1} {
		asked := 0
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			if r.Method != http.MethodPut || r.URL.Path != "/api/v1/media/m1" {
				t.Errorf("%s %s", r.Method, r.URL.Path)
			}
			says(404, "{}")(w, r)
		})
		c.instance.Software, c.probed = sw, true
		l := &login{client: c}
		if err := l.describe(t.Context(), Draft{MediaIDs: []string{"m1", "m2"}, MediaDescriptions: map[string]string{"m1": "x", "m3": "y"}}); err != nil || asked != want {
			t.Errorf("%s: %d requests, %v", sw, asked, err)
		}
	}
}

// A reply with another picture, by a person with the account's password, is
// not taken for a part of ours.
func TestALaterPartIsKnownByItsOwnMedia(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		g := openGallery(t, p)
		first := g.bot.Post("one", fedisim.Attach(g.bot.AddMedia("image", "one")))
		g.clock.Advance(time.Second)
		mine := g.bot.AddMedia("image", "two")
		b, err := json.Marshal(PostPayload{Parts: []string{"one", "two"}, Visibility: community.Public, PartMedia: [][]string{{"m0"}, {mine}}})
		if err != nil {
			t.Fatal(err)
		}
		a := outbox.Attempt{Account: g.id(), Payload: b, Part: 1, Made: []string{first.ID}, First: g.clock.Now()}
		find := func() string {
			t.Helper()
			free := func(_ context.Context, id string) (bool, error) { return id != first.ID, nil }
			found, err := postKind{g.f}.Find(t.Context(), a, free)
			if err != nil {
				t.Fatal(err)
			}
			return found.ID
		}
		other := g.bot.Post("by hand", fedisim.ReplyTo(first.ID), fedisim.Attach(g.bot.AddMedia("image", "another")))
		want := ""
		if renames(g.f.logins[0].client.software()) { // nothing can tell the two apart
			want = other.ID
		}
		if got := find(); got != want {
			t.Errorf("found %q, want %q", got, want)
		}
		g.bot.Delete(other.ID)
		g.clock.Advance(time.Second)
		ours := g.bot.Post("two", fedisim.ReplyTo(first.ID), fedisim.Attach(mine), fedisim.As("unlisted"))
		if got := find(); got != ours.ID {
			t.Errorf("found %q", got)
		}
	})
}
