package fedisim_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/tomnomnom/linkheader"

	"rookery/internal/sim/fedisim"
)

func TestPagesOfNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	for i := range 10 {
		ada.Post(fmt.Sprint("@elelem ", i))
	}
	for _, c := range []struct{ query, want string }{
		{"limit=3", "10 9 8"},
		{"limit=3&max_id=8", "7 6 5"},
		{"limit=3&min_id=2", "5 4 3"},        // the oldest page, newest first
		{"limit=3&since_id=2", "10 9 8"},     // the newest page
		{"limit=3&since_id=8", "10 9"},       //
		{"limit=3&min_id=0", "3 2 1"},        //
		{"limit=3&min_id=2&max_id=5", "4 3"}, //
		{"limit=3&min_id=10", ""},            //
		{"limit=3&max_id=1", ""},             //
		{"limit=200&types[]=mention", "10 9 8 7 6 5 4 3 2 1"},
		{"types[]=follow", ""},
		{"exclude_types[]=mention", ""},
	} {
		var got []note
		r := w.get("/api/v1/notifications?"+c.query, &got)
		if ids(got) != c.want {
			t.Errorf("%s gives %q, want %q", c.query, ids(got), c.want)
		}
		links := linkheader.Parse(r.header.Get("Link"))
		if len(got) == 0 {
			if len(links) != 0 {
				t.Errorf("%s has links %v", c.query, links)
			}
			continue
		}
		for rel, param := range map[string]string{"next": "max_id=" + got[len(got)-1].ID, "prev": "min_id=" + got[0].ID} {
			l := links.FilterByRel(rel)
			if len(l) != 1 || !strings.HasPrefix(l[0].URL, w.s.URL()+"/api/v1/notifications?") || !strings.Contains(l[0].URL, param) {
				t.Errorf("%s: %s is %v", c.query, rel, l)
			}
		}
	}
}

func TestTypesOfNotifications(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.s.AddAccount("ada")
		p := w.post(url.Values{"status": {"a post of the bot"}})
		ada.Favourite(p.ID)
		ada.Boost(p.ID)
		ada.Follow(w.bot)
		ada.Post("@elelem hi")
		var all, mentions []note
		w.get("/api/v1/notifications?limit=30", &all)
		w.get("/api/v1/notifications?limit=30&types[]=mention", &mentions)
		if w.s.Profile() == fedisim.Sharkey { // asks nobody what types are wanted, and lists some twice
			mentions = nil
			if len(all) != 5 || all[3].ID != all[4].ID {
				t.Fatalf("lists %s", ids(all))
			}
			all = all[:4]
		} else if len(mentions) != 1 || mentions[0].Type != "mention" {
			t.Errorf("mentions: %+v", mentions)
		}
		if len(all) != 4 || all[0].Type != "mention" || all[1].Type != "follow" || all[2].Type != "reblog" || all[3].Type != "favourite" {
			t.Fatalf("notifications: %+v", all)
		}
		if all[1].Status != nil || all[3].Status == nil || all[3].Status.ID != p.ID || all[0].Account.Acct != "ada" {
			t.Errorf("notifications: %+v", all)
		}
	})
}

func TestDismissal(t *testing.T) {
	t.Parallel()
	type want struct{ mastodon, sharkey, left int }
	wants := map[fedisim.Profile]want{
		fedisim.Mastodon: {200, 404, 0}, fedisim.Akkoma: {200, 404, 0}, fedisim.GoToSocial: {404, 404, 1},
		fedisim.Snac: {422, 404, 1}, fedisim.Sharkey: {404, 200, 0},
	}
	each(t, func(t *testing.T, w *world) {
		ada := w.s.AddAccount("ada")
		ada.Post("@elelem hi")
		id := w.s.Notifications(w.bot.ID)[0].ID
		c := wants[w.s.Profile()]
		if r := w.try("POST", "/api/v1/notifications/"+id+"/dismiss", ada.Token, nil, ""); r.status == 200 {
			t.Errorf("another account dismisses it: %d", r.status)
		}
		if r := w.try("POST", "/api/v1/notifications/"+id+"/dismiss", w.bot.Token, nil, ""); r.status != c.mastodon {
			t.Errorf("Mastodon's path gets %d, want %d", r.status, c.mastodon)
		}
		if r := w.try("POST", "/api/v1/notification/"+id+"/dismiss", w.bot.Token, nil, ""); r.status != c.sharkey {
			t.Errorf("Sharkey's path gets %d, want %d", r.status, c.sharkey)
		}
		if n := len(w.s.Notifications(w.bot.ID)); n != c.left {
			t.Errorf("%d are left, want %d", n, c.left)
		}
		if d := w.s.Dismissed(w.bot.ID); len(d) != 1-c.left {
			t.Errorf("dismissed: %v", d)
		}
	})
}

