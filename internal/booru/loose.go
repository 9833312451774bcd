package booru

import (
	"encoding/json"
	"strconv"
	"strings"
)

// text reads a JSON string or number; anything else is "".
type text string

// UnmarshalJSON never fails: a field of another type is one that was not told.
func (t *text) UnmarshalJSON(raw []byte) error {
	var s string
	var n json.Number
	switch {
	case json.Unmarshal(raw, &s) == nil:
		*t = text(strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
	case json.Unmarshal(raw, &n) == nil:
		*t = text(n)
	default:
		*t = ""
	}
	return nil
}

// number reads a JSON number, or a string that holds one; anything else, and
// what is below zero, is 0.
type number float64

// UnmarshalJSON never fails: a field of another type is one that was not told.
func (n *number) UnmarshalJSON(raw []byte) error {
	var t text
	_ = t.UnmarshalJSON(raw)
	f, err := strconv.ParseFloat(string(t), 64)
	if err != nil || !(f > 0) {
		f = 0
	}
	*n = number(f)
	return nil
}

// list reads a JSON array of strings, or one string with commas.
type list []string

// UnmarshalJSON never fails: a field of another type is one that was not told.
func (l *list) UnmarshalJSON(raw []byte) error {
	*l = nil
	var several []text
	if json.Unmarshal(raw, &several) != nil {
		var one text
		_ = one.UnmarshalJSON(raw)
		for part := range strings.SplitSeq(string(one), ",") {
			several = append(several, text(part))
		}
	}
	for _, t := range several {
		if s := strings.TrimSpace(string(t)); s != "" {
			*l = append(*l, s)
		}
	}
	return nil
}
