package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"rookery/internal/app/config"
	"rookery/internal/llm"
	"rookery/internal/words"
)

// What the feature gallery needs of the model that describes pictures. Nothing
// stops without it, so that what is wrong here is a warning.

// pictureQuestion goes with the picture that the model is shown.
const pictureQuestion = "Which colour is this picture? Reply with one word."

// checkVision looks at the model that describes pictures, as far as members
// may be offered one.
func (d *doctor) checkVision(ctx context.Context) {
	v := d.cfg.Vision()
	asks := slices.ContainsFunc(d.cfg.Accounts, func(a config.Account) bool { return a.Doing(config.FeatureGallery) && a.AI != config.AINever })
	d.check(ctx, "vision", "", func(_ context.Context, r *report) {
		switch who := v.Processor(); {
		case !asks:
			r.ok(words.DoctorGalleryVisionNever, nil)
		case v.Model == "":
			r.ok(words.DoctorGalleryVisionNone, nil)
		case who == "":
			r.ok(words.DoctorGalleryWhoOwn, nil)
		case who == hostOf(v.BaseURL):
			r.warn(words.DoctorGalleryWhoHost, words.DoctorGalleryWhoHelp, words.Args{"processor": who})
		default:
			r.ok(words.DoctorGalleryWho, words.Args{"processor": who})
		}
	})
	switch {
	case !asks || v.Model == "":
	case d.ShowPicture:
		d.checkFor(ctx, max(d.Timeout, v.Timeout), "vision", "", d.showPicture)
	default:
		d.check(ctx, "vision", "", d.lookForModel)
	}
}

// hostOf is the host of an address as config.Vision.Processor names it.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// transport is what requests go through, and what is done afterwards.
func (d *doctor) transport() (http.RoundTripper, func()) {
	if d.Transport != nil {
		return d.Transport, func() {}
	}
	own := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: d.Timeout, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true}
	return own, own.CloseIdleConnections
}

// mostModels bounds the list that is read: the longest known has 1 MB.
const mostModels = 8 << 20

// errNoList: the service has no list of its models.
var errNoList = errors.New("there is no list of models")

// refusal is the status of an answer that does not take the key.
type refusal string

func (r refusal) Error() string { return string(r) }

// lookForModel looks the model up in its service's list, which costs nothing
// (https://platform.openai.com/docs/api-reference/models/list).
func (d *doctor) lookForModel(ctx context.Context, r *report) {
	v := d.cfg.Vision()
	args := words.Args{"url": v.BaseURL, "model": v.Model}
	models, err := d.listModels(ctx, v)
	status, refused := errors.AsType[refusal](err)
	at := slices.IndexFunc(models, func(m listedModel) bool { return m.is(v.Model) })
	switch {
	case errors.Is(err, errNoList):
		r.ok(words.DoctorGalleryNoList, args)
	case refused:
		args["reason"] = string(status)
		r.warn(words.DoctorGalleryRefused, words.DoctorGalleryRefusedHelp, args)
	case err != nil:
		args["reason"] = cut(oneLine(err.Error()), 500)
		r.warn(words.DoctorGalleryDown, words.DoctorGalleryDownHelp, args)
	case at < 0:
		r.warn(words.DoctorGalleryModelUnlisted, words.DoctorGalleryModelHelp, args)
	case models[at].sees() == "no":
		r.warn(words.DoctorGalleryModelBlind, words.DoctorGalleryModelHelp, args)
	case models[at].sees() == "yes":
		r.ok(words.DoctorGalleryModelSees, args)
	default:
		r.ok(words.DoctorGalleryModelListed, args)
	}
}

// listedModel is one of a list. Few services tell what a model understands.
type listedModel struct {
	ID           string          `json:"id"`
	Architecture json.RawMessage `json:"architecture"` // OpenRouter
	Capabilities json.RawMessage `json:"capabilities"` // Mistral
}

// is tells whether the list means the model of that name. Google writes
// "models/" before it, Ollama ":latest" behind.
func (m listedModel) is(name string) bool {
	return m.ID == name || m.ID == "models/"+name || m.ID == name+":latest"
}

