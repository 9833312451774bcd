package doctor

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/discord"
	"rookery/internal/words"
)

// discordName is what the application is called beside the accounts' names.
const discordName = "discord"

// discordApp is the application on Discord while it is looked at.
type discordApp struct {
	*doctor
	config.Discord
	client http.Client

	id      string // of the application; "" if it is not known
	me      string // id of its bot user
	refused bool   // the token is not taken: everything else would fail too
	skew    time.Duration
	timed   bool // skew is set

	guilds map[string]string    // names by id; nil if not all are known
	places map[string]*botPlace // what the bot is in each guild, as far as asked
}

// checkDiscord looks at the section [discord], if there is one.
func (d *doctor) checkDiscord(ctx context.Context) {
	if !d.cfg.Discord.On {
		return
	}
	a := &discordApp{doctor: d, Discord: d.cfg.Discord}
	a.client = http.Client{Transport: d.Transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if d.Transport == nil {
		own := &http.Transport{Proxy: http.ProxyFromEnvironment, TLSHandshakeTimeout: d.Timeout, MaxResponseHeaderBytes: 64 << 10, ForceAttemptHTTP2: true}
		defer own.CloseIdleConnections()
		a.client.Transport = own
	}
	check := func(name string, fn func(context.Context, *report)) { d.check(ctx, name, discordName, fn) }
	check("token", a.checkToken)
	if a.me == "" {
		return
	}
	check("intents", a.checkIntents)
	if a.refused {
		return
	}
	check("guilds", a.checkGuilds)
	check("sessions", a.checkSessions)
	if a.OperatorChannel != "" {
		check("operator_channel", a.checkChannel)
	}
	if a.Doing(config.FeatureGallery) {
		// Every channel takes a request.
		d.checkFor(ctx, 3*d.Timeout, "gallery", discordName, a.checkGallery)
	}
	check("clock", a.checkClock)
}

// failed says of an answer that was none; it reports whether there was one.
func (a *discordApp) failed(r *report, err error) bool {
	if err == nil {
		return false
	}
	if e, ok := errors.AsType[*discordError](err); ok {
		switch {
		case e.status == http.StatusUnauthorized && e.discords:
			a.refused = true
			r.fail(words.DoctorDiscordTokenRefused, words.DoctorDiscordTokenHelp, words.Args{"api": a.API})
			return true
		case e.status == http.StatusTooManyRequests:
			at := a.Clock.Now().Add(max(e.wait, time.Minute))
			r.fail(words.DoctorDiscordLimited, words.DoctorDiscordLimitedHelp, words.Args{"api": a.API, "time": at})
			return true
		}
	}
	if errors.Is(err, errNotDiscord) {
		r.fail(words.DoctorDiscordNotDiscord, words.DoctorDiscordNotDiscordHelp, words.Args{"api": a.API})
		return true
	}
	r.fail(words.DoctorDiscordUnclear, words.DoctorDiscordUnclearHelp, words.Args{"api": a.API, "reason": reason(err)})
	return true
}

func (a *discordApp) checkToken(ctx context.Context, r *report) {
	if !a.Token.IsSet() {
		r.fail(words.DoctorDiscordTokenMissing, words.DoctorDiscordTokenMissingHelp, nil)
		return
	}
	var me struct {
		ID       string `json:"id"`
		Username string `json:"username"`
		Bot      bool   `json:"bot"`
	}
	if a.failed(r, a.get(ctx, "/users/@me", &me)) {
		return
	}
	if me.ID == "" {
		a.failed(r, errNotDiscord)
		return
	}
	args := words.Args{"name": cut(me.Username, 80)}
	if !me.Bot {
		r.fail(words.DoctorDiscordAnotherKind, words.DoctorDiscordTokenHelp, args)
		return
	}
	a.me = me.ID
	r.ok(words.DoctorDiscordTokenOk, args)
}

// contentFlags are the bits of an application that may read messages: one that
// Discord has verified, and one that is in few guilds. Source:
// resources/application, "Application Flags".
const contentFlags = 1<<18 | 1<<19

func (a *discordApp) checkIntents(ctx context.Context, r *report) {
	var app struct {
		ID    string `json:"id"`
		Flags int64  `json:"flags"`
	}
	if a.failed(r, a.get(ctx, "/applications/@me", &app)) {
		return
	}
	a.id = app.ID
	switch {
	case !a.MessageContent:
		r.ok(words.DoctorDiscordContentUnused, nil)
	case app.Flags&contentFlags == 0:
		r.fail(words.DoctorDiscordContentOff, words.DoctorDiscordContentHelp, words.Args{"address": "https://discord.com/developers/applications/" + url.PathEscape(app.ID) + "/bot"})
	default:
		r.ok(words.DoctorDiscordContentOk, nil)
	}
}

const (
	mostGuilds = 200 // what Discord lists at once
	fewGuilds  = 10  // are named
)

func (a *discordApp) checkGuilds(ctx context.Context, r *report) {
	var in []struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	if a.failed(r, a.get(ctx, "/users/@me/guilds?limit="+strconv.Itoa(mostGuilds), &in)) {
		return
	}
	if len(in) < mostGuilds {
		a.guilds = map[string]string{}
		for _, g := range in {
			a.guilds[g.ID] = cut(oneLine(g.Name), 100)
		}
	}
	switch {
	case len(in) == 0:
		id := a.id
		if id == "" {
			id = a.me // the same, but for applications of before 2016
		}
		r.warn(words.DoctorDiscordGuildsNone, words.DoctorDiscordGuildsHelp, words.Args{"link": discord.InviteURL(id)})
		return
	case len(in) >= mostGuilds:
		r.ok(words.DoctorDiscordGuildsMany, words.Args{"n": len(in)})
		return
	}
	var names []string
	for _, g := range in[:min(len(in), fewGuilds)] {
		names = append(names, cut(oneLine(g.Name), 100))
	}
	if len(in) > fewGuilds {
		names = append(names, "…")
	}
	r.ok(words.DoctorDiscordGuilds, words.Args{"n": len(in), "names": strings.Join(names, ", ")})
}

// fewSessions is how many the bot keeps in hand: below, it waits before each.
const fewSessions = 50

func (a *discordApp) checkSessions(ctx context.Context, r *report) {
	var g struct {
		Limit struct {
			Total     int   `json:"total"`
			Remaining int   `json:"remaining"`
			Reset     int64 `json:"reset_after"` // milliseconds
		} `json:"session_start_limit"`
	}
	if a.failed(r, a.get(ctx, "/gateway/bot", &g)) {
		return
	}
	args := words.Args{"n": g.Limit.Remaining, "total": g.Limit.Total, "time": a.Clock.Now().Add(time.Duration(g.Limit.Reset) * time.Millisecond)}
	if g.Limit.Remaining < fewSessions {
		r.warn(words.DoctorDiscordSessionsFew, words.DoctorDiscordSessionsHelp, args)
		return
	}
	r.ok(words.DoctorDiscordSessions, args)
}

func (a *discordApp) checkClock(_ context.Context, r *report) {
	args := words.Args{"server": "Discord", "seconds": int64(a.skew.Abs().Round(time.Second) / time.Second)}
	switch {
	case !a.timed:
		return
	case a.skew.Abs() > wrongSkew:
		r.fail(words.DoctorClockOff, words.DoctorClockHelp, args)
	case a.skew.Abs() > someSkew:
		r.warn(words.DoctorClockOff, words.DoctorClockHelp, args)
	default:
		r.ok(words.DoctorClockOk, args)
	}
}
