package main

import (
	"bytes"
	"image/jpeg"
	"slices"
	"strings"
	"testing"

	"rookery/internal/sim/fedisim"
)

func TestAPhotograph(t *testing.T) {
	t.Parallel()
	const size = 100_000
	files, err := photographs(2, size)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 2 || bytes.Equal(files[0].Data, files[1].Data) || files[0].Name == files[1].Name {
		t.Fatal("they do not differ")
	}
	for _, f := range files {
		img, err := jpeg.Decode(bytes.NewReader(f.Data))
		if err != nil {
			t.Fatal(err)
		}
		b := img.Bounds()
		if n := float64(b.Dx() * b.Dy()); b.Dx()*3 != b.Dy()*4 || n > photoPixels*size || n < 0.97*photoPixels*size {
			t.Errorf("it has %v pixels", b)
		}
		if n := len(f.Data) - 8<<10; n > size*11/10 || n < size*8/10 {
			t.Errorf("it has %d bytes besides the camera's notes", n)
		}
	}
}

// What becomes of submissions is looked at with all care: a mistake is an error
// of the whole program.
func TestMistakesInARush(t *testing.T) {
	t.Parallel()
	post := func(n int) fedisim.Post {
		return fedisim.Post{Text: "My work, " + mark(n) + "\n\nArt by artist1", URL: "https://art.example/" + mark(n), Media: []fedisim.Media{{Description: "A drawing, " + mark(n)}}}
	}
	links := []string{post(0).URL, post(1).URL, post(2).URL}
	with := func(i int, change func(*fedisim.Post)) []fedisim.Post {
		all := []fedisim.Post{post(0), post(1), post(2)}
		change(&all[i])
		return all
	}
	for name, tt := range map[string]struct {
		posts   []fedisim.Post
		links   []string
		uploads int
		want    []string
	}{
		"as it must be": {[]fedisim.Post{post(0), post(1), post(2)}, links, 3, nil},
		"lost":          {[]fedisim.Post{post(0), post(1)}, links, 3, []string{"number 2 is not posted"}},
		"twice":         {[]fedisim.Post{post(0), post(1), post(2), post(2)}, links, 3, []string{"4 posts stand for 3 submissions"}},
		"uploaded anew": {[]fedisim.Post{post(0), post(1), post(2)}, links, 4, []string{"4 files were uploaded for 3 submissions"}},
		"overtaken": {[]fedisim.Post{post(0), post(2), post(1)}, []string{links[0], links[2], links[1]}, 3,
			[]string{"in the place of number 1", "in the place of number 2"}},
		"not told":       {[]fedisim.Post{post(0), post(1), post(2)}, []string{links[0], "", links[2]}, 3, []string{`the artist of number 1 is told of ""`}},
		"without files":  {with(1, func(p *fedisim.Post) { p.Media = nil }), links, 3, []string{"in the place of number 1"}},
		"with another's": {with(1, func(p *fedisim.Post) { p.Media = post(2).Media }), links, 3, []string{"in the place of number 1"}},
	} {
		got := mistakes(tt.posts, tt.links, tt.uploads)
		if !slices.EqualFunc(got, tt.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
}
