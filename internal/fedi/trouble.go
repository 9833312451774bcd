package fedi

import (
	"errors"
	"time"
)

// TroubleKind is what an operator should know of an account.
type TroubleKind string

// The kinds. Each is told once, when it begins.
const (
	TokenRefused TroubleKind = "token refused" // the server no longer takes the token
	TokenSwapped TroubleKind = "token swapped" // it belongs to another account: SwappedError
	Unreachable  TroubleKind = "unreachable"   // the server has not served the account for an hour
	ServedAgain  TroubleKind = "served again"  // after any of the others
)

// unreachableAfter is how long a server may fail before the operator is told:
// restarts and upgrades are shorter.
const unreachableAfter = time.Hour

// note keeps how the last look went, for Status.
func (l *login) note(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lastError = ""; err != nil {
		l.lastError = l.helped(err).Error()
	}
}

// wentWrong is called by the poller alone, as wentWell.
func (l *login) wentWrong(err error) {
	l.note(err)
	now := l.f.Clock.Now()
	if l.failures++; l.failures == 1 || l.failures%100 == 0 {
		l.log.Warn("the account cannot be served now; trying again", "error", l.helped(err))
	} else {
		l.log.Debug("still cannot be served", "error", err)
	}
	if l.failures == 1 || now.Before(l.failing) {
		l.failing = now
	}
	kind := l.trouble
	_, swapped := errors.AsType[*SwappedError](err)
	_, server := errors.AsType[*Error](err) // and not our own store's
	switch {
	case swapped:
		kind = TokenSwapped
	case ClassOf(err) == Auth:
		kind = TokenRefused
	case kind == "" && server && now.Sub(l.failing) >= unreachableAfter:
		kind = Unreachable
	}
	if kind != l.trouble {
		l.trouble = kind
		l.tell(kind, l.helped(err))
	}
}

// wentWell is called when the account was served, or is by another process.
func (l *login) wentWell() {
	l.note(nil)
	if l.failures > 0 {
		l.log.Info("the account is served again", "after_failures", l.failures)
		l.failures = 0
	}
	if l.trouble != "" {
		l.trouble = ""
		l.tell(ServedAgain, nil)
	}
}

func (l *login) tell(kind TroubleKind, err error) {
	if l.f.Trouble != nil {
		l.f.Trouble(l.Name, kind, err)
	}
}
