package doctor

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"rookery/internal/app/config"
	"rookery/internal/fedi"
	"rookery/internal/store"
	"rookery/internal/words"
)

// account is one of our accounts while it is looked at.
type account struct {
	*doctor
	config.Account
	client *fedi.Client

	instance fedi.Instance
	me       fedi.Account
	reached  bool // the server answers as an instance should
	refused  bool // it does not take the token
	known    bool // me is set
}

// checkAccount looks at one account and its server.
func (d *doctor) checkAccount(ctx context.Context, c config.Account) {
	a := &account{doctor: d, Account: c}
	check := func(name string, fn func(context.Context, *report)) { d.check(ctx, name, c.Name, fn) }
	check("server", a.checkServer)
	if a.client == nil {
		return
	}
	defer func() { a.client.Close() }()
	if !c.Token.IsSet() {
		check("token", func(_ context.Context, r *report) { r.fail(words.DoctorTokenMissing, words.DoctorTokenHelp, nil) })
	} else if a.reached {
		check("token", a.checkToken)
		check("scopes", a.checkScopes)
	}
	if !a.reached {
		return // everything else would fail for the same reason
	}
	if c.Token.IsSet() && !a.refused {
		check("policy", a.checkPolicy)
	}
	if a.known {
		check("bot", a.checkBot)
		if c.Doing(config.FeatureGallery) {
			check("profile", a.checkAbout)
		} else {
			check("profile", a.checkProfile)
		}
	}
	check("limits", a.checkLimits)
	if c.Doing(config.FeatureGIFs) {
		check("pictures", a.checkPictures)
	}
	if c.Doing(config.FeatureGallery) {
		check("gallery", a.checkGallery)
	}
	check("rules", a.checkRules)
	if c.Token.IsSet() && !a.refused {
		check("streaming", a.checkStreaming)
	}
	check("clock", a.checkClock)
}

// connect makes the client, with the account's token or without.
func (a *account) connect(token string) (*fedi.Client, error) {
	return fedi.New(fedi.Options{Server: a.Server, Token: token, UserAgent: a.userAgent(), Transport: a.Transport, Clock: a.Clock,
		Timeout: a.Timeout, NoRateLimits: !a.RateLimits})
}

func (a *account) checkServer(ctx context.Context, r *report) {
	args := words.Args{"server": a.Server}
	var err error
	if a.client, err = a.connect(a.Token.Reveal()); err != nil {
		args["reason"] = err
		r.fail(words.DoctorServerDown, words.DoctorServerDownHelp, args)
		return
	}
	a.instance, err = a.client.Instance(ctx)
	if e, ok := errors.AsType[*fedi.Error](err); ok && a.Token.IsSet() && e.Status >= 400 && e.Status < 500 {
		// A token that is not taken must not hide what the server is.
		a.instance, err = a.anonymous(ctx)
		if fedi.ClassOf(err) == fedi.Auth {
			a.reached = true // it answers, but tells nothing to strangers
			return
		}
	}
	if err != nil {
		args["reason"] = reason(err)
		r.fail(words.DoctorServerDown, words.DoctorServerDownHelp, args)
		return
	}
	a.reached = true
	args["software"], args["version"] = string(a.instance.Software), cut(a.instance.Version, 80)
	if a.instance.Software == fedi.SoftwareUnknown {
		r.ok(words.DoctorServerUnknown, args)
		return
	}
	r.ok(words.DoctorServerOk, args)
}

func (a *account) anonymous(ctx context.Context) (fedi.Instance, error) {
	c, err := a.connect("")
	if err != nil {
		return fedi.Instance{}, err
	}
	defer c.Close()
	return c.Instance(ctx)
}

func (a *account) checkToken(ctx context.Context, r *report) {
	me, err := a.client.VerifyCredentials(ctx)
	args := words.Args{"server": a.Server, "reason": reason(err)}
	switch {
	case fedi.ClassOf(err) == fedi.Auth:
		a.refused = true
		r.fail(words.DoctorTokenRefused, words.DoctorTokenHelp, args)
		return
	case err != nil:
		r.fail(words.DoctorTokenUnclear, words.DoctorServerDownHelp, args)
		return
	}
	args["handle"] = a.client.Converter().Member(me).Handle
	was, err := a.before(ctx, me)
	if err != nil {
		args["reason"] = reason(err)
		r.fail(words.DoctorDatabaseClosed, words.DoctorDatabaseClosedHelp, words.Args{"dialect": a.dialect(), "reason": reason(err), "dir": a.cfg.DataDir})
	}
	if was != "" {
		a.refused = true // nothing of that account is of interest
		args["was"] = was
		r.fail(words.DoctorTokenSwapped, words.DoctorTokenSwappedHelp, args)
		return
	}
	a.me, a.known = me, true
	r.ok(words.DoctorTokenOk, args)
}

// before is whose token this account's was, if it was somebody else's; else "".
func (a *account) before(ctx context.Context, me fedi.Account) (string, error) {
	if a.db == nil || !a.db.current {
		return "", nil
	}
	var id, handle string
	err := a.db.row(ctx, []any{&id, &handle}, `select account, handle from fedi_account where name = $1`, a.Name)
	if errors.Is(err, store.ErrNoRows) || err == nil && strings.HasSuffix(id, "/"+string(me.ID)) {
		return "", nil
	}
	return handle, err
}

