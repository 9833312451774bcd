package llm

import (
	"fmt"
	"strings"

	"github.com/sashabaranov/go-openai"
)

func chatMessages(messages []Message) []openai.ChatCompletionMessage {
	var out []openai.ChatCompletionMessage
	for _, m := range messages {
		// go-openai leaves an empty text out, and servers then refuse the request.
		text := clean(m.Text)
		switch {
		case len(m.Images) > 0:
			out = append(out, openai.ChatCompletionMessage{Role: m.Role, MultiContent: parts(text, m.Images)})
		case text != "":
			out = append(out, openai.ChatCompletionMessage{Role: m.Role, Content: text})
		}
	}
	return out
}

// answer takes from a response what the caller is told.
func (c *Client) answer(res openai.ChatCompletionResponse) (Answer, *Error) {
	a := Answer{
		PromptTokens: res.Usage.PromptTokens, CompletionTokens: res.Usage.CompletionTokens,
		Model: clean(res.Model),
	}
	if len(res.Choices) == 0 {
		return a, &Error{Class: Empty, Status: 200, text: fmt.Sprintf("%s answered nothing", c.opt.Model)}
	}
	choice := res.Choices[0]
	text := choice.Message.Content
	for _, p := range choice.Message.MultiContent {
		if p.Type == openai.ChatMessagePartTypeText {
			text += p.Text
		}
	}
	text = strings.TrimSpace(withoutThoughts(clean(text)))
	cutShort := choice.FinishReason == openai.FinishReasonLength

	switch {
	case choice.Message.Refusal != "":
		return a, &Error{Class: Refused, Status: 200,
			text: fmt.Sprintf("%s refused: %s", c.opt.Model, c.quote(choice.Message.Refusal))}
	case choice.FinishReason == openai.FinishReasonContentFilter:
		return a, &Error{Class: Refused, Status: 200, text: "the endpoint's filter stopped the answer"}
	case choice.FinishReason == "error":
		return a, &Error{Class: Transient, Status: 200, text: "the model endpoint failed in the middle of the answer"}
	case text == "" && cutShort:
		return a, &Error{Class: Empty, Status: 200,
			text: fmt.Sprintf("%s used up its tokens before the first word: raise %s", c.opt.Model, c.opt.TokensKey)}
	case text == "":
		return a, &Error{Class: Empty, Status: 200, text: fmt.Sprintf("%s answered without text", c.opt.Model)}
	}
	a.Text, a.Truncated = text, cutShort
	return a, nil
}

// withoutThoughts cuts the block in which local reasoning models think aloud
// before they answer, as Ollama and llama.cpp hand it on. One that does not
// end leaves nothing: it was cut off while thinking. Some templates write the
// opening mark into the prompt, so that only the closing one comes back.
func withoutThoughts(s string) string {
	const open, end = "<think>", "</think>"
	start := strings.TrimSpace(s)
	i := strings.Index(start, end)
	switch {
	case strings.HasPrefix(start, open) && i < 0:
		return ""
	case strings.HasPrefix(start, open), i >= 0 && !strings.Contains(start[:i], open):
		return start[i+len(end):]
	}
	return s
}

// clean makes text valid UTF-8 without NUL, which PostgreSQL refuses.
func clean(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
}
