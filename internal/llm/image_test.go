package llm

import (
	"encoding/base64"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// shown asks about pictures of these sizes.
func shown(sizes ...int) []Message {
	m := Message{Role: User, Text: "What is this?"}
	for _, n := range sizes {
		m.Images = append(m.Images, Image{Type: "image/jpeg", Data: make([]byte, n)})
	}
	return []Message{m}
}

func TestPicturesAreShown(t *testing.T) {
	t.Parallel()
	e := serve(t, says("A lamp."))
	got, err := client(t, e, nil).Complete(t.Context(), []Message{
		{Role: System, Text: "You are a lighthouse."},
		{Role: User, Text: "What\x00 is this?", Images: []Image{{"image/jpeg", []byte("\xff\xd8\xff\xfe")}, {"image/png", []byte("<&>")}}},
		{Role: User, Images: []Image{{"image/webp", []byte("x")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := (Answer{Text: "A lamp.", PromptTokens: 12, CompletionTokens: 3, Model: "tiny-2026"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	picture := func(uri string) any {
		return map[string]any{"type": "image_url", "image_url": map[string]any{"url": uri, "detail": "low"}}
	}
	want := []any{
		map[string]any{"role": "system", "content": "You are a lighthouse."},
		map[string]any{"role": "user", "content": []any{
			map[string]any{"type": "text", "text": "What is this?"}, picture("data:image/jpeg;base64,/9j//g=="), picture("data:image/png;base64,PCY+"),
		}},
		map[string]any{"role": "user", "content": []any{picture("data:image/webp;base64,eA==")}},
	}
	if d := cmp.Diff(want, e.requests()[0].fields(t)["messages"]); d != "" {
		t.Error(d)
	}
}

func TestPicturesThatAreNotSent(t *testing.T) {
	t.Parallel()
	e := serve(t, says("yes"))
	c := client(t, e, nil)
	third := MaxImageBytes / 3
	for name, tt := range map[string]struct {
		ask  []Message
		want Class
		says string
	}{
		"too many":         {shown(make([]int, MaxImages+1)...), Invalid, "picture 1 is empty"},
		"twenty-one":       {append(shown(1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1), shown(1, 1, 1, 1, 1, 1, 1, 1, 1, 1)...), TooLarge, "21 pictures"},
		"too large":        {shown(third, third, third+3), TooLarge, "make them smaller"},
		"no type":          {[]Message{{Role: User, Images: []Image{{"", []byte("x")}}}}, Invalid, "no type"},
		"a film":           {[]Message{{Role: User, Images: []Image{{"video/mp4", []byte("x")}}}}, Invalid, "no type"},
		"more than a type": {[]Message{{Role: User, Images: []Image{{"image/png;base64,AAAA#", []byte("x")}}}}, Invalid, "no type"},
	} {
		_, err := c.Complete(t.Context(), tt.ask)
		if ClassOf(err) != tt.want || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: class %q: %v", name, ClassOf(err), err)
		}
	}
	if n := len(e.requests()); n != 0 {
		t.Errorf("%d requests were sent", n)
	}
	twenty := make([]int, MaxImages)
	for i := range twenty {
		twenty[i] = 1
	}
	for _, ask := range [][]Message{shown(twenty...), shown(third, third, third)} {
		if _, err := c.Complete(t.Context(), ask); err != nil {
			t.Error(err)
		}
	}
}

// TestModelThatTakesNoPictures: what servers say, as they say it.
func TestModelThatTakesNoPictures(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"openai":     reply(400, `{"error":{"message":"Invalid content type. image_url is only supported by certain models.","type":"invalid_request_error","param":"messages.[0].content.[1].type","code":null}}`),
		"openrouter": reply(404, `{"error":{"message":"No endpoints found that support image input","code":404}}`),
		"ollama":     reply(400, `{"error":{"message":"this model does not support image input (ref: b8bd)","type":"invalid_request_error"}}`),
		"llama.cpp":  reply(500, `{"error":{"code":500,"message":"image input is not supported - hint: if this is unexpected, you may need to provide the mmproj","type":"server_error"}}`),
		"vllm":       reply(400, `{"object":"error","message":"tiny is not a multimodal model","type":"BadRequestError","code":400}`),
		"deepseek":   reply(422, `{"error":{"message":"Failed to deserialize the JSON body into the target type: messages[0]: unknown variant `+"`image_url`, expected `text`"+`"}}`),
		"groq":       reply(400, `{"error":{"message":"messages[0].content must be a string","type":"invalid_request_error"}}`),
		"lm studio":  reply(200, `{"error":"Model does not support images. Please use a model that does."}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := serve(t, answer)
			_, err := client(t, e, func(o *Options) { o.Retries = 3 }).Complete(t.Context(), shown(9))
			if ClassOf(err) != Invalid || !strings.Contains(err.Error(), "the model tiny takes no pictures") || !strings.Contains(err.Error(), "choose one that does") {
				t.Errorf("class %q: %v", ClassOf(err), err)
			}
			if n := len(e.requests()); n != 1 {
				t.Errorf("asked %d times", n)
			}
			if _, err := client(t, e, nil).Complete(t.Context(), hello); err == nil || strings.Contains(err.Error(), "takes no pictures") {
				t.Errorf("without a picture: %v", err)
			}
		})
	}
	for name, answer := range map[string]http.HandlerFunc{
		"one that it cannot read": reply(400, `{"error":{"message":"You uploaded an unsupported image. Please make sure your image is valid.","code":"invalid_image_format"}}`),
		"the limit of requests":   reply(429, `{"error":{"message":"free accounts that support image input wait"}}`),
	} {
		_, err := client(t, serve(t, answer), nil).Complete(t.Context(), shown(9))
		if err == nil || strings.Contains(err.Error(), "takes no pictures") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestPicturesStayOutOfErrors: an endpoint repeats what it was sent.
func TestPicturesStayOutOfErrors(t *testing.T) {
	t.Parallel()
	bytes := []byte(strings.Repeat("secret picture, and more of it. ", 12))
	uri := base64.StdEncoding.EncodeToString(bytes)
	for name, answer := range map[string]http.HandlerFunc{
		"a data URI":   reply(400, `{"error":{"message":"cannot read data:image/png;base64,`+uri+` as a picture","param":"url data:image/png;base64,`+uri+`"}}`),
		"a short one":  reply(400, `{"error":{"message":"cannot read data:image/png;base64,`+uri[:16]+` as a picture"}}`),
		"Base64 alone": reply(400, `{"error":{"message":"cannot read `+uri+` as a picture"}}`),
		"no pictures":  reply(400, `{"error":{"message":"not multimodal: `+uri+`"}}`),
		"refused":      reply(200, `{"choices":[{"message":{"role":"assistant","refusal":"no data:image/png;base64,`+uri+`"}}]}`),
	} {
		_, err := client(t, serve(t, answer), nil).Complete(t.Context(), []Message{{Role: User, Images: []Image{{"image/png", bytes}}}})
		if err == nil || strings.Contains(err.Error(), uri[:16]) || !strings.Contains(err.Error(), "[picture]") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