// scopeNeed is a scope and what does not work without it.
type scopeNeed struct {
	scope  string
	breaks words.Key
	level  Level
}

// scopeNeeds are what the account's features need.
func (a *account) scopeNeeds() []scopeNeed {
	needs := []scopeNeed{
		{"read:accounts", words.DoctorBreaksEverything, Error},
		{"read:notifications", words.DoctorBreaksMentions, Error},
		{"read:statuses", words.DoctorBreaksThreads, Error},
		{"write:statuses", words.DoctorBreaksPosting, Error},
		{"write:notifications", words.DoctorBreaksDismissing, Warning},
	}
	if a.Doing(config.FeaturePersona) && a.cfg.Persona.Audience == "followers" {
		needs = append(needs, scopeNeed{"read:follows", words.DoctorBreaksFollowers, Error})
	}
	if a.Doing(config.FeatureGIFs) || a.Doing(config.FeatureGallery) {
		needs = append(needs, scopeNeed{"write:media", words.DoctorBreaksPictures, Error})
	}
	return needs
}

func (a *account) checkScopes(ctx context.Context, r *report) {
	scopes, err := a.client.AppScopes(ctx)
	args := words.Args{"server": a.Server}
	switch {
	case fedi.ClassOf(err) == fedi.Auth:
		return // said of the token
	case err != nil || len(scopes) == 0:
		r.ok(words.DoctorScopesUnknown, args)
		return
	}
	fine := true
	for _, n := range a.scopeNeeds() {
		wide, _, _ := strings.Cut(n.scope, ":")
		if slices.Contains(scopes, n.scope) || slices.Contains(scopes, wide) || n.scope == "read:accounts" && slices.Contains(scopes, "profile") ||
			n.scope == "read:follows" && slices.Contains(scopes, "follow") {
			continue
		}
		fine = false
		args["scope"], args["breaks"] = n.scope, words.Phrase{Key: n.breaks}
		r.say(n.level, words.DoctorScopesMissing, words.DoctorTokenHelp, args)
	}
	if fine {
		args["scopes"] = strings.Join(scopes, " ")
		r.ok(words.DoctorScopesOk, args)
	}
}

func (a *account) checkPolicy(ctx context.Context, r *report) {
	p, err := a.client.NotificationPolicy(ctx)
	args := words.Args{"server": a.Server, "reason": reason(err)}
	switch {
	case fedi.ClassOf(err) == fedi.Unsupported:
		r.ok(words.DoctorPolicyNone, args)
		return
	case err != nil:
		r.warn(words.DoctorPolicyUnclear, words.DoctorServerDownHelp, args)
		return
	}
	fine := true
	for _, rule := range []struct {
		verdict fedi.Verdict
		who     words.Key
	}{
		{p.NotFollowing, words.DoctorWhoNotFollowed},
		{p.NotFollowers, words.DoctorWhoNotFollowing},
		{p.NewAccounts, words.DoctorWhoNew},
		{p.PrivateMentions, words.DoctorWhoPrivate},
		{p.LimitedAccounts, words.DoctorWhoLimited},
	} {
		args["who"] = words.Phrase{Key: rule.who}
		switch rule.verdict {
		case fedi.Filter:
			if rule.who == words.DoctorWhoLimited {
				continue // the moderators' doing, and meant so
			}
			r.warn(words.DoctorPolicyFilter, words.DoctorPolicyHelp, args)
			fine = false
		case fedi.Drop:
			r.warn(words.DoctorPolicyDrop, words.DoctorPolicyHelp, args)
			fine = false
		}
	}
	if fine {
		r.ok(words.DoctorPolicyOk, args)
	}
}

func (a *account) checkBot(_ context.Context, r *report) {
	if !a.me.Bot {
		r.warn(words.DoctorBotMissing, words.DoctorBotHelp, words.Args{"server": a.Server})
		return
	}
	r.ok(words.DoctorBotOk, nil)
}

// checkProfile looks whether people can find out who runs the bot.
func (a *account) checkProfile(_ context.Context, r *report) {
	note := strings.ToLower(a.client.Converter().Member(a.me).Note)
	user, _, _ := strings.Cut(strings.ToLower(a.cfg.Operator.Fediverse), "@")
	if strings.Contains(note, "@"+user) { // any handle or address, if the operator's is not known
		r.ok(words.DoctorProfileOk, nil)
		return
	}
	r.warn(words.DoctorProfileSilent, words.DoctorProfileHelp, words.Args{"server": a.Server})
}

// reason is an error in the words that help an operator; "" for nil.
func reason(err error) string {
	if err == nil {
		return ""
	}
	e, ok := errors.AsType[*fedi.Error](err)
	if !ok {
		return cut(err.Error(), 500)
	}
	parts := []string{}
	if e.Message != "" {
		parts = append(parts, e.Message)
	}
	if e.Err != nil {
		parts = append(parts, e.Err.Error())
	}
	if len(parts) == 0 {
		parts = append(parts, string(e.Class))
	}
	where := e.Method + " " + e.Path
	if e.Status != 0 {
		where += fmt.Sprintf(", %d %s", e.Status, http.StatusText(e.Status))
	}
	return cut(strings.Join(parts, ": "), 500) + " (" + strings.TrimSpace(where) + ")"
}
