package doctor

import (
	"context"
	"errors"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/llm"
	"rookery/internal/words"
)

// question is what the model is asked: short, and with a short answer.
const question = "Reply with the one word: ready"

// slowModel is an answer to one word that takes too long to be talked with.
const slowModel = 30 * time.Second

// checkModel asks the language model a real question, in the same way as the
// persona would, and waits as long as the persona would.
func (d *doctor) checkModel(ctx context.Context) {
	most := d.Timeout
	if d.cfg.LLM.Timeout > 0 {
		most = d.cfg.LLM.Timeout + time.Second
	}
	d.checkFor(ctx, most, "model", "", d.askModel)
}

func (d *doctor) askModel(ctx context.Context, r *report) {
	c := d.cfg.LLM
	if !d.cfg.Doing(config.FeaturePersona) {
		if !d.cfg.Doing(config.FeatureGallery) { // of which the check of its own model speaks
			r.ok(words.DoctorModelUnused, nil)
		}
		return
	}
	o := llm.Options{
		BaseURL: c.BaseURL, Key: c.APIKey.Reveal(), Model: c.Model, Timeout: c.Timeout,
		Temperature: single(c.Temperature), TopP: single(c.TopP), MaxTokens: c.MaxTokens,
		FrequencyPenalty: single(c.FrequencyPenalty), PresencePenalty: single(c.PresencePenalty), Stop: c.Stop,
		UserAgent: d.userAgent(), Now: d.Clock.Now,
	}
	through, done := d.transport()
	defer done()
	o.Transport = through
	args := words.Args{"model": c.Model, "url": c.BaseURL}
	model, err := llm.New(o)
	if err != nil {
		args["reason"] = err
		r.fail(words.DoctorModelFailed, words.DoctorModelAddressHelp, args)
		return
	}
	began := d.Clock.Now()
	answer, err := model.Complete(ctx, []llm.Message{{Role: llm.User, Text: question}})
	took := d.Clock.Now().Sub(began)
	if err != nil {
		args["reason"] = modelReason(err)
		level, help := modelHelp(llm.ClassOf(err))
		r.say(level, words.DoctorModelFailed, help, args)
		return
	}
	args["ms"], args["prompt"], args["completion"] = took.Milliseconds(), answer.PromptTokens, answer.CompletionTokens
	switch {
	case took > slowModel:
		r.warn(words.DoctorModelOk, words.DoctorModelSlowHelp, args)
	case answer.PromptTokens == 0 && answer.CompletionTokens == 0:
		r.ok(words.DoctorModelUncounted, args)
	default:
		r.ok(words.DoctorModelOk, args)
	}
}

// modelReason is llm's own text, which never holds the key.
func modelReason(err error) string {
	if e, ok := errors.AsType[*llm.Error](err); ok {
		return e.Error()
	}
	return err.Error()
}

func modelHelp(c llm.Class) (Level, words.Key) {
	switch c {
	case llm.Auth:
		return Error, words.DoctorModelKeyHelp
	case llm.Invalid:
		return Error, words.DoctorModelAddressHelp
	case llm.Rate:
		return Warning, words.DoctorModelRateHelp
	case llm.Empty, llm.TooLarge, llm.Refused:
		return Warning, words.DoctorModelOddHelp
	}
	return Error, words.DoctorModelDownHelp
}

func single(v *float64) *float32 {
	if v == nil {
		return nil
	}
	f := float32(*v)
	return &f
}
