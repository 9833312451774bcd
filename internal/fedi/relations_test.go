package fedi

import (
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"rookery/internal/community"
	"rookery/internal/sim/fedisim"
)

func TestFollowsUsIsRememberedForTenMinutes(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		ada, ben := k.sim.AddAccount("ada"), k.sim.AddRemote("ben@other.example")
		k.poll(t)
		ada.Follow(k.bot)
		ask := func(who *fedisim.Account, want bool) {
			t.Helper()
			got, err := k.f.FollowsUs(t.Context(), k.id(), community.MemberID(who.ID))
			if err != nil || got != want {
				t.Errorf("%s: %v, %v, want %v", who.Acct, got, err, want)
			}
		}
		ask(ada, true)
		ask(ben, false)
		asked := k.sim.RequestCount()
		ben.Follow(k.bot)
		ada.Unfollow(k.bot)
		k.clock.Advance(followsFor - time.Second)
		ask(ada, true)
		ask(ben, false)
		if n := k.sim.RequestCount() - asked; n != 0 {
			t.Errorf("%d requests", n)
		}
		k.clock.Advance(time.Second)
		ask(ada, false)
		ask(ben, true)
		if _, err := k.f.FollowsUs(t.Context(), "nobody", "1"); err == nil {
			t.Error("an account that is not connected has followers")
		}
	})
}

func TestAFailureIsNotRememberedAsNo(t *testing.T) {
	t.Parallel()
	k := begin(t, fedisim.Mastodon, false)
	ada := k.sim.AddAccount("ada")
	k.poll(t)
	ada.Follow(k.bot)
	k.sim.Inject(fedisim.Fail(500).On("GET", "/api/v1/accounts/relationships"))
	if _, err := k.f.FollowsUs(t.Context(), k.id(), community.MemberID(ada.ID)); ClassOf(err) != Transient {
		t.Errorf("%v", err)
	}
	if yes, err := k.f.FollowsUs(t.Context(), k.id(), community.MemberID(ada.ID)); err != nil || !yes {
		t.Errorf("%v, %v", yes, err)
	}
}

func TestTheMemoryOfFollowersIsBounded(t *testing.T) {
	t.Parallel()
	var w follows
	for i := range 3 * maxFollows {
		w.put(start, community.MemberID(fmt.Sprint(i)), true)
	}
	if n := len(w.known); n > maxFollows {
		t.Errorf("%d are remembered", n)
	}
	if yes, ok := w.get(start, community.MemberID(fmt.Sprint(3*maxFollows-1))); !yes || !ok {
		t.Error("the latest is not")
	}
}

func TestRelationshipsAreReadLenientlyAndInPages(t *testing.T) {
	t.Parallel()
	asked := 0
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		asked += len(r.URL.Query()["id[]"])
		_, _ = io.WriteString(w, `[{"id":7,"following":1,"followed_by":"true","requested":null,"blocking":false,"blocked_by":true,"muting":0},null,{"followed_by":true},"x"]`)
	})
	got, err := c.Relationships(t.Context(), "7")
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, []Relationship{{ID: "7", Following: true, FollowedBy: true, BlockedBy: true}})
	ids := make([]community.MemberID, 2*relationPage+1)
	if got, err := c.Relationships(t.Context(), ids...); err != nil || len(got) != 3 || asked != len(ids)+1 {
		t.Errorf("%d, %v; asked for %d", len(got), err, asked)
	}
	if got, err := c.Relationships(t.Context()); err != nil || got != nil {
		t.Errorf("of nobody: %v, %v", got, err)
	}
}

func TestPolicyAndScopesAreToldWhereTheServerDoes(t *testing.T) {
	eachProfile(t, func(t *testing.T, p fedisim.Profile) {
		k := begin(t, p, false)
		k.poll(t)
		c := k.f.logins[0].client
		policy, err := c.NotificationPolicy(t.Context())
		if p == fedisim.Mastodon {
			if err != nil || policy.PrivateMentions != Filter || policy.NotFollowing != Accept || policy.Bots != Accept || policy.Pending != 0 {
				t.Errorf("%+v, %v", policy, err)
			}
			k.bot.SetPolicy("for_bots", "drop")
			k.sim.AddAccount("ada").Post("@elelem psst", fedisim.As("direct"))
			if policy, err = c.NotificationPolicy(t.Context()); err != nil || policy.Bots != Drop || policy.Pending != 1 {
				t.Errorf("%+v, %v", policy, err)
			}
		} else if ClassOf(err) != Unsupported {
			t.Errorf("policy: %v", err)
		}
		scopes, err := c.AppScopes(t.Context())
		if cl := ClassOf(err); err != nil && (cl != Unsupported || p == fedisim.Mastodon) {
			t.Errorf("scopes: %v, %v", scopes, err)
		}
		if p == fedisim.Mastodon {
			same(t, scopes, []string{"read", "write", "follow", "push"})
		}
		k.sim.Revoke(k.bot.Token)
		if _, err := c.AppScopes(t.Context()); p == fedisim.Mastodon && ClassOf(err) != Auth {
			t.Errorf("with a token that is refused: %v", err)
		}
	})
}

func TestInstanceTellsWhoRunsItAndItsRules(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		docs map[string]string
		want Instance // only what is compared
	}{
		"v2": {
			map[string]string{"/api/v2/instance": `{"domain":"art.example","title":" Art \u202e","version":"4.6.4","rules":[{"id":"1","text":"Be kind.","hint":"Really <b>."},{"id":"2","text":""},{"id":"3","text":"No spam.","hint":null},7],
				"contact":{"email":"a@art.example","account":{"id":"1","acct":"admin","username":"admin"}},"configuration":{"statuses":{"max_characters":500}}}`},
			Instance{Title: "Art", Contact: "admin@art.example", ContactMail: "a@art.example", Rules: []string{"Be kind.\nReally <b>.", "No spam."}},
		},
		"v1": {
			map[string]string{"/api/v1/instance": `{"uri":"art.example","title":"Art","email":"a@art.example","version":"3.5.0 (compatible; Akkoma 3)","rules":[{"id":"1","text":"Be kind."}],"contact_account":{"id":"1","acct":"admin"}}`},
			Instance{Title: "Art", Contact: "admin@art.example", ContactMail: "a@art.example", Rules: []string{"Be kind."}},
		},
		"v2 without limits": {
			map[string]string{"/api/v2/instance": `{"domain":"art.example","title":"Two","version":"4.6.4","rules":[{"text":"Two."}],"contact":{"account":{"id":"1","acct":"two"}}}`,
				"/api/v1/instance": `{"uri":"art.example","version":"4.6.4","contact_account":{"id":"2","acct":"one"}}`},
			Instance{Title: "Two", Contact: "two@art.example", Rules: []string{"Two."}},
		},
		"neither": {
			map[string]string{"/api/v2/instance": `{"domain":"art.example","version":"4.6.4","rules":null,"contact":null,"contact_account":null,"configuration":{"statuses":{"max_characters":500}}}`},
			Instance{},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				doc, ok := tc.docs[r.URL.Path]
				if !ok {
					w.WriteHeader(404)
				}
				_, _ = io.WriteString(w, doc)
			})
			in, err := c.Instance(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			same(t, Instance{Title: in.Title, Contact: in.Contact, ContactMail: in.ContactMail, Rules: in.Rules}, tc.want)
		})
	}
}
