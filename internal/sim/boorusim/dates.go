package boorusim

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// inDates compares with a span of time: after it is greater, before it is less.
func inDates(t time.Time, op string, from, to time.Time) bool {
	switch op {
	case "gt":
		return t.After(to)
	case "gte":
		return !t.Before(from)
	case "lt":
		return t.Before(from)
	case "lte":
		return !t.After(to)
	}
	return !t.Before(from) && t.Before(to)
}

// dates reads a date, of which any part from the month on may be left out, or
// "3 days ago", and returns the span that it stands for: DateParser.
func dates(s string, now time.Time) (from, to time.Time, err error) {
	if from, to, ok := relativeDate(s, now); ok {
		return from, to, nil
	}
	parts, zone, ok := absoluteDate(s)
	if !ok {
		return from, to, syntaxError("expected a RFC3339 datetime fragment, like `2019-01-01', or relative date, like `3 days ago', starting at: " + s)
	}
	p := [6]int{0, 1, 1, 0, 0, 0}
	copy(p[:], parts)
	from = time.Date(p[0], time.Month(p[1]), p[2], p[3], p[4], p[5], 0, time.UTC)
	if from.Month() != time.Month(p[1]) || from.Day() != p[2] || p[3] > 23 || p[4] > 59 || p[5] > 59 {
		return from, to, syntaxError("invalid date format in input, parsed as " + strings.Trim(strings.ReplaceAll(fmt.Sprint(parts), " ", ", "), "[]"))
	}
	switch len(parts) {
	case 1:
		to = from.AddDate(1, 0, 0)
	case 2:
		to = from.AddDate(0, 1, 0)
	default:
		to = from.Add([]time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second}[len(parts)-3])
	}
	return from.Add(-zone), to.Add(-zone), nil
}

func relativeDate(s string, now time.Time) (from, to time.Time, ok bool) {
	n := digits(s)
	if n == 0 || n > 12 || n == len(s) || !isSpace(s[n]) {
		return from, to, false
	}
	count, _ := strconv.ParseInt(s[:n], 10, 64)
	unit, ok := strings.CutSuffix(s[n+1:], " ago")
	if !ok {
		return from, to, false
	}
	var scale int64
	switch strings.TrimSuffix(unit, "s") {
	case "second":
		scale = 1
	case "minute":
		scale = 60
	case "hour":
		scale = 3600
	case "day":
		scale = 86_400
	case "week":
		scale = 604_800
	case "month":
		scale = 2_592_000
	case "year":
		scale = 31_536_000
	default:
		return from, to, false
	}
	if count*scale > 31_536_000_000 {
		return from, to, false
	}
	at := func(count int64) time.Time { return time.Unix(now.Unix()-count*scale, 0).UTC() }
	return at(count + 1), at(count), true
}

// absoluteDate reads year, month, day, hour, minute and second, as far as they
// are there, and the zone's difference from UTC.
func absoluteDate(s string) (parts []int, zone time.Duration, ok bool) {
	take := func(size int) bool {
		if digits(s) < size {
			return false
		}
		v, _ := strconv.Atoi(s[:size])
		parts, s = append(parts, v), s[size:]
		return true
	}
	if !take(4) {
		return nil, 0, false
	}
	for _, sep := range []string{"-", "-", "Tt \t", ":", ":"} {
		if len(s) < 3 || !strings.ContainsRune(sep, rune(s[0])) || digits(s[1:]) < 2 {
			break
		}
		s = s[1:]
		take(2)
	}
	if s == "" || s == "Z" || s == "z" {
		return parts, 0, true
	}
	known := len(parts)
	west := s[0] == '-'
	if s[0] != '+' && !west {
		return nil, 0, false
	}
	if s = s[1:]; !take(2) {
		return nil, 0, false
	}
	zone = time.Duration(parts[known]) * time.Hour
	if s != "" {
		if s[0] != ':' {
			return nil, 0, false
		}
		if s = s[1:]; !take(2) || s != "" {
			return nil, 0, false
		}
		zone += time.Duration(parts[known+1]) * time.Minute
	}
	if west {
		zone = -zone
	}
	return parts[:known], zone, true
}
