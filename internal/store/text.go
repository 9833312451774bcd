package store

import "strings"

// Storable makes text from outside fit for both databases: valid UTF-8
// without NUL, which PostgreSQL refuses, and of at most limit bytes.
func Storable(s string, limit int) string {
	s = s[:min(len(s), limit)]
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "")
	return strings.ToValidUTF8(s[:min(len(s), limit)], "") // a character that was cut goes
}
