package importer

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// giffer's variables (https://github.com/DarkShyMW/furry_giffer_bot_mastodon,
// giffer_bot.py, version 3.3), and the server that it takes where none is named.
const (
	furbooruURL    = "FURBOORU_BASE_URL"
	furbooruAPIKey = "FURBOORU_API_KEY"
	safeFilter     = "SAFE_FILTER_ID"
	nsfwFilter     = "NSFW_FILTER_ID"
	checkInterval  = "CHECK_INTERVAL"
	userCooldown   = "USER_COOLDOWN_SEC"
	globalRate     = "GLOBAL_RATE_PER_SEC"
	globalBurst    = "GLOBAL_BURST"
	maxGIFBytes    = "MAX_GIF_BYTES"
	nsfwVisibility = "NSFW_VISIBILITY"
	logLevel       = "LOG_LEVEL"
	logFile        = "LOG_FILE"
	gifferAgent    = "USER_AGENT"
	processingWait = "MEDIA_PROCESS_MAX_WAIT"

	gifferServer = "https://bronyfurry.com"
	gifferBoard  = "https://furbooru.org"
)

// gifferTimeouts and gifferMemory have no place here; tellGiffer says why.
func gifferTimeouts() []string {
	return []string{"CONNECT_TIMEOUT", "READ_TIMEOUT", "SOCKET_DEFAULT_TIMEOUT", "MASTO_CALL_TIMEOUT", "DOWNLOAD_TIMEOUT"}
}

func gifferMemory() []string { return []string{"STATE_FILE", "PROCESSED_CACHE_MAX"} }

// gifferSettings are what giffer's file says, in the terms of Rookery.
type gifferSettings struct {
	token, key    string
	server, board string
	taken         []string  // names of what was taken over
	changed       []changed // of those, what is not as it was
	idle          []string  // names of what has no place here
	unknown       []string  // and of what is none of giffer's
	section       map[string][]string
}

// changed is a variable whose value could not stay.
type changed struct{ name, now string }

// The sections of the configuration that giffer's variables go to.
const (
	inLog     = "log"
	inGIFs    = "gifs"
	inSource  = "gifs.source"
	inAccount = "account"
)

// reading is a file of variables while it is taken over.
type reading struct {
	gifferSettings
	vars  map[string]string
	wrong []error
}

// parseGiffer reads config.env as giffer does, and looks whether the bot could
// work with it. All that is wrong is told at once.
func parseGiffer(data []byte) (gifferSettings, error) {
	vars := gifferVariables(string(data))
	if len(vars) == 0 {
		return gifferSettings{}, errors.New("it has no NAME=value lines, so it is not giffer's settings: " + gifferFiles)
	}
	r := &reading{vars: vars, gifferSettings: gifferSettings{section: map[string][]string{}}}
	r.token = r.secret(mastodonToken, "an access token of the bot's account")
	if r.token == "" {
		r.bad("%s is missing: add a line %s=…, with the access token of the bot's account", mastodonToken, mastodonToken)
	}
	r.key = r.secret(furbooruAPIKey, "an API key of the board")
	r.server = r.address(mastodonURL, gifferServer)
	r.board = r.address(furbooruURL, gifferBoard)
	r.filter(safeFilter, "filter_id")
	r.filter(nsfwFilter, "nsfw_filter_id")
	r.seconds(checkInterval, inAccount, "poll", 5, 3600)
	r.seconds(userCooldown, inGIFs, "cooldown", 0, 86400)
	r.number(globalRate, inGIFs, "rate", 0.001, 100, func(v float64) string { return decimal(v) })
	r.number(globalBurst, inGIFs, "burst", 1, 100, func(v float64) string { return strconv.Itoa(int(v)) })
	const mb = 1 << 20
	r.number(maxGIFBytes, inGIFs, "max_download_mb", mb, 500*mb, func(v float64) string { return strconv.Itoa(int(math.Ceil(v / mb))) })
	r.visibility()
	r.level()
	r.rest()
	return r.gifferSettings, errors.Join(r.wrong...)
}

func (r *reading) bad(format string, args ...any) {
	r.wrong = append(r.wrong, fmt.Errorf(format, args...))
}

// value is what a variable says; empty is as good as not there.
func (r *reading) value(name string) string { return strings.TrimSpace(r.vars[name]) }

// keep writes a line of the configuration for a variable.
func (r *reading) keep(name, section, key, value string) {
	r.taken = append(r.taken, name)
	r.section[section] = append(r.section[section], fmt.Sprintf("%s = %s   # was %s", key, value, name))
}

