package fedi

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"rookery/internal/community"
)

func mention(id, status string) string {
	return fmt.Sprintf(`{"id":%s,"type":"mention","created_at":"2026-11-21T12:00:01.000Z","account":{"id":"7","acct":"ada"},"status":%s}`, id, status)
}

func TestNotificationsAsksForMentionsAndKeepsNothingElse(t *testing.T) {
	t.Parallel()
	var query url.Values
	c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		query = r.URL.Query()
		io.WriteString(w, "["+strings.Join([]string{
			mention(`"9"`, aStatus),
			`{"id":"8","type":"favourite","account":{"id":"7"},"status":` + aStatus + `}`,
			mention(`"9"`, aStatus), // Sharkey lists one twice
			mention(`12345678901234567890123`, aStatus),
			`{"id":"6","type":"follow","account":{"id":"7"}}`,
			mention(`"5"`, aStatus),
		}, ",")+"]")
	})
	page, err := c.Notifications(t.Context(), NotificationQuery{MinID: "4", MaxID: "10", Limit: 500})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, n := range page {
		ids = append(ids, string(n.ID))
		if n.Err != nil || n.Status.ID != "1" || n.CreatedAt.IsZero() {
			t.Errorf("%+v", n)
		}
	}
	if got := strings.Join(ids, " "); got != "9 12345678901234567890123 5" {
		t.Errorf("ids %s", got)
	}
	want := url.Values{"types[]": {"mention"}, "include_filtered": {"true"}, "min_id": {"4"}, "max_id": {"10"}, "limit": {"80"}}
	if query.Encode() != want.Encode() {
		t.Errorf("query %v, want %v", query, want)
	}
	if _, err := c.Notifications(t.Context(), NotificationQuery{}); err != nil || query.Has("min_id") || query.Has("max_id") || query.Get("limit") != "40" {
		t.Errorf("query %v, %v", query, err)
	}
}

// everything is a server that ignores the types it is asked for: of its
// notifications, ids 100 to 999, only those in mentions are any.
func everything(t *testing.T, mentions map[int]bool, asked *int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		*asked++
		q := r.URL.Query()
		limit, err := strconv.Atoi(q.Get("limit"))
		if err != nil {
			t.Error(err)
		}
		lo, hi := 100, 999
		if v, err := strconv.Atoi(q.Get("min_id")); err == nil {
			lo = v + 1
			hi = min(hi, v+limit)
		}
		if v, err := strconv.Atoi(q.Get("max_id")); err == nil {
			hi = v - 1
		}
		var out []string
		for id := hi; id >= lo && len(out) < limit; id-- {
			if mentions[id] {
				out = append(out, mention(fmt.Sprintf("%q", fmt.Sprint(id)), aStatus))
			} else {
				out = append(out, fmt.Sprintf(`{"id":"%d","type":"reblog","account":{"id":"7"}}`, id))
			}
		}
		io.WriteString(w, "["+strings.Join(out, ",")+"]")
	}
}

