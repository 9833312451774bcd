package texts

import (
	"maps"
	"slices"

	"rookery/internal/words"
)

// nearest is the key that was probably meant by a name; "" if none comes near.
func (f *file) nearest(got string) words.Key {
	const longest = 100
	if len(got) > longest {
		return ""
	}
	var best words.Key
	least := 4 // changes of a letter; more is another word
	for _, k := range slices.Sorted(maps.Keys(f.keys)) {
		if d := distance(got, string(k)); d < least {
			best, least = k, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or exchanged to make
// b of a.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		corner := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := corner
			if a[i] != b[j] {
				d = 1 + min(corner, row[j], row[j+1])
			}
			corner, row[j+1] = row[j+1], d
		}
	}
	return row[len(b)]
}
