package settings

import (
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"rookery/internal/words"
)

// clip is what is repeated of what somebody wrote.
func clip(s string) string {
	const most = 60
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}

func parseBool(raw string) (on, ok bool) {
	switch strings.ToLower(strings.TrimSpace(raw)) {
	case "on", "yes", "true", "y", "1", "enable", "enabled", "да", "вкл", "включить", "включено":
		return true, true
	case "off", "no", "false", "n", "0", "disable", "disabled", "нет", "выкл", "выключить", "выключено":
		return false, true
	}
	return false, false
}

// isNone tells that a channel, a role or a list is to be empty.
func isNone(raw string) bool {
	switch strings.ToLower(strings.TrimSpace(raw)) {
	case "", "none", "nothing", "-", "–", "—", "нет", "ничего":
		return true
	}
	return false
}

// grouped is a number as people and Number write it: 1,234 or 12 345.
var grouped = regexp.MustCompile(`^[+-]?\d{1,3}(?:[ ,_'\x{a0}\x{202f}]\d{3})+$`)

func parseInt(raw string) (int64, bool) {
	s := strings.TrimSpace(raw)
	s = strings.Replace(s, "−", "-", 1)
	if grouped.MatchString(s) {
		s = strings.NewReplacer(" ", "", ",", "", "_", "", "'", "", "\u00a0", "", "\u202f", "").Replace(s)
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil
}

// timePart is a number with its unit.
var timePart = regexp.MustCompile(`^(\d{1,9})\s*(\pL+)\.?[\s,]*`)

// units are the words for units, by their length.
func unit(word string) (time.Duration, bool) {
	switch word {
	case "s", "sec", "secs", "second", "seconds", "с", "сек", "секунда", "секунду", "секунды", "секунд":
		return time.Second, true
	case "m", "min", "mins", "minute", "minutes", "м", "мин", "минута", "минуту", "минуты", "минут":
		return time.Minute, true
	case "h", "hr", "hrs", "hour", "hours", "ч", "час", "часа", "часов":
		return time.Hour, true
	case "d", "day", "days", "д", "дн", "день", "дня", "дней":
		return 24 * time.Hour, true
	}
	return 0, false
}

// parseDuration reads "1h30m", "90 s", "1 hour 30 minutes", "1 ч 30 мин". Each
// unit may come once.
func parseDuration(raw string) (time.Duration, *Problem) {
	s := strings.ToLower(strings.TrimSpace(raw))
	if s != "" && strings.Trim(s, "0") == "" {
		return 0, nil
	}
	if s != "" && strings.Trim(s, "0123456789") == "" {
		return 0, problem(words.SettingsNoUnit, words.Args{"value": clip(raw)})
	}
	bad := problem(words.SettingsNotDuration, words.Args{"value": clip(raw)})
	var sum time.Duration
	last := time.Duration(0)
	for s != "" {
		m := timePart.FindStringSubmatch(s)
		if m == nil {
			return 0, bad
		}
		u, ok := unit(m[2])
		n, err := strconv.ParseInt(m[1], 10, 64)
		// Units go down; a hundred years is longer than any bound.
		if !ok || err != nil || last != 0 && u >= last || n > int64(100*365*24*time.Hour/u) {
			return 0, bad
		}
		sum, last, s = sum+time.Duration(n)*u, u, s[len(m[0]):]
	}
	if last == 0 {
		return 0, bad
	}
	return sum, nil
}

// formatDuration writes hours, minutes and seconds, without those that are
// none: "24h", "1h30m", "0s".
func formatDuration(d time.Duration) string {
	s := d.Truncate(time.Second).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

var (
	zoneName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_+/-]{0,63}$`)
	zoneWord = regexp.MustCompile(`[a-z]+`)
)

// parseZone loads a time zone. The file systems of some machines have the same
// names in any case; what is stored must be right on all.
func parseZone(raw string) (*time.Location, bool) {
	name := strings.ReplaceAll(strings.TrimSpace(raw), " ", "_")
	if !zoneName.MatchString(name) || strings.EqualFold(name, "local") {
		return nil, false
	}
	if strings.EqualFold(name, "utc") {
		return time.UTC, true
	}
	titled := zoneWord.ReplaceAllStringFunc(strings.ToLower(name), func(w string) string {
		switch w {
		case "of", "es", "de", "au": // Isle_of_Man, Dar_es_Salaam, Rio_de_…, Port-au-Prince
			return w
		}
		return strings.ToUpper(w[:1]) + w[1:]
	})
	tries := []string{titled, name}
	if name != strings.ToLower(name) {
		tries = []string{name, titled}
	}
	for _, n := range tries {
		if z, err := time.LoadLocation(n); err == nil {
			return z, true
		}
	}
	return nil, false
}

var (
	channelForm = regexp.MustCompile(`^(?:<#(\d{1,20})>|(\d{1,20}))$`)
	roleForm    = regexp.MustCompile(`^(?:<@&(\d{1,20})>|(\d{1,20}))$`)
)

func channelID(s string) (string, bool) { return idOf(channelForm, s) }

func roleID(s string) (string, bool) { return idOf(roleForm, s) }

func idOf(form *regexp.Regexp, s string) (string, bool) {
	m := form.FindStringSubmatch(s)
	if m == nil || strings.Trim(m[1]+m[2], "0") == "" {
		return "", false
	}
	return m[1] + m[2], true
}

// split takes a list apart at white space and commas; mentions may stand side
// by side.
func split(raw string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(raw, ">", "> "), func(r rune) bool {
		return unicode.IsSpace(r) || r == ',' || r == ';'
	})
}
