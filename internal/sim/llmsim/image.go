package llmsim

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif"  // its sizes are told of pictures
	_ "image/jpeg" // its sizes are told of pictures
	_ "image/png"  // its sizes are told of pictures
	"net/http"
	"slices"
	"strings"
)

// Image is a picture of a message, as it came.
type Image struct {
	Type          string // MIME type by the bytes: image/png, image/jpeg, image/gif or image/webp
	Said          string // MIME type that the data URI says
	Detail        string // auto, low or high
	Size          int    // bytes
	Width, Height int    // pixels; 0 for WebP, which is not looked into
	SHA256        string // hexadecimal
	Data          []byte // do not change it
}

// Tokens is what the picture costs: 85 for low detail, else 85 and 170 for each
// tile of 512 pixels, after it was scaled into 2,048 by 2,048 pixels and then to
// 768 on its shorter side. Source:
// https://developers.openai.com/api/docs/guides/images-vision, "Calculating costs".
func (i Image) Tokens() int {
	const base, tile = 85, 170
	if i.Detail == "low" || i.Width == 0 || i.Height == 0 {
		return base
	}
	w, h := float64(i.Width), float64(i.Height)
	if long := max(w, h); long > 2048 {
		w, h = w*2048/long, h*2048/long
	}
	if short := min(w, h); short > 768 {
		w, h = w*768/short, h*768/short
	}
	tiles := func(side float64) int { return (int(side+0.5) + 511) / 512 }
	return base + tile*tiles(w)*tiles(h)
}

// part is one of a message's content.
type part struct {
	Type  string `json:"type"`
	Text  string `json:"text"`
	Image *struct {
		URL    *string `json:"url"`
		Detail *string `json:"detail"`
	} `json:"image_url"`
}

// wrongPart is why a part is refused. The codes are those of
// components/schemas/ResponseErrorCode.
type wrongPart struct {
	at, code, message string
}

func (w *wrongPart) Error() string { return w.message }

// readParts reads the content of a message that is a list
// (components/schemas/ChatCompletionRequestUserMessageContentPart). Only a user's
// messages have pictures. What was read before a mistake is kept.
func (m *Message) readParts(raw json.RawMessage) error {
	var parts []part
	if err := json.Unmarshal(raw, &parts); err != nil || len(parts) == 0 {
		return fmt.Errorf("content is neither a text nor a list of parts")
	}
	var texts []string
	defer func() { m.Text = strings.Join(texts, "\n") }()
	for i, p := range parts {
		at := fmt.Sprintf("content[%d]", i)
		switch p.Type {
		case "text":
			texts = append(texts, p.Text)
		case "image_url":
			if m.Role != "user" {
				return &wrongPart{at, "invalid_value", fmt.Sprintf("Image URLs are only allowed for messages with role 'user', but this message with role '%s' contains an image URL.", m.Role)}
			}
			img, wrong := readImage(p)
			if wrong != nil {
				wrong.at = at + wrong.at
				return wrong
			}
			m.Images = append(m.Images, img)
		case "input_audio", "file", "refusal":
			m.Others++
		default:
			return &wrongPart{at + ".type", "invalid_value", fmt.Sprintf("Invalid value: '%s'. Supported values are: 'text', 'image_url', 'input_audio', 'refusal', and 'file'.", p.Type)}
		}
	}
	return nil
}

// readImage decodes a picture. Only data URIs are taken: nothing here asks
// another server. Source:
// https://developers.openai.com/api/docs/guides/images-vision, "Image input requirements".
func readImage(p part) (Image, *wrongPart) {
	bad := func(at, code, format string, args ...any) (Image, *wrongPart) {
		return Image{}, &wrongPart{at, code, fmt.Sprintf(format, args...)}
	}
	if p.Image == nil || p.Image.URL == nil {
		return bad(".image_url.url", "missing_required_parameter", "Missing required parameter: 'image_url.url'.")
	}
	img := Image{Detail: "auto"}
	if p.Image.Detail != nil {
		img.Detail = *p.Image.Detail
	}
	if !slices.Contains([]string{"auto", "low", "high"}, img.Detail) {
		return bad(".image_url.detail", "invalid_value", "Invalid value: '%s'. Supported values are: 'low', 'high', and 'auto'.", img.Detail)
	}
	const at, expected = ".image_url.url", "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=')"
	url := *p.Image.URL
	if strings.HasPrefix(url, "http://") || strings.HasPrefix(url, "https://") {
		return bad(at, "failed_to_download_image", "Failed to download image from %s. Image is not available.", url)
	}
	head, data, comma := strings.Cut(url, ",")
	said, isData := strings.CutPrefix(head, "data:")
	said, is64 := strings.CutSuffix(said, ";base64")
	switch {
	case !isData || !comma || !is64:
		return bad(at, "invalid_image_url", "%s, but got a value without the 'data:' prefix or without base64.", expected)
	case !strings.HasPrefix(said, "image/"):
		return bad(at, "unsupported_image_media_type", "%s, but got unsupported MIME type '%s'.", expected, said)
	case data == "":
		return bad(at, "empty_image_file", "%s, but got empty base64-encoded bytes.", expected)
	}
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return bad(at, "invalid_base64_image", "Invalid base64 image_url.")
	}
	img.Type, img.Said, img.Size, img.Data = http.DetectContentType(raw), said, len(raw), raw
	sum := sha256.Sum256(raw)
	img.SHA256 = hex.EncodeToString(sum[:])
	switch img.Type {
	case "image/webp":
		return img, nil
	case "image/png", "image/jpeg", "image/gif":
	default:
		return bad(at, "invalid_image_format", "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].")
	}
	cfg, _, err := image.DecodeConfig(bytes.NewReader(raw))
	if err != nil {
		return bad(at, "image_parse_error", "The image could not be parsed.")
	}
	img.Width, img.Height = cfg.Width, cfg.Height
	return img, nil
}

// noSight refuses pictures for a model that takes none, as GPT-3.5 does. Source:
// https://github.com/vllm-project/vllm/issues/11629 (the recorded answer).
func (r Request) noSight() (apiError, bool) {
	for i, m := range r.Messages {
		if len(m.Images) > 0 {
			return apiError{"invalid_request_error", "", fmt.Sprintf("messages.[%d].content", i),
				"Invalid content type. image_url is only supported by certain models: this one does not support image input."}, true
		}
	}
	return apiError{}, false
}

// Images are the pictures of all messages, in order.
func (r Request) Images() []Image {
	var all []Image
	for _, m := range r.Messages {
		all = append(all, m.Images...)
	}
	return all
}

// Pictured says whether a picture came with the request, or anything that was
// meant as one, even if the request was refused as wrong.
func (r Request) Pictured() bool {
	return len(r.Images()) > 0 || bytes.Contains(r.Body, []byte("image_url"))
}

// Pictured are the requests that are remembered and came with a picture, oldest
// first; Stats.Pictured is how many there ever were.
func (s *Server) Pictured() []Request {
	return slices.DeleteFunc(s.Requests(), func(r Request) bool { return !r.Pictured() })
}
