package fedisim_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/fedisim"
)

type relation struct {
	ID         string
	Following  bool
	FollowedBy bool `json:"followed_by"`
	Blocking   bool
	BlockedBy  bool `json:"blocked_by"`
}

func TestRelationships(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada, ben := w.s.AddAccount("ada"), w.s.AddRemote("ben@other.example")
		ada.Follow(w.bot)
		w.bot.Follow(ben)
		path := "/api/v1/accounts/relationships?id[]=" + ada.ID + "&id[]=nobody&id[]=" + ben.ID
		var got []relation
		w.get(path, &got)
		if want := []relation{{ID: ada.ID, FollowedBy: true}, {ID: ben.ID, Following: true}}; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("they are %+v", got)
		}
		ada.Block(w.bot)
		w.bot.Block(ben)
		w.get(path, &got)
		if want := []relation{{ID: ada.ID, BlockedBy: true}, {ID: ben.ID, Blocking: true}}; len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
			t.Errorf("then %+v", got)
		}
		before := len(w.s.Notifications(w.bot.ID))
		ben.Post("@elelem@" + w.s.Domain() + " are you there?")
		if n := len(w.s.Notifications(w.bot.ID)); n != before {
			t.Error("a blocked member notifies")
		}
		w.bot.Unblock(ben)
		ben.Post("@elelem@" + w.s.Domain() + " and now?")
		if n := len(w.s.Notifications(w.bot.ID)); n != before+1 {
			t.Error("an unblocked member does not notify")
		}
		ada.Unblock(w.bot)
		ada.Follow(w.bot)
		ada.Unfollow(w.bot)
		if w.get(path, &got); got[0] != (relation{ID: ada.ID}) {
			t.Errorf("at last %+v", got)
		}
		if r := w.try("GET", path, "", nil, ""); r.status == 200 {
			t.Errorf("without a token: %d", r.status)
		}
	})
}

func TestProfilesChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.s.AddAccount("ada")
		type profile struct {
			Note   string
			Bot    bool
			Fields []struct {
				Name, Value string
				Verified    *time.Time `json:"verified_at"`
			}
			Source struct {
				Note   string
				Fields []struct{ Name, Value string }
			}
		}
		var p profile
		get := func() {
			t.Helper()
			p = profile{}
			w.ok(w.try("GET", "/api/v1/accounts/verify_credentials", ada.Token, nil, ""), &p)
		}
		if get(); p.Bot || p.Note != "" || p.Fields == nil || len(p.Fields) != 0 {
			t.Errorf("at first %+v", p)
		}
		token := ada.Token
		ada.Edit(fedisim.Bot(), fedisim.Note(`<p>no bots &amp; such <a href="x">#nobot</a></p>`), fedisim.WithToken("ignored"),
			fedisim.Fields(fedisim.Field{Name: "Operator", Value: `<a href="https://op.example">op</a>`, Verified: w.clock.now()}, fedisim.Field{Name: "Opt out", Value: "#nobot"}))
		if ada.Token != token {
			t.Error("the token has changed")
		}
		get()
		if !p.Bot || !strings.Contains(p.Note, "<a ") || len(p.Fields) != 2 || p.Fields[0].Verified == nil || p.Fields[1].Verified != nil ||
			p.Source.Note != "no bots & such #nobot" || len(p.Source.Fields) != 2 || p.Source.Fields[0].Value != "op" {
			t.Errorf("then %+v", p)
		}
		post := ada.Post("hello")
		var st struct{ Account struct{ Note string } }
		w.get("/api/v1/statuses/"+post.ID, &st)
		ada.Edit(fedisim.Human(), fedisim.Note(""))
		if get(); p.Bot || p.Note != "" || !strings.Contains(st.Account.Note, "nobot") {
			t.Errorf("at last %+v; in a post %+v", p, st)
		}
	})
}

