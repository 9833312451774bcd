package discordsim

import (
	"strconv"
	"time"
)

// discordEpoch is the first second of 2015, in milliseconds since 1970.
// Source: reference#snowflakes.
const discordEpoch = 1420070400000

// nextID makes an id of the present: 42 bits of milliseconds, then worker,
// process and a counter. Ids never go back, even when the clock does.
// Called with the mutex held.
func (s *Server) nextID() string {
	id := uint64(max(s.now().UnixMilli()-discordEpoch, 0)) << 22
	if id <= s.lastID {
		id = s.lastID + 1
	}
	s.lastID = id
	return strconv.FormatUint(id, 10)
}

// idTime is when an id was made; zero when it is none.
func idTime(id string) time.Time {
	n, err := strconv.ParseUint(id, 10, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(int64(n>>22) + discordEpoch).UTC()
}

// isSnowflake reports whether a text is an id: a decimal number of 64 bits.
func isSnowflake(text string) bool {
	if text == "" || len(text) > 20 || text[0] < '0' || text[0] > '9' {
		return false
	}
	_, err := strconv.ParseUint(text, 10, 64)
	return err == nil
}

// idLess orders ids by the time they were made.
func idLess(a, b string) bool {
	if len(a) != len(b) {
		return len(a) < len(b)
	}
	return a < b
}

// stamp writes a time as the API does: ISO 8601 with microseconds. Source:
// reference#iso8601-date-time.
func stamp(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05.000000-07:00")
}

// stampOrNull is stamp, and null for no time.
func stampOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return stamp(t)
}

// orNull is null for an empty text.
func orNull(text string) any {
	if text == "" {
		return nil
	}
	return text
}
