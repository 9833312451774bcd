package fedisim

import (
	"strconv"
	"time"
	"unicode/utf8"
)

// jsonWriter appends JSON by hand. A page of forty posts is some 3,000 fields:
// through encoding/json and maps that takes milliseconds, this way a tenth of one.
type jsonWriter struct{ b []byte }

// sep puts a comma unless a container has just begun or a key awaits its value.
func (w *jsonWriter) sep() {
	if n := len(w.b); n > 0 {
		switch w.b[n-1] {
		case '{', '[', ':':
		default:
			w.b = append(w.b, ',')
		}
	}
}

func (w *jsonWriter) open(c byte)  { w.sep(); w.b = append(w.b, c) }
func (w *jsonWriter) close(c byte) { w.b = append(w.b, c) }

func (w *jsonWriter) key(name string) {
	w.sep()
	w.b = append(w.b, '"')
	w.b = append(w.b, name...)
	w.b = append(w.b, '"', ':')
}

func (w *jsonWriter) str(name, v string)        { w.key(name); w.value(v) }
func (w *jsonWriter) int(name string, v int)    { w.key(name); w.b = strconv.AppendInt(w.b, int64(v), 10) }
func (w *jsonWriter) bool(name string, v bool)  { w.key(name); w.b = strconv.AppendBool(w.b, v) }
func (w *jsonWriter) null(name string)          { w.key(name); w.b = append(w.b, "null"...) }
func (w *jsonWriter) raw(name string, v string) { w.key(name); w.b = append(w.b, v...) }

// real writes a number as JavaScript does, 1 as "1".
func (w *jsonWriter) real(name string, v float64) {
	w.key(name)
	w.b = strconv.AppendFloat(w.b, v, 'g', 10, 64)
}

// strOrNull writes null for an empty string.
func (w *jsonWriter) strOrNull(name, v string) {
	if v == "" {
		w.null(name)
		return
	}
	w.str(name, v)
}

// strs writes a list of strings.
func (w *jsonWriter) strs(name string, vs ...string) {
	w.key(name)
	w.open('[')
	for _, v := range vs {
		w.sep()
		w.value(v)
	}
	w.close(']')
}

// value appends a JSON string; what is not UTF-8 becomes U+FFFD.
func (w *jsonWriter) value(s string) {
	const hex = "0123456789abcdef"
	b := append(w.b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= utf8.RuneSelf {
			if r, size := utf8.DecodeRuneInString(s[i:]); r == utf8.RuneError && size == 1 {
				b = append(append(b, s[start:i]...), "\ufffd"...)
				i++
				start = i
			} else {
				i += size
			}
			continue
		}
		if c >= 0x20 && c != '"' && c != '\\' {
			i++
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
		i++
		start = i
	}
	w.b = append(append(b, s[start:]...), '"')
}

// time writes a moment with milliseconds, as all five servers do.
func (w *jsonWriter) time(name string, t time.Time) {
	w.key(name)
	w.b = append(w.b, '"')
	w.b = t.UTC().AppendFormat(w.b, "2006-01-02T15:04:05.000Z")
	w.b = append(w.b, '"')
}

// quoted is a string as a JSON string.
func quoted(s string) string {
	var w jsonWriter
	w.value(s)
	return string(w.b)
}