func TestRules(t *testing.T) {
	t.Parallel()
	wants := map[fedisim.Profile][3]int{ // of the endpoint's status, and rules in v1 and v2
		fedisim.Mastodon: {200, 2, 2}, fedisim.GoToSocial: {200, 2, 2}, fedisim.Sharkey: {404, 2, 2}, fedisim.Akkoma: {404, 0, 0}, fedisim.Snac: {404, 0, 0},
	}
	each(t, func(t *testing.T, w *world) {
		w.s.SetRules(fedisim.Rule{Text: "Be kind.", Hint: "Really."}, fedisim.Rule{Text: "No unlabelled bots."})
		type rule struct{ ID, Text, Hint string }
		var v1, v2 struct{ Rules []rule }
		want := wants[w.s.Profile()]
		w.get("/api/v1/instance", &v1)
		if r := w.try("GET", "/api/v2/instance", "", nil, ""); r.status == 200 {
			w.ok(r, &v2)
		}
		if len(v1.Rules) != want[1] || len(v2.Rules) != want[2] || want[1] > 0 && v1.Rules[1] != (rule{"2", "No unlabelled bots.", ""}) {
			t.Errorf("v1 %+v, v2 %+v", v1, v2)
		}
		r := w.try("GET", "/api/v1/instance/rules", w.bot.Token, nil, "")
		if r.status != want[0] {
			t.Errorf("rules: %d", r.status)
		}
	})
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	day := func(d int) time.Duration { return time.Duration(d) * 24 * time.Hour }
	for name, c := range map[string]struct {
		rule, verdict string
		who           string
		want          string // "", "filtered" or "listed"
	}{
		"strangers":            {"for_not_following", "filter", "stranger", "filtered"},
		"friends":              {"for_not_following", "filter", "followed", "listed"},
		"not followers":        {"for_not_followers", "drop", "followed", ""},
		"followers":            {"for_not_followers", "drop", "follower", "listed"},
		"new ones":             {"for_new_accounts", "filter", "new", "filtered"},
		"old ones":             {"for_new_accounts", "filter", "stranger", "listed"},
		"bots":                 {"for_bots", "drop", "bot", ""},
		"bots that I follow":   {"for_bots", "drop", "followed", "listed"},
		"limited: nobody is":   {"for_limited_accounts", "drop", "stranger", "listed"},
		"public, to a private": {"for_private_mentions", "drop", "stranger", "listed"},
	} {
		w := newWorld(t, fedisim.Options{})
		who := map[string]*fedisim.Account{
			"stranger": w.s.AddRemote("stranger@a.example"), "followed": w.s.AddRemote("followed@a.example", fedisim.Bot()),
			"follower": w.s.AddRemote("follower@a.example"), "bot": w.s.AddRemote("bot@a.example", fedisim.Bot()),
		}
		w.clock.add(day(40))
		who["new"] = w.s.AddRemote("new@a.example")
		w.bot.Follow(who["followed"])
		who["follower"].Follow(w.bot)
		w.bot.SetPolicy(c.rule, c.verdict)
		who[c.who].Post("@elelem@mastodon.example hello")
		got := ""
		for _, n := range w.s.Notifications(w.bot.ID) {
			if n.Type == "mention" {
				got = map[bool]string{true: "filtered", false: "listed"}[n.Filtered]
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	w := newWorld(t, fedisim.Options{})
	var p map[string]any
	w.ok(w.try("PATCH", "/api/v2/notifications/policy", w.bot.Token, url.Values{"for_bots": {"drop"}, "for_not_following": {"filter"}}, ""), &p)
	if p["for_bots"] != "drop" || p["for_not_following"] != "filter" || p["for_private_mentions"] != "filter" {
		t.Errorf("the policy is %v", p)
	}
	if r := w.try("PATCH", "/api/v2/notifications/policy", w.bot.Token, url.Values{"for_bots": {"shoot"}}, ""); r.status != 422 {
		t.Errorf("another word: %d", r.status)
	}
}

// Five hundred posts above the one that is asked about, of every visibility.
func TestLongThread(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		ada := w.s.AddAccount("ada")
		alt := ada.AddMedia("image", "a cat on a keyboard")
		posts := w.s.Thread(500, func(i int) fedisim.Line {
			text := fmt.Sprint("line ", i)
			var opts []fedisim.PostOption
			switch i % 5 {
			case 1:
				opts = append(opts, fedisim.As("unlisted"))
			case 2:
				opts = append(opts, fedisim.As("private"), fedisim.Mentioning(w.bot))
			case 3:
				opts = append(opts, fedisim.As("direct"), fedisim.Mentioning(w.bot))
			}
			if i == 0 {
				text = "see https://www.example.org/an/address/of/some/length?with=a&query"
				opts = append(opts, fedisim.Attach(alt))
			}
			return fedisim.Line{By: ada, Text: text, Opts: opts}
		})
		ask := ada.Post("@elelem what is this?", fedisim.ReplyTo(posts[499].ID))
		var thread struct{ Ancestors []status }
		w.get("/api/v1/statuses/"+ask.ID+"/context", &thread)
		if len(thread.Ancestors) != 500 {
			t.Fatalf("%d are above", len(thread.Ancestors))
		}
		seen := map[string]bool{}
		for i, a := range thread.Ancestors {
			seen[a.Visibility] = true
			if a.ID != posts[i].ID {
				t.Fatalf("ancestor %d is %+v", i, a)
			}
		}
		first := thread.Ancestors[0]
		if len(seen) != 4 || len(first.Media) != 1 || first.Media[0].Description != "a cat on a keyboard" {
			t.Errorf("visibilities %v, the first is %+v", seen, first)
		}
		if href := `href="https://www.example.org/an/address/of/some/length?with=a&amp;query"`; !strings.Contains(first.Content, href) {
			t.Errorf("the link is %s", first.Content)
		}
		spans := `<span class="invisible">https://www.</span><span class="ellipsis">example.org/an/address/of/some</span><span class="invisible">/length?with=a&amp;query</span>`
		if strings.Contains(first.Content, spans) != (w.s.Profile() == fedisim.Mastodon) {
			t.Errorf("the link is %s", first.Content)
		}
		// Hidden posts: Mastodon leaves them out, the others stop at the first.
		var others struct{ Ancestors []status }
		stranger := w.s.AddAccount("stranger")
		w.ok(w.try("GET", "/api/v1/statuses/"+ask.ID+"/context", stranger.Token, nil, ""), &others)
		if n := len(others.Ancestors); w.s.Profile() == fedisim.Mastodon && n != 300 || w.s.Profile() != fedisim.Mastodon && n != 1 {
			t.Errorf("a stranger sees %d", n)
		}
	})
}
