package config

import "strings"

// nearest returns the word of known that a person most likely meant by got,
// or "" when none is near.
func nearest(got string, known []string) string {
	if len(got) > 64 { // no word of ours is that long
		return ""
	}
	best, bestAt := "", 0
	g := plain(got)
	for _, k := range known {
		d := distance(g, plain(k))
		if d > max(1, len(k)/3) || d >= len(g) {
			continue
		}
		if best == "" || d < bestAt {
			best, bestAt = k, d
		}
	}
	return best
}

// plain takes away what does not make another word: baseURL, base-url.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '-' || r == '_' || r == '.' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// distance counts the letters to insert, drop, replace or swap with their
// neighbour to make a into b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	two, one := []int(nil), make([]int, len(y)+1)
	for j := range one {
		one[j] = j
	}
	for i := 1; i <= len(x); i++ {
		row := make([]int, len(y)+1)
		row[0] = i
		for j := 1; j <= len(y); j++ {
			change := one[j-1]
			if x[i-1] != y[j-1] {
				change++
			}
			row[j] = min(change, one[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				row[j] = min(row[j], two[j-2]+1)
			}
		}
		two, one = one, row
	}
	return one[len(y)]
}