func TestSnacListsOnlyTheNewest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Profile: fedisim.Snac})
	ada := w.s.AddAccount("ada")
	for i := range 70 {
		ada.Post(fmt.Sprint("@elelem ", i))
	}
	var all, got []note
	w.get("/api/v1/notifications?limit=100", &all)
	if len(all) != 64 {
		t.Fatalf("%d are listed", len(all))
	}
	for _, c := range []struct{ query, want string }{
		{"", ids(all[:1])},
		{"limit=2", ids(all[:2])},
		{"limit=2&min_id=" + all[10].ID, ids(all[:2])}, // the newest page, not the oldest
		{"limit=5&min_id=" + all[3].ID, ids(all[:3])},
		{"limit=2&max_id=" + all[3].ID, ids(all[4:6])},
		{"limit=2&max_id=1", ""},
		{"limit=2&types[]=follow", ""},
	} {
		r := w.get("/api/v1/notifications?"+c.query, &got)
		if ids(got) != c.want {
			t.Errorf("%s gives %q, want %q", c.query, ids(got), c.want)
		}
		if r.header.Get("Link") != "" {
			t.Errorf("%s has a Link header", c.query)
		}
	}
}

func TestDirectPostsOfStrangersAreFiltered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada, eve := w.s.AddAccount("ada"), w.s.AddRemote("eve@other.example")
	w.bot.Follow(ada)
	ada.Post("@elelem psst", fedisim.As("direct"))
	p := eve.Post("@elelem@mastodon.example psst", fedisim.As("direct"))
	var got []note
	w.get("/api/v1/notifications", &got)
	if len(got) != 1 || got[0].Account.Acct != "ada" {
		t.Errorf("without include_filtered: %+v", got)
	}
	w.get("/api/v1/notifications?include_filtered=true", &got)
	if len(got) != 2 || !got[0].Filtered || got[1].Filtered {
		t.Errorf("with include_filtered: %+v", got)
	}
	var policy struct {
		Private string `json:"for_private_mentions"`
		Summary struct {
			Requests int `json:"pending_requests_count"`
			Notes    int `json:"pending_notifications_count"`
		}
	}
	w.get("/api/v2/notifications/policy", &policy)
	if policy.Private != "filter" || policy.Summary.Requests != 1 || policy.Summary.Notes != 1 {
		t.Errorf("the policy is %+v", policy)
	}
	// An answer to our own direct post is not a stranger's any more.
	own := w.post(url.Values{"status": {"@eve@other.example yes?"}, "in_reply_to_id": {p.ID}, "visibility": {"direct"}})
	eve.Post("@elelem@mastodon.example oh", fedisim.ReplyTo(own.ID), fedisim.As("direct"))
	w.get("/api/v1/notifications", &got)
	if len(got) != 2 || got[0].Account.Acct != "eve@other.example" {
		t.Errorf("an answer is filtered: %+v", got)
	}
	w.ok(w.try("PATCH", "/api/v2/notifications/policy", w.bot.Token, url.Values{"for_private_mentions": {"accept"}}, ""), nil)
	w.s.AddRemote("joe@other.example").Post("@elelem@mastodon.example me too", fedisim.As("direct"))
	w.get("/api/v1/notifications", &got)
	if len(got) != 3 {
		t.Errorf("after accepting: %+v", got)
	}
}

func TestNotificationsOutOfOrder(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	ada.Post("@elelem slow to commit", fedisim.HoldNotification())
	ada.Post("@elelem quick")
	var got []note
	w.get("/api/v1/notifications", &got)
	if ids(got) != "2" {
		t.Fatalf("before: %s", ids(got))
	}
	w.s.ReleaseNotifications()
	w.get("/api/v1/notifications", &got)
	if ids(got) != "2 1" {
		t.Errorf("after: %s", ids(got))
	}
	w.get("/api/v1/notifications?min_id=2", &got)
	if ids(got) != "" {
		t.Errorf("a bare cursor sees it: %s", ids(got))
	}
	p := ada.Post("not about anybody")
	w.s.AddNotification(w.bot.ID, fedisim.Notification{ID: "1500", Type: "quantum", From: ada.ID, PostID: p.ID})
	ada.Post("@elelem after")
	w.get("/api/v1/notifications", &got)
	if ids(got) != "1500 3 2 1" || got[0].Type != "quantum" {
		t.Errorf("with a chosen id: %s", ids(got))
	}
	w.get("/api/v1/notifications/1500", nil)
	if r := w.try("GET", "/api/v1/notifications/77", w.bot.Token, nil, ""); r.status != 404 {
		t.Errorf("an unknown one gets %d", r.status)
	}
}

func TestTenThousandWaitingMentions(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{})
	ada := w.s.AddAccount("ada")
	const n = 10000
	for i := range n {
		ada.Post(fmt.Sprint("@elelem question ", i))
	}
	seen := map[string]bool{}
	cursor := "0"
	for {
		var got []note
		w.get("/api/v1/notifications?limit=80&types[]=mention&min_id="+cursor, &got)
		if len(got) == 0 {
			break
		}
		for _, g := range got {
			seen[g.ID] = true
		}
		cursor = got[0].ID
	}
	if len(seen) != n {
		t.Errorf("%d of %d were read", len(seen), n)
	}
}