func (r *reading) secret(name, what string) string {
	v := r.value(name)
	switch {
	case v == "" || strings.EqualFold(v, "YOUR_TOKEN_HERE") || strings.EqualFold(v, "OPTIONAL"): // as in its example
		return ""
	case strings.ContainsFunc(v, func(c rune) bool { return c <= ' ' || c > '~' || strings.ContainsRune("\"'`\\", c) }):
		r.bad("%s holds a space, a quote or another character that does not belong there: write %s itself, copied again", name, what)
		return ""
	}
	r.taken = append(r.taken, name)
	return v
}

func (r *reading) address(name, otherwise string) string {
	v := strings.TrimRight(r.value(name), "/")
	if v == "" {
		return otherwise
	}
	at, err := origin(name, v)
	if err != nil {
		r.wrong = append(r.wrong, err)
	}
	r.taken = append(r.taken, name)
	return at
}

func (r *reading) filter(name, key string) {
	v := r.value(name)
	switch {
	case v == "" || strings.EqualFold(v, "OPTIONAL"):
	case len(v) > 18 || strings.Trim(v, "0123456789") != "" || v[0] == '0':
		r.bad("%s is not the number of a filter: write its digits, as the board's page of filters shows them", name)
	default:
		r.keep(name, inSource, key, v)
	}
}

// number takes a number over, or the nearest that Rookery takes. say writes it
// as the configuration has it.
func (r *reading) number(name, section, key string, low, high float64, say func(float64) string) {
	v := r.value(name)
	if v == "" {
		return
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		r.bad("%s is not a number: write one like %s", name, say(max(low, 20)))
		return
	}
	within := min(max(f, low), high)
	r.keep(name, section, key, say(within))
	if within != f {
		r.changed = append(r.changed, changed{name, key + " = " + say(within)})
	}
}

func (r *reading) seconds(name, section, key string, low, high float64) {
	r.number(name, section, key, low, high, func(v float64) string { return `"` + strconv.Itoa(int(math.Ceil(v))) + `s"` })
}

// decimal is a number as TOML has those with a point.
func decimal(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// visibility: giffer took a word it did not know for public, and public is
// wider than an NSFW picture is shown here.
func (r *reading) visibility() {
	v := strings.ToLower(r.value(nsfwVisibility))
	if v == "" {
		return
	}
	if v != "unlisted" && v != "private" && v != "direct" {
		v = "unlisted"
		r.changed = append(r.changed, changed{nsfwVisibility, `nsfw_visibility = "unlisted"`})
	}
	r.keep(nsfwVisibility, inGIFs, "nsfw_visibility", `"`+v+`"`)
}

func (r *reading) level() {
	v := strings.ToLower(r.value(logLevel))
	if v == "" {
		return
	}
	level, ok := map[string]string{"notset": "debug", "debug": "debug", "info": "info", "warn": "warn", "warning": "warn", "error": "error", "critical": "error", "fatal": "error"}[v]
	if !ok {
		level = "info" // as giffer did
	}
	r.keep(logLevel, inLog, "level", `"`+level+`"`)
}

// rest sorts what is left into what has no place here and what is unknown.
func (r *reading) rest() {
	idle := append(append(gifferTimeouts(), gifferMemory()...), logFile, gifferAgent, processingWait)
	known := []string{mastodonToken, mastodonURL, furbooruURL, furbooruAPIKey, safeFilter, nsfwFilter, checkInterval, userCooldown, globalRate,
		globalBurst, maxGIFBytes, nsfwVisibility, logLevel}
	for name := range r.vars {
		switch {
		case slices.Contains(idle, name):
			r.idle = append(r.idle, name)
		case !slices.Contains(known, name):
			r.unknown = append(r.unknown, name)
		}
	}
	slices.Sort(r.idle)
	slices.Sort(r.unknown)
}

var (
	gifferLine = regexp.MustCompile(`^(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)$`)
	comment    = regexp.MustCompile(`\s+#.*$`)
)

// gifferVariables reads NAME=value lines as giffer does: spaces around the =,
// a ; as well as a # before a comment, one pair of quotes; of two lines of one
// name the earlier counts, and what is no such line does not.
func gifferVariables(text string) map[string]string {
	vars := map[string]string{}
	for line := range strings.Lines(text) {
		m := gifferLine.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		if _, twice := vars[m[1]]; !twice {
			vars[m[1]] = gifferValue(m[2])
		}
	}
	return vars
}

func gifferValue(v string) string {
	if v != "" && (v[0] == '"' || v[0] == '\'') {
		if end := strings.IndexByte(v[1:], v[0]); end >= 0 {
			return strings.TrimSpace(v[1 : 1+end])
		}
	}
	v = comment.ReplaceAllString(v, "")
	return strings.Trim(strings.TrimSpace(v), `"'`)
}