// sees tells whether the model understands pictures: "yes", "no", or "" where
// the list does not say.
func (m listedModel) sees() string {
	var openRouter struct {
		Input []string `json:"input_modalities"`
	}
	if json.Unmarshal(m.Architecture, &openRouter) == nil && len(openRouter.Input) > 0 {
		if slices.Contains(openRouter.Input, "image") {
			return "yes"
		}
		return "no"
	}
	var mistral struct {
		Vision *bool `json:"vision"`
	}
	if json.Unmarshal(m.Capabilities, &mistral) == nil && mistral.Vision != nil {
		if *mistral.Vision {
			return "yes"
		}
		return "no"
	}
	return ""
}

// listModels asks for the list. Its errors never hold the key.
func (d *doctor) listModels(ctx context.Context, v config.Vision) ([]listedModel, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.BaseURL+"/models", http.NoBody)
	if err != nil {
		return nil, err
	}
	if v.APIKey.IsSet() {
		req.Header.Set("Authorization", "Bearer "+v.APIKey.Reveal())
	}
	req.Header.Set("User-Agent", d.userAgent())
	through, done := d.transport()
	defer done()
	client := http.Client{Transport: through, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	rs, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer rs.Body.Close()
	status := fmt.Sprintf("%d %s", rs.StatusCode, http.StatusText(rs.StatusCode))
	switch {
	case rs.StatusCode == http.StatusUnauthorized, rs.StatusCode == http.StatusForbidden:
		return nil, refusal(status)
	case rs.StatusCode == http.StatusNotFound, rs.StatusCode == http.StatusMethodNotAllowed, rs.StatusCode == http.StatusNotImplemented:
		return nil, errNoList
	case rs.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("it answers %s", status)
	}
	body, err := io.ReadAll(io.LimitReader(rs.Body, mostModels+1))
	if err != nil {
		return nil, fmt.Errorf("read the list of models: %w", err)
	}
	if bytes.HasPrefix(bytes.TrimSpace(body), []byte("<")) {
		return nil, errors.New("it answers with a web page: base_url usually ends in /v1")
	}
	var list struct {
		Data []listedModel `json:"data"`
	}
	if json.Unmarshal(body, &list) != nil && json.Unmarshal(body, &list.Data) != nil || len(list.Data) == 0 { // Together sends the bare list
		return nil, errNoList
	}
	return list.Data, nil
}

// showPicture has the model describe a small picture, as the gallery would.
func (d *doctor) showPicture(ctx context.Context, r *report) {
	v := d.cfg.Vision()
	args := words.Args{"url": v.BaseURL, "model": v.Model}
	through, done := d.transport()
	defer done()
	model, err := llm.New(llm.Options{BaseURL: v.BaseURL, Key: v.APIKey.Reveal(), Model: v.Model, Timeout: v.Timeout, MaxTokens: d.cfg.Gallery.MaxTokens,
		Section: d.cfg.Gallery.VisionSection, TokensKey: "gallery.max_tokens",
		UserAgent: d.userAgent(), Now: d.Clock.Now, Transport: through})
	var answer llm.Answer
	began := d.Clock.Now()
	if err == nil {
		answer, err = model.Complete(ctx, []llm.Message{{Role: llm.User, Text: pictureQuestion, Images: []llm.Image{{Type: "image/jpeg", Data: redSquare()}}}})
	}
	if err != nil {
		args["reason"] = strings.TrimSuffix(cut(oneLine(modelReason(err)), 500), ".")
		help := words.DoctorGalleryDownHelp
		switch llm.ClassOf(err) {
		case llm.Auth:
			help = words.DoctorGalleryRefusedHelp
		case llm.Invalid, llm.Refused, llm.Empty:
			help = words.DoctorGalleryModelHelp
		}
		r.warn(words.DoctorGalleryNotShown, help, args)
		return
	}
	args["ms"], args["answer"] = d.Clock.Now().Sub(began).Milliseconds(), cut(oneLine(answer.Text), 100)
	r.ok(words.DoctorGalleryShown, args)
}

// redSquare is a picture that any model can describe, as JPEG.
func redSquare() []byte {
	const side = 64 // some models take none below 28
	m := image.NewRGBA(image.Rect(0, 0, side, side))
	draw.Draw(m, m.Bounds(), image.NewUniform(color.RGBA{R: 0xd0, A: 0xff}), image.Point{}, draw.Src)
	var b bytes.Buffer
	_ = jpeg.Encode(&b, m, nil) // a buffer takes everything
	return b.Bytes()
}
