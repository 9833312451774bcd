package words

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Number writes a whole number with its digits grouped: "12,345" in English,
// in Russian from five digits on and with a space that does not break.
func (l Language) Number(n int64) string { return l.group(strconv.FormatInt(n, 10)) }

// group puts the separators into decimal digits, which may have a sign.
func (l Language) group(digits string) string {
	sign := ""
	if strings.HasPrefix(digits, "-") {
		sign, digits = "-", digits[1:]
	}
	separator, from := ",", 4
	if l == Russian {
		separator, from = "\u00a0", 5
	}
	if len(digits) < from {
		return sign + digits
	}
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteString(separator)
		}
		b.WriteRune(d)
	}
	return sign + b.String()
}

// Time writes a moment of these days, in the time's own zone:
// "27 October, 00:00 (UTC+2)", "27 октября в 00:00 (UTC+2)".
func (l Language) Time(t time.Time) string {
	link := ", "
	if l == Russian {
		link = " в "
	}
	return fmt.Sprintf("%d %s%s%s (%s)", t.Day(), l.month(t.Month()), link, t.Format("15:04"), offset(t))
}

// Date writes a day, in the time's own zone: "3 May 2026", "3 мая 2026 года".
func (l Language) Date(t time.Time) string {
	s := fmt.Sprintf("%d %s %d", t.Day(), l.month(t.Month()), t.Year())
	if l == Russian {
		s += " года"
	}
	return s
}

// month is a month's name, in Russian in the case that follows a day.
func (l Language) month(m time.Month) string {
	if l == Russian && m >= time.January && m <= time.December {
		return [...]string{"января", "февраля", "марта", "апреля", "мая", "июня",
			"июля", "августа", "сентября", "октября", "ноября", "декабря"}[m-1]
	}
	return m.String()
}

// offset names a time's zone by its distance from UTC: short names ("IST")
// mean several.
func offset(t time.Time) string {
	_, seconds := t.Zone()
	if seconds == 0 {
		return "UTC"
	}
	sign := '+'
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	s := fmt.Sprintf("UTC%c%d", sign, seconds/3600)
	if minutes := seconds / 60 % 60; minutes != 0 {
		s += fmt.Sprintf(":%02d", minutes)
	}
	return s
}

// Days is a number of days as an argument: "1 day", "30 дней".
func Days(n int) Phrase { return Phrase{CommonDays, Args{"n": n}} }

// Hours is a number of hours as an argument: "1 hour", "5 часов".
func Hours(n int) Phrase { return Phrase{CommonHours, Args{"n": n}} }