func TestMentionsBehindPagesOfOthersAreFound(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		q    NotificationQuery
		want string
	}{
		"upwards":           {NotificationQuery{MinID: "100", Limit: 10}, "600"},
		"downwards":         {NotificationQuery{MaxID: "600", Limit: 10}, "110"},
		"from the newest":   {NotificationQuery{Limit: 10}, "600"},
		"none any more up":  {NotificationQuery{MinID: "600"}, ""},
		"none any more":     {NotificationQuery{MaxID: "110"}, ""},
		"others beside one": {NotificationQuery{MinID: "595", Limit: 10}, "600"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := 0
			mentions := map[int]bool{600: true, 110: true}
			if tc.q.MinID == "100" {
				delete(mentions, 110)
			}
			c, _ := serve(t, everything(t, mentions, &asked))
			page, err := c.Notifications(t.Context(), tc.q)
			got := ""
			for _, n := range page {
				got += string(n.ID)
			}
			if err != nil || got != tc.want {
				t.Errorf("%q after %d pages, %v", got, asked, err)
			}
		})
	}
	t.Run("a server that never ends", func(t *testing.T) {
		t.Parallel()
		asked := 0
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			fmt.Fprintf(w, `[{"id":"%d","type":"reblog"}]`, asked)
		})
		if page, err := c.Notifications(t.Context(), NotificationQuery{MinID: "0"}); ClassOf(err) != Transient || asked != otherPages {
			t.Errorf("%v after %d pages, %v", page, asked, err)
		}
	})
	t.Run("a server that repeats itself", func(t *testing.T) {
		t.Parallel()
		asked := 0
		c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
			asked++
			io.WriteString(w, `[{"id":"5","type":"reblog"}]`)
		})
		if page, err := c.Notifications(t.Context(), NotificationQuery{}); err != nil || len(page) != 0 || asked != 2 {
			t.Errorf("%v after %d pages, %v", page, asked, err)
		}
	})
}

func TestANotificationThatCannotBeReadCostsItselfOnly(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ raw, id string }{
		"no status":    {`{"id":"3","type":"mention","account":{"id":"7"}}`, "3"},
		"null status":  {`{"id":"3","type":"mention","status":null}`, "3"},
		"status text":  {`{"id":"3","type":"mention","status":"gone"}`, "3"},
		"no status id": {`{"id":"3","type":"mention","status":{"content":"x","account":{"id":"7"}}}`, "3"},
		"no author":    {`{"id":"3","type":"mention","status":{"id":"1","account":null}}`, "3"},
		"no id":        {`{"type":"mention","status":` + aStatus + `}`, ""},
		"no type":      {`{"id":"3","status":` + aStatus + `}`, "3"},
		"a number":     {`7`, ""},
		"a list":       {`[1]`, ""},
		"bad UTF-8":    {"{\"id\":\"3\",\"type\":\"mention\",\"status\":\"\xff\xfe\"}", "3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := serve(t, answerWith(200, "application/json", "["+mention(`"4"`, aStatus)+","+tc.raw+","+mention(`"2"`, aStatus)+"]"))
			page, err := c.Notifications(t.Context(), NotificationQuery{})
			if err != nil || len(page) != 3 {
				t.Fatalf("%d notifications, %v", len(page), err)
			}
			bad := page[1]
			if bad.Err == nil || string(bad.ID) != tc.id || len(bad.Raw) == 0 {
				t.Errorf("%+v", bad)
			}
			if _, err := c.Converter().Mention("acc", bad); err == nil {
				t.Error("it converts")
			}
			if page[0].Err != nil || page[2].Err != nil {
				t.Errorf("its neighbours: %v, %v", page[0].Err, page[2].Err)
			}
		})
	}
}

func TestWrongTypesOfUnimportantFieldsCostNothing(t *testing.T) {
	t.Parallel()
	st := `{"id":117020577834177997,"uri":null,"url":17,"created_at":"yesterday","edited_at":{},"content":null,"spoiler_text":null,
		"sensitive":"true","visibility":"direct","language":["en"],"in_reply_to_id":42,"in_reply_to_account_id":null,"reblog":false,
		"account":{"id":7,"acct":"ada","username":null,"bot":1,"note":{},"fields":null,"display_name":3},
		"mentions":{"0":"x"},"media_attachments":[null,{"id":-1764036199,"type":"image","description":null,"url":null},"x"],"new":{"a":[1,2]}}`
	c, _ := serve(t, answerWith(200, "application/json", "["+mention(`7`, st)+"]"))
	page, err := c.Notifications(t.Context(), NotificationQuery{})
	if err != nil || len(page) != 1 || page[0].Err != nil {
		t.Fatalf("%+v, %v", page, err)
	}
	s := page[0].Status
	if s.ID != "117020577834177997" || !s.Sensitive || s.InReplyToID != "42" || s.Account.ID != "7" || !s.Account.Bot || s.Account.DisplayName != "3" ||
		s.Visibility != community.Direct || len(s.Mentions) != 0 || len(s.MediaAttachments) != 1 || s.MediaAttachments[0].ID != "-1764036199" {
		t.Errorf("%+v", s)
	}
}

