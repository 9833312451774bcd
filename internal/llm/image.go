package llm

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/sashabaranov/go-openai"
)

// Bounds of the pictures of one conversation: what endpoints take, and what the
// request needs of memory on its way (several times its size).
const (
	MaxImages     = 20
	MaxImageBytes = 8 << 20 // of all together
)

// ImageTokens is about how many tokens a picture costs that is shown at low
// detail, for a budget before the call: OpenAI's figure for gpt-4o, gpt-4.1 and
// the models like them (https://platform.openai.com/docs/guides/images-vision).
// Others count otherwise, gpt-4o-mini up to 2833 of its cheaper ones: what an
// answer has cost is in the Answer.
const ImageTokens = 85

// Image is a picture shown to the model, at low detail: the endpoint scales it
// to 512 by 512 pixels or so, and nothing is gained by sending a larger one.
type Image struct {
	Type string // MIME type; every model takes image/jpeg, most image/png, image/webp and image/gif
	Data []byte // the whole file
}

// imageType is what may stand in a data URI as the type of a picture.
var imageType = regexp.MustCompile(`^image/[a-z0-9][a-z0-9.+-]{0,60}$`)

// checkImages returns nil if the pictures can be sent.
func checkImages(messages []Message) *Error {
	n, size := 0, 0
	for _, m := range messages {
		for _, i := range m.Images {
			n++
			size += len(i.Data)
			switch {
			case !imageType.MatchString(i.Type):
				return &Error{Class: Invalid, text: fmt.Sprintf("picture %d has no type of a picture: give one like image/jpeg", n)}
			case len(i.Data) == 0:
				return &Error{Class: Invalid, text: fmt.Sprintf("picture %d is empty", n)}
			}
		}
	}
	switch {
	case n > MaxImages:
		return &Error{Class: TooLarge, text: fmt.Sprintf("%d pictures are too many to show at once: at most %d", n, MaxImages)}
	case size > MaxImageBytes:
		return &Error{Class: TooLarge, text: fmt.Sprintf("the pictures have %d bytes together, at most %d are sent: make them smaller", size, MaxImageBytes)}
	}
	return nil
}

// parts are the text and the pictures of a message, in the form for both.
func parts(text string, images []Image) []openai.ChatMessagePart {
	var out []openai.ChatMessagePart
	if text != "" {
		out = append(out, openai.ChatMessagePart{Type: openai.ChatMessagePartTypeText, Text: text})
	}
	for _, i := range images {
		out = append(out, openai.ChatMessagePart{Type: openai.ChatMessagePartTypeImageURL, ImageURL: &openai.ChatMessageImageURL{
			URL: "data:" + i.Type + ";base64," + base64.StdEncoding.EncodeToString(i.Data), Detail: openai.ImageURLDetailLow,
		}})
	}
	return out
}

// blind tells whether an error says that the model takes no pictures at all, as
// OpenAI, OpenRouter, Ollama, llama.cpp, vLLM, LM Studio, Groq and DeepSeek put
// it. That it cannot read one of them is another error.
func (e apiError) blind() bool {
	return e.says("image_url is only supported", "support image", "supporting image", "image input is not supported",
		"images are not supported", "support vision", "without vision", "not a multimodal model", "not multimodal",
		"at most 0 image", "variant `image_url`", "content must be a string", "missing data required for image")
}

// imageError is the error for an answer to a request with pictures that says
// that the model takes none; nil for any other.
func (c *Client) imageError(status int, body []byte) *Error {
	api, ok := parseAPIError(body)
	if !ok || !api.blind() || status == http.StatusUnauthorized || status == http.StatusTooManyRequests {
		return nil
	}
	return &Error{Class: Invalid, Status: status,
		text: fmt.Sprintf("the model %s takes no pictures (%d): %s: choose one that does", c.opt.Model, status, c.quote(api.Message))}
}

// picture is one as an endpoint may repeat it in what it says: a data URI, or
// what looks like a file in Base64.
var picture = regexp.MustCompile(`data:[\w/.+-]*;base64,[\w+/=-]*|[\w+/-]{120,}={0,2}`)

// withoutPictures puts a word in the place of every picture in a text.
func withoutPictures(s string) string {
	if !strings.Contains(s, ";base64,") && len(s) < 120 {
		return s
	}
	return picture.ReplaceAllString(s, "[picture]")
}
