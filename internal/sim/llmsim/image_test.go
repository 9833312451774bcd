package llmsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// picture is a grey one, as PNG or JPEG.
func picture(t testing.TB, kind string, width, height int) []byte {
	t.Helper()
	var b bytes.Buffer
	img := image.NewGray(image.Rect(0, 0, width, height))
	err := png.Encode(&b, img)
	if kind == "jpeg" {
		b.Reset()
		err = jpeg.Encode(&b, img, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func dataURI(mime string, data []byte) string {
	return "data:" + mime + ";base64," + base64.StdEncoding.EncodeToString(data)
}

// asking is a question about one picture.
func asking(role, url, detail string) string {
	img := map[string]any{"url": url}
	if detail != "" {
		img["detail"] = detail
	}
	body, _ := json.Marshal(map[string]any{"model": "m", "messages": []any{map[string]any{"role": role, "content": []any{
		map[string]any{"type": "text", "text": "Describe it"}, map[string]any{"type": "image_url", "image_url": img},
	}}}})
	return string(body)
}

func TestPicturesAreShown(t *testing.T) {
	t.Parallel()
	s := start(t, Options{})
	mustPost(t, s, hello)
	jpg, large := picture(t, "jpeg", 32, 18), picture(t, "png", 1500, 600)
	r := mustPost(t, s, asking("user", dataURI("image/jpeg", jpg), "low"))
	if r.status != 200 || r.Usage.Prompt != Tokens("Describe it")+85 {
		t.Errorf("%d, %d tokens", r.status, r.Usage.Prompt)
	}
	// 1500 by 600 keeps its size: three tiles by two.
	if r := mustPost(t, s, asking("user", dataURI("image/jpeg", large), "")); r.status != 200 || r.Usage.Prompt != Tokens("Describe it")+85+6*170 {
		t.Errorf("%d, %d tokens", r.status, r.Usage.Prompt)
	}
	all := s.Pictured()
	if len(all) != 2 || s.Stats().Pictured != 2 || s.Count() != 3 || all[0].LastUser() != "Describe it" {
		t.Fatalf("pictured: %d of %+v", len(all), s.Stats())
	}
	sum := sha256.Sum256(jpg)
	one, two := all[0].Images()[0], all[1].Images()[0]
	if one.Type != "image/jpeg" || one.Detail != "low" || one.Width != 32 || one.Height != 18 || one.Size != len(jpg) || one.SHA256 != hex.EncodeToString(sum[:]) || !bytes.Equal(one.Data, jpg) {
		t.Errorf("the first is %+v", one)
	}
	if two.Type != "image/png" || two.Said != "image/jpeg" || two.Detail != "auto" {
		t.Errorf("the second is %s, said to be %s, detail %s", two.Type, two.Said, two.Detail)
	}
}

func TestTokensOfPictures(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		width, height int
		detail        string
		want          int
	}{
		{1024, 1024, "high", 765}, {2048, 4096, "high", 1105}, {4096, 8192, "low", 85}, {0, 0, "high", 85}, {10, 10, "auto", 255},
	} {
		if got := (Image{Width: c.width, Height: c.height, Detail: c.detail}).Tokens(); got != c.want {
			t.Errorf("%dx%d %s: %d, want %d", c.width, c.height, c.detail, got, c.want)
		}
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Blind: []string{"blind"}})
	whole := picture(t, "png", 3, 2)
	for name, c := range map[string]struct{ body, code string }{
		"not base64": {asking("user", "data:image/png;base64,@@@", ""), "invalid_base64_image"},
		"a page":     {asking("user", dataURI("image/png", []byte("<html>")), ""), "invalid_image_format"},
		"a piece":    {asking("user", dataURI("image/png", whole[:12]), ""), "image_parse_error"},
		"nothing":    {asking("user", "data:image/png;base64,", ""), "empty_image_file"},
		"a text":     {asking("user", dataURI("text/plain", whole), ""), "unsupported_image_media_type"},
		"an address": {asking("user", "https://art.example/owl.png", ""), "failed_to_download_image"},
		"a word":     {asking("user", "owl", ""), "invalid_image_url"},
		"plain":      {asking("user", "data:image/png,owl", ""), "invalid_image_url"},
		"detail":     {asking("user", dataURI("image/png", whole), "lowest"), "invalid_value"},
		"the system": {asking("system", dataURI("image/png", whole), "low"), "invalid_value"},
		"no url":     {`{"model":"m","messages":[{"role":"user","content":[{"type":"image_url"}]}]}`, "missing_required_parameter"},
		"a sound":    {`{"model":"m","messages":[{"role":"user","content":[{"type":"image","text":"x"}]}]}`, "invalid_value"},
	} {
		r := mustPost(t, s, c.body)
		if r.status != 400 || r.Error.Code == nil || *r.Error.Code != c.code || r.Error.Param == nil || !strings.HasPrefix(*r.Error.Param, "messages[0].content[") {
			t.Errorf("%s: %d %s", name, r.status, r.body)
		}
	}
	// What was refused has left its owner all the same; "a sound" is none.
	if got := s.Stats().Pictured; got != 11 {
		t.Errorf("%d requests came with a picture", got)
	}
	ask := asking("user", dataURI("image/png", whole), "low")
	r := mustPost(t, s, strings.Replace(ask, `"model":"m"`, `"model":"blind"`, 1))
	if r.status != 400 || !strings.Contains(r.Error.Message, "does not support image input") {
		t.Errorf("a model without sight: %d %s", r.status, r.body)
	}
	if r := mustPost(t, s, strings.Replace(hello, `"model":"m"`, `"model":"blind"`, 1)); r.status != 200 {
		t.Errorf("a text to a model without sight: %d", r.status)
	}
	if r := mustPost(t, s, ask); r.status != 200 {
		t.Errorf("a model with sight: %d %s", r.status, r.body)
	}
	none := start(t, Options{Blind: []string{"*"}})
	if r := mustPost(t, none, ask); r.status != 400 {
		t.Errorf("where no model has sight: %d", r.status)
	}
}

func TestAnswersToPicturesThatAreNone(t *testing.T) {
	t.Parallel()
	s := start(t, Options{Answer: func(r Request) Answer {
		return Answer{Text: fmt.Sprintf("A picture of %d pixels", r.Images()[0].Width)}
	}})
	ask := asking("user", dataURI("image/png", picture(t, "png", 3, 2)), "low")
	s.Inject(
		Fault{Kind: CutShort, When: Request.Pictured}, Fault{Kind: CutShort, Text: "An owl."}, Fault{Kind: Filtered}, Fault{Kind: Refuses}, Fault{Kind: Prohibited},
	)
	for i, want := range []struct{ content, finish string }{{"A picture ", "length"}, {"An ", "length"}, {"", "content_filter"}} {
		r := mustPost(t, s, ask)
		if r.status != 200 || r.Choices[0].FinishReason != want.finish || *r.Choices[0].Message.Content != want.content {
			t.Errorf("answer %d: %d %s", i, r.status, r.body)
		}
	}
	if r := mustPost(t, s, ask); r.Choices[0].Message.Content != nil || r.Choices[0].Message.Refusal == nil {
		t.Errorf("a refusal: %s", r.body)
	}
	if r := mustPost(t, s, ask); r.status != 400 || *r.Error.Code != "image_content_policy_violation" {
		t.Errorf("a prohibited picture: %d %s", r.status, r.body)
	}
	if r := mustPost(t, s, ask); *r.Choices[0].Message.Content != "A picture of 3 pixels" {
		t.Errorf("the right answer: %s", r.body)
	}
}