func TestControlCharactersInJSONAreForgiven(t *testing.T) {
	t.Parallel()
	st := strings.Replace(aStatus, "<p>hi</p>", "<p>a\x00b\x01c\nd\\u0000e\xffF\\ud800g</p>", 1)
	c, _ := serve(t, answerWith(200, "application/json", "\ufeff["+mention(`"1"`, st)+"]"))
	page, err := c.Notifications(t.Context(), NotificationQuery{})
	if err != nil || len(page) != 1 || page[0].Err != nil {
		t.Fatalf("%+v, %v", page, err)
	}
	m, err := c.Converter().Mention("acc", page[0])
	if err != nil || m.Post.Text != "a b c de\ufffdF\ufffdg" {
		t.Errorf("%q, %v", m.Post.Text, err)
	}
}

func TestDismiss(t *testing.T) {
	t.Parallel()
	const js = "application/json"
	missing := answerWith(404, js, `{"error":"Not Found"}`)
	for name, tc := range map[string]struct {
		software Software
		mastodon http.HandlerFunc // POST /api/v1/notifications/:id/dismiss
		sharkey  http.HandlerFunc // POST /api/v1/notification/:id/dismiss
		want     [2]Class         // of two dismissals
		asked    string           // the last part of each path asked: m or s
	}{
		"Mastodon":               {Mastodon, answerWith(200, js, "{}"), missing, [2]Class{}, "mm"},
		"not probed":             {"", answerWith(200, js, "{}"), missing, [2]Class{}, "mm"},
		"Akkoma, empty answer":   {Akkoma, answerWith(200, "", ""), missing, [2]Class{}, "mm"},
		"Mastodon, already gone": {Mastodon, missing, missing, [2]Class{Gone, Gone}, "mm"},
		"Sharkey":                {Misskey, missing, answerWith(200, js, "{}"), [2]Class{}, "mss"},
		"GoToSocial":             {GoToSocial, missing, missing, [2]Class{Unsupported, Unsupported}, "ms"},
		"snac":                   {Snac, answerWith(422, "", ""), answerWith(404, "text/html", page), [2]Class{Unsupported, Unsupported}, "ms"},
		"405":                    {SoftwareUnknown, answerWith(405, "", ""), answerWith(405, "", ""), [2]Class{Unsupported, Unsupported}, "ms"},
		"trouble is no lesson":   {GoToSocial, answerWith(503, "", ""), missing, [2]Class{Transient, Transient}, "mm"},
		"later trouble":          {GoToSocial, missing, answerWith(502, "", ""), [2]Class{Transient, Transient}, "msms"},
		"token":                  {GoToSocial, answerWith(401, "", ""), missing, [2]Class{Auth, Auth}, "mm"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			asked := ""
			c, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == "POST" && r.URL.Path == "/api/v1/notifications/5/dismiss":
					asked += "m"
					tc.mastodon(w, r)
				case r.Method == "POST" && r.URL.Path == "/api/v1/notification/5/dismiss":
					asked += "s"
					tc.sharkey(w, r)
				default:
					t.Errorf("%s %s", r.Method, r.URL)
				}
			})
			if tc.software != "" {
				become(c, Instance{Software: tc.software})
			}
			for n, want := range tc.want {
				if err := c.Dismiss(t.Context(), "5"); ClassOf(err) != want {
					t.Errorf("dismissal %d: %v, want %q", n+1, err, want)
				}
			}
			if asked != tc.asked {
				t.Errorf("asked %s, want %s", asked, tc.asked)
			}
		})
	}
}
