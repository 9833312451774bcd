package llmsim

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// exchange is a request that is being answered.
type exchange struct {
	s    *Server
	w    http.ResponseWriter
	r    *http.Request
	body []byte
	id   string
}

// apiError is the error object of the reference: components/schemas/Error.
type apiError struct {
	kind, code, param, message string
}

func (e apiError) json() []byte {
	null := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	return encode(map[string]any{"error": map[string]any{
		"message": e.message, "type": e.kind, "param": null(e.param), "code": null(e.code),
	}})
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // maps, texts and numbers of our own
		panic(fmt.Sprintf("llmsim: encode an answer: %v", err))
	}
	return data
}

// observe tells of the exchange. It goes before the sending, so that a client
// that has its answer finds the exchange told.
func (x *exchange) observe(status int, contentType string, body []byte) {
	if x.s.opt.Observe == nil {
		return
	}
	x.s.opt.Observe(Exchange{
		Method: x.r.Method, Path: x.r.URL.Path,
		ReqContentType: x.r.Header.Get("Content-Type"), ReqBody: x.body,
		Status: status, RespContentType: contentType, RespBody: body[:min(len(body), maxObserved)],
	})
}

// send answers with a whole body.
func (x *exchange) send(status int, contentType string, body []byte) {
	x.observe(status, contentType, body)
	h := x.w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if x.id != "" {
		h.Set("X-Request-Id", x.id)
	}
	x.w.WriteHeader(status)
	_, _ = x.w.Write(body) // a client that is gone misses it, no more
}

func (x *exchange) fail(status int, e apiError) { x.send(status, "application/json", e.json()) }

// wait is a pause that ends early, with false, when the client leaves or the
// server is closed.
func (x *exchange) wait(d time.Duration) bool {
	if d <= 0 {
		return x.r.Context().Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-x.r.Context().Done():
		return false
	}
}

// allowed checks the bearer key and answers when it is wrong.
func (x *exchange) allowed() bool {
	if x.s.opt.Key == "" {
		return true
	}
	switch key := bearer(x.r); key {
	case x.s.opt.Key:
		return true
	case "":
		x.fail(http.StatusUnauthorized, apiError{"invalid_request_error", "", "",
			"You did not provide an API key: it goes into the Authorization header, as Bearer and the key."})
	default:
		x.fail(http.StatusUnauthorized, wrongKey())
	}
	return false
}

func wrongKey() apiError {
	return apiError{"invalid_request_error", "invalid_api_key", "", "Incorrect API key provided."}
}

// models is GET /v1/models: components/schemas/ListModelsResponse.
func (s *Server) models(x *exchange) {
	if !x.allowed() {
		return
	}
	names := s.opt.Models
	if len(names) == 0 {
		names = []string{"sim-1"}
	}
	data := []any{}
	for _, name := range names {
		data = append(data, map[string]any{"id": name, "object": "model", "created": 1700000000, "owned_by": "llmsim"})
	}
	x.send(http.StatusOK, "application/json", encode(map[string]any{"object": "list", "data": data}))
}
