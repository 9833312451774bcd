package fedi

import (
	"context"

	"rookery/internal/community"
	"rookery/internal/failpoint"
)

// DismissLater has a notification dismissed, best effort: it tidies the
// account's list for people who also read it, and nothing depends on it. If
// too many wait it is left out.
func (f *Fedi) DismissLater(account community.AccountID, n community.NotificationID) {
	if f.NoDismissals {
		return
	}
	l, err := f.login(account)
	if err != nil || n == "" {
		return
	}
	select {
	case l.dismissals <- n:
	default:
	}
}

// Dismiss works off what waits to be dismissed, for a process that is about
// to end.
func (f *Fedi) Dismiss(ctx context.Context) {
	for _, l := range f.logins {
		for {
			select {
			case n := <-l.dismissals:
				l.dismiss(ctx, n)
				continue
			default:
			}
			break
		}
	}
}

func (l *login) dismissing(ctx context.Context) {
	for {
		select {
		case n := <-l.dismissals:
			l.dismiss(ctx, n)
		case <-ctx.Done():
			return
		}
	}
}

func (l *login) dismiss(ctx context.Context, n community.NotificationID) {
	if err := l.client.Dismiss(ctx, n); err != nil {
		l.log.Debug("a notification was not dismissed", "notification", n, "error", err)
		return
	}
	failpoint.At("9-dismissed")
}
