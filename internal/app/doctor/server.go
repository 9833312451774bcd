package doctor

import (
	"context"
	"regexp"
	"time"

	"rookery/internal/fedi"
	"rookery/internal/words"
)

func (a *account) checkLimits(_ context.Context, r *report) {
	if a.instance.MaxChars == 0 {
		return // it told nothing
	}
	args := words.Args{"chars": a.instance.MaxChars, "server": a.Server}
	if !a.instance.MaxCharsTold {
		r.ok(words.DoctorLimitsAssumed, args)
		return
	}
	r.ok(words.DoctorLimitsOk, args)
}

// aboutBots finds the rules that an operator of a bot should read, in the
// languages that are common on servers.
var aboutBots = regexp.MustCompile(`(?i)\bbots?\b|\bbotting\b|automat|\bunattended\b|artificial intelligence|\bLLMs?\b|language model|chatgpt|machine.generated|` +
	`\bai[- ](?:bots?|generated|content|art|image)|(?-i:\bA\.?I\b|\bKI\b|\bIA\b)|künstliche intelligenz|intelligence artificielle|inteligencia artificial|` +
	`(?:^|\PL)бот(?:а|у|ы|ов|ам|ами|ах|ом|е)?(?:$|\PL)|автоматич|нейросет|искусственн|機械|自動|ボット|人工知能`)

// checkRules prints the server's rules, for whoever runs a bot there agreed to
// them.
func (a *account) checkRules(_ context.Context, r *report) {
	rules := a.instance.Rules
	if len(rules) == 0 {
		return
	}
	for i, rule := range rules {
		args := words.Args{"server": a.Server, "number": i + 1, "rule": cut(oneLine(rule), 400)}
		if aboutBots.MatchString(rule) {
			r.ok(words.DoctorRulesBots, args)
		} else {
			r.ok(words.DoctorRulesRule, args)
		}
	}
}

func (a *account) checkStreaming(ctx context.Context, r *report) {
	args := words.Args{"poll": a.Poll.String()}
	if !a.Streaming {
		r.ok(words.DoctorStreamingOff, args)
		return
	}
	s, err := a.client.OpenStream(ctx, a.StreamURL)
	args["reason"] = reason(err)
	switch {
	case err == nil:
		s.Close()
		r.ok(words.DoctorStreamingOk, args)
	case fedi.ClassOf(err) == fedi.Unsupported:
		r.ok(words.DoctorStreamingNone, args)
	default:
		r.warn(words.DoctorStreamingFailed, words.DoctorStreamingHelp, args)
	}
}

const (
	// someSkew is more than the second to which a server tells its time and
	// the way there account for.
	someSkew = 10 * time.Second
	// wrongSkew is when timed work waits for the clock to be set.
	wrongSkew = 2 * time.Minute
)

func (a *account) checkClock(_ context.Context, r *report) {
	skew, ok := a.client.Skew()
	args := words.Args{"server": a.Server, "seconds": int64(skew.Abs().Round(time.Second) / time.Second)}
	switch {
	case !ok:
		return
	case skew.Abs() > wrongSkew:
		r.fail(words.DoctorClockOff, words.DoctorClockHelp, args)
	case skew.Abs() > someSkew:
		r.warn(words.DoctorClockOff, words.DoctorClockHelp, args)
	default:
		r.ok(words.DoctorClockOk, args)
	}
}
