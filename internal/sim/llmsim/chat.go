package llmsim

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// outcome is what became of a request, for the counts.
type outcome int

const (
	failed outcome = iota
	answered
	left
)

// chat is POST /v1/chat/completions.
func (s *Server) chat(x *exchange) {
	req, wrong := readRequest(x.r, x.body)
	var fault *Fault
	s.change(func() {
		s.stats.Received++
		if req.Pictured() {
			s.stats.Pictured++
		}
		s.stats.Open++
		s.stats.MostOpen = max(s.stats.MostOpen, s.stats.Open)
		req.Number = s.stats.Received
		if fault = s.pick(req); fault != nil {
			req.Fault = fault.Kind
		}
		if len(s.requests) == s.opt.Keep {
			s.requests = slices.Delete(s.requests, 0, 1)
		}
		s.requests = append(s.requests, req)
	})
	x.id = fmt.Sprintf("req_%08d", req.Number)
	end := failed
	defer func() {
		s.change(func() {
			s.stats.Open--
			switch end {
			case answered:
				s.stats.Answered++
			case left:
				s.stats.Left++
			default:
				s.stats.Failed++
			}
		})
		s.log.Debug("chat completion", "number", req.Number, "model", req.Model, "fault", string(req.Fault), "refused", req.Err)
	}()
	switch {
	case fault != nil && fault.early():
		end = fault.do(x, req)
	case !x.allowed():
	case wrong != nil:
		x.fail(http.StatusBadRequest, *wrong)
	case len(s.opt.Models) > 0 && !slices.Contains(s.opt.Models, req.Model):
		x.fail(http.StatusNotFound, apiError{"invalid_request_error", "model_not_found", "",
			fmt.Sprintf("The model `%s` does not exist or you do not have access to it.", req.Model)})
	case s.blind(req):
		wrong, _ := req.noSight()
		x.fail(http.StatusBadRequest, wrong)
	case fault != nil:
		end = fault.do(x, req)
	default:
		end = s.answer(x, req, s.opt.Answer(req), 0)
	}
}

// blind says whether a request has pictures for a model that takes none.
func (s *Server) blind(req Request) bool {
	_, pictured := req.noSight()
	return pictured && (slices.Contains(s.opt.Blind, "*") || slices.Contains(s.opt.Blind, req.Model))
}

// answer sends the completion, after the model's latency and a further delay.
func (s *Server) answer(x *exchange, req Request, a Answer, delay time.Duration) outcome {
	text, _ := a.fit(req)
	if !x.wait(delay + s.opt.Latency + time.Duration(Tokens(text))*s.opt.PerToken) {
		x.observe(0, "", nil)
		return left
	}
	if req.Stream {
		return s.stream(x, req, a)
	}
	x.send(http.StatusOK, "application/json", s.completion(req, a))
	if x.r.Context().Err() != nil {
		return left
	}
	return answered
}

// completion is components/schemas/CreateChatCompletionResponse.
func (s *Server) completion(req Request, a Answer) []byte {
	text, finish := a.fit(req)
	message := map[string]any{"role": "assistant", "content": text, "refusal": nil, "annotations": []any{}}
	said := text
	if a.Refusal != "" {
		message["content"], message["refusal"], said = nil, a.Refusal, a.Refusal
	}
	choices := []any{}
	for i := range req.N {
		choices = append(choices, map[string]any{"index": i, "message": message, "logprobs": nil, "finish_reason": finish})
	}
	return encode(map[string]any{
		"id": completionID(req), "object": "chat.completion", "created": s.opt.Now().Unix(), "model": req.Model,
		"choices": choices, "usage": usage(req, req.N*Tokens(said)), "service_tier": "default",
	})
}

func completionID(req Request) string { return fmt.Sprintf("chatcmpl-sim%08d", req.Number) }

// usage is components/schemas/CompletionUsage.
func usage(req Request, completion int) map[string]any {
	prompt := req.PromptTokens()
	return map[string]any{
		"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion,
		"prompt_tokens_details": map[string]any{"cached_tokens": 0, "audio_tokens": 0},
		"completion_tokens_details": map[string]any{
			"reasoning_tokens": 0, "audio_tokens": 0, "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0,
		},
	}
}

// stream sends the completion as server-sent events, each a
// components/schemas/CreateChatCompletionStreamResponse, word by word.
func (s *Server) stream(x *exchange, req Request, a Answer) outcome {
	text, finish := a.fit(req)
	field, said := "content", text
	if a.Refusal != "" {
		field, said = "refusal", a.Refusal
	}
	created := s.opt.Now().Unix()
	var events [][]byte
	event := func(choices []any, use any) {
		v := map[string]any{"id": completionID(req), "object": "chat.completion.chunk", "created": created,
			"model": req.Model, "choices": choices}
		if use != nil {
			v["usage"] = use
		}
		events = append(events, fmt.Appendf(nil, "data: %s\n\n", encode(v)))
	}
	for i := range req.N {
		choice := func(delta map[string]any, finish any) []any {
			return []any{map[string]any{"index": i, "delta": delta, "logprobs": nil, "finish_reason": finish}}
		}
		event(choice(map[string]any{"role": "assistant", field: ""}, nil), nil)
		for word := range strings.SplitAfterSeq(said, " ") {
			event(choice(map[string]any{field: word}, nil), nil)
		}
		event(choice(map[string]any{}, finish), nil)
	}
	if req.StreamUsage {
		event([]any{}, usage(req, req.N*Tokens(said)))
	}
	events = append(events, []byte("data: [DONE]\n\n"))

	x.observe(http.StatusOK, "text/event-stream", bytes.Join(events, nil))
	x.w.Header().Set("Content-Type", "text/event-stream")
	x.w.Header().Set("X-Request-Id", x.id)
	flush := http.NewResponseController(x.w)
	for _, e := range events {
		if _, err := x.w.Write(e); err != nil {
			return left
		}
		if err := flush.Flush(); err != nil {
			return left
		}
	}
	return answered
}
