package doctor

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"rookery/internal/publicnet"
	"rookery/internal/words"
)

// checkOperator looks whether what needs the operator reaches anybody.
func (d *doctor) checkOperator(ctx context.Context, r *report) {
	handle := d.cfg.Operator.Fediverse
	if handle == "" {
		switch on := d.cfg.Discord; {
		case on.OperatorChannel != "":
			// Whether that channel works is said of Discord.
		case on.On:
			r.warn(words.DoctorOperatorNone, words.DoctorDiscordOperatorHelp, nil)
		default:
			r.warn(words.DoctorOperatorNone, words.DoctorOperatorHelp, nil)
		}
		return
	}
	if on := d.cfg.Discord; on.On && len(d.cfg.Accounts) == 0 {
		if on.OperatorChannel == "" { // from Discord nobody on the Fediverse can be told
			r.warn(words.DoctorOperatorNone, words.DoctorDiscordOperatorHelp, nil)
		}
		return
	}
	args := words.Args{"handle": handle}
	there, err := d.Finds(ctx, handle)
	switch {
	case err != nil:
		args["reason"] = reason(err)
		r.ok(words.DoctorOperatorUnclear, args)
	case !there:
		r.warn(words.DoctorOperatorUnknown, words.DoctorOperatorHelp, args)
	default:
		r.ok(words.DoctorOperatorOk, args)
	}
}

// webFinger asks the host of a handle whether it has such an account
// (https://docs.joinmastodon.org/spec/webfinger/).
func webFinger(agent string) func(context.Context, string) (bool, error) {
	return func(ctx context.Context, handle string) (bool, error) {
		_, host, ok := strings.Cut(handle, "@")
		if !ok || host == "" {
			return false, nil
		}
		client := publicnet.New(publicnet.Options{UserAgent: agent})
		u := url.URL{Scheme: "https", Host: host, Path: "/.well-known/webfinger", RawQuery: url.Values{"resource": {"acct:" + handle}}.Encode()}
		resp, err := client.Get(ctx, u.String())
		if err != nil {
			return false, err
		}
		defer resp.Body.Close()
		switch resp.StatusCode {
		case http.StatusOK:
			return true, nil
		case http.StatusNotFound, http.StatusGone:
			return false, nil
		}
		return false, fmt.Errorf("%s answers %d to WebFinger", host, resp.StatusCode)
	}
}
