package fedisim_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"rookery/internal/sim/fedisim"
)

// A bot is asked something, its server stores the answer but says 500, and the
// test sees what came of it.
func Example() {
	s := fedisim.New(fedisim.Options{Profile: fedisim.Mastodon})
	if err := s.Start(); err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()

	bot := s.AddAccount("elelem", fedisim.Bot())
	ben := s.AddRemote("ben@other.example")
	ask := ben.Post("@elelem@" + s.Domain() + " are you there?")

	s.Inject(fedisim.Fail(500).Stored().On("POST", "/api/v1/statuses"))

	form := url.Values{"status": {"@ben@other.example I am."}, "in_reply_to_id": {ask.ID}}
	req, err := http.NewRequest("POST", s.URL()+"/api/v1/statuses", strings.NewReader(form.Encode()))
	if err != nil {
		fmt.Println(err)
		return
	}
	req.Header.Set("Authorization", "Bearer "+bot.Token)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp.Body.Close()
	fmt.Println(resp.Status)

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err = s.WaitFor(ctx, func(s *fedisim.Server) bool { return len(s.Replies(ask.ID)) == 1 })
	fmt.Println(err, s.Replies(ask.ID)[0].Text)
	// Output:
	// 500 Internal Server Error
	// <nil> @ben@other.example I am.
}
