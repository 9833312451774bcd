package fedi

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// The types of this file decode what servers really send. Implementations
// disagree about null, numbers for strings, "true" for true, and objects for
// lists; none of that may cost us a post, so these never fail: what cannot be
// read is the zero value. Whether a missing value matters is decided by who
// uses it.

// text is a string; a number or a boolean keeps its literal text.
type text string

// UnmarshalJSON implements json.Unmarshaler.
func (t *text) UnmarshalJSON(b []byte) error {
	*t = text(scalar(b))
	return nil
}

// scalar returns the text of a JSON string, number or boolean; "" for others.
func scalar(b []byte) string {
	b = bytes.TrimSpace(b)
	if len(b) == 0 {
		return ""
	}
	switch b[0] {
	case '"':
		var s string
		if json.Unmarshal(b, &s) != nil {
			return ""
		}
		return storable(s)
	case '{', '[', 'n':
		return ""
	}
	return string(b)
}

// storable makes s valid UTF-8 without NUL, which PostgreSQL refuses.
func storable(s string) string {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	if strings.IndexByte(s, 0) >= 0 {
		s = strings.ReplaceAll(s, "\x00", "")
	}
	return s
}

// flag is a boolean; "true", "1" and other numbers than 0 are true as well.
type flag bool

// UnmarshalJSON implements json.Unmarshaler.
func (f *flag) UnmarshalJSON(b []byte) error {
	s := strings.ToLower(scalar(b))
	n, err := strconv.ParseFloat(s, 64)
	*f = flag(s == "true" || err == nil && n != 0)
	return nil
}

// count is a whole number of zero or more, also as a string or with a
// fraction; what cannot be one is 0.
type count int64

// UnmarshalJSON implements json.Unmarshaler.
func (c *count) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseFloat(strings.TrimSpace(scalar(b)), 64)
	if err != nil || n < 0 || n > 1<<52 { // NaN fails every comparison, but ParseFloat's NaN is no JSON number
		n = 0
	}
	if n != n {
		n = 0
	}
	*c = count(n)
	return nil
}

// stamp is a moment; the zero time when it is absent or unreadable.
type stamp time.Time

// The forms seen: RFC 3339 with and without fraction, Pleroma's without a
// zone (UTC), and bare dates (https://docs.joinmastodon.org/api/datetime-format/).
var stampForms = [...]string{time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05", time.DateOnly}

// UnmarshalJSON implements json.Unmarshaler.
func (s *stamp) UnmarshalJSON(b []byte) error {
	*s = stamp(parseStamp(scalar(b)))
	return nil
}

func parseStamp(v string) time.Time {
	for _, form := range stampForms {
		if t, err := time.Parse(form, v); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}

// list is a list; null or anything else is an empty one, and an element that
// cannot be read is left out. No list of a post is honestly longer than
// maxList; what comes after is left out too.
type list[T any] []T

const maxList = 2000

// UnmarshalJSON implements json.Unmarshaler.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	*l = nil
	var raw []json.RawMessage
	if json.Unmarshal(b, &raw) != nil {
		return nil //nolint:nilerr // anything else is an empty list
	}
	for _, r := range raw[:min(len(raw), maxList)] {
		var v T
		if string(r) == "null" || json.Unmarshal(r, &v) != nil {
			continue
		}
		*l = append(*l, v)
	}
	return nil
}

// object is a nested document; null or anything else is its zero value.
type object[T any] struct {
	V  T
	OK bool // an object was there and could be read
}

// UnmarshalJSON implements json.Unmarshaler.
func (o *object[T]) UnmarshalJSON(b []byte) error {
	*o = object[T]{}
	if b = bytes.TrimSpace(b); len(b) == 0 || b[0] != '{' {
		return nil
	}
	var v T
	if json.Unmarshal(b, &v) == nil {
		*o = object[T]{V: v, OK: true}
	}
	return nil
}
