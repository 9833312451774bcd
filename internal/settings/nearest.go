package settings

import (
	"maps"
	"slices"
	"strings"
)

// near is the field that a person most likely meant by name, or "": one that
// is spelled much like it, or the only one of another group with its last word.
func (b *Book) near(name string) string {
	if len(name) > 2*longestWord+1 {
		return ""
	}
	best, least := "", 0
	got := plain(name)
	for _, known := range slices.Sorted(maps.Keys(b.fields)) {
		d := distance(got, plain(known))
		if d > max(1, len(known)/4) || d >= len(got) {
			continue
		}
		if best == "" || d < least {
			best, least = known, d
		}
	}
	if best != "" {
		return best
	}
	_, last, dotted := strings.Cut(name, ".")
	if !dotted {
		last = name
	}
	for _, f := range b.fields {
		if f.name == last {
			if best != "" {
				return ""
			}
			best = f.Name()
		}
	}
	return best
}

// plain takes away what does not make another word.
func plain(s string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(s))
}

// distance counts the letters to insert, drop or replace to make a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	row := make([]int, len(y)+1)
	for j := range row {
		row[j] = j
	}
	for i := range x {
		diagonal := row[0]
		row[0] = i + 1
		for j := range y {
			replaced := diagonal
			if x[i] != y[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(y)]
}
