package llmsim

import (
	"net/http"
	"strings"
	"testing"

	"rookery/internal/sim/apicheck"
)

// Every answer that is meant to be right is what the published reference
// says, and so are the errors that it describes.
func TestAnswersAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	api := apicheck.FromEnv(t).OpenAI(t)
	if api == nil {
		t.Skip(apicheck.Variable + " is not set")
	}
	seen := map[int]int{}
	s := start(t, Options{Observe: func(x Exchange) {
		seen[x.Status]++
		if err := api.CheckRequest(x.Method, x.Path, "", x.ReqContentType, x.ReqBody); err != nil {
			t.Error(err)
		}
		unknown, err := api.UnknownInResponse(x.Method, x.Path, x.Status, x.RespBody)
		if err != nil || len(unknown) > 0 {
			t.Errorf("%v, unknown fields %v in %.300s", err, unknown, x.RespBody)
		}
	}})
	s.Inject(
		Fault{Kind: RateLimited}, Fault{Kind: OutOfQuota}, Fault{Kind: Refuses}, Fault{Kind: EmptyContent},
		Fault{Kind: PlainText}, Fault{Kind: Huge, Size: 100}, Fault{Kind: NoChoices}, Fault{Kind: Says, Text: "x"},
		Fault{Kind: CutShort}, Fault{Kind: Filtered},
	)
	for range 11 {
		mustPost(t, s, hello)
	}
	mustPost(t, s, asking("user", dataURI("image/png", picture(t, "png", 3, 2)), "low"))
	mustPost(t, s, strings.TrimSuffix(hello, "}")+`,"n":2,"max_tokens":1}`)
	resp, err := http.Get(s.URL() + "/models")
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if seen[200] != 12 || seen[429] != 2 {
		t.Errorf("checked: %v", seen)
	}
}

// The fields that are taken are those of the reference.
func TestParametersAreThoseOfTheReference(t *testing.T) {
	t.Parallel()
	api := apicheck.FromEnv(t).OpenAI(t)
	if api == nil {
		t.Skip(apicheck.Variable + " is not set")
	}
	for _, name := range append(parameters(), "top_k") {
		err := api.CheckRequest("POST", "/v1/chat/completions", "", "application/json", []byte(`{"`+name+`":{}}`))
		if known := !strings.Contains(err.Error(), "not described: $."+name); known != (name != "top_k") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
