package sandbox

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"strconv"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/websim"
)

const (
	// tail ends each post of the gallery.
	tail = "Shown with consent by The Clock Tower."
	// processor is who runs the model that describes pictures, as its members
	// are told.
	processor = "Clockwork Works (Switzerland)"
	// seen is what the model sees in every picture.
	seen = "A ring of brass teeth on a field of blue, like the wheel of a clock."
	// galleryToken is the file that holds the token of the gallery's account.
	galleryToken = "gallery-token.txt"
	// perPost is how many files the instance takes in one post.
	perPost = 4
)

// hang makes what a gallery needs besides what every world has: an account, and
// a site that its members link to.
func (w *world) hang() error {
	web, err := websim.New()
	if err != nil {
		return fmt.Errorf("start the simulated site: %w", err)
	}
	w.web = web
	w.fedi.Limit(func(l *fedisim.Limits) { l.Attachments = perPost })
	w.rook = w.fedi.AddAccount("gallery", fedisim.Named("Gallery"), fedisim.Bot(), fedisim.WithToken("gallery-token"))
	return nil
}

// galleryAccount are the sections about the gallery.
func (w *world) galleryAccount() string {
	if w.rook == nil {
		return ""
	}
	return "\n[[account]]\n" +
		"name = \"gallery\"\n" +
		"server = " + strconv.Quote(w.fedi.URL()) + "\n" +
		"token_file = " + strconv.Quote(galleryToken) + "\n" +
		"does = [\"gallery\"]\n" +
		"language = \"en\"\n" +
		"contact = \"@olga@" + domain + "\"\n" +
		"post_tail = " + strconv.Quote(tail) + "\n" +
		"poll = \"250ms\"\n" +
		"rate_limits = \"off\"\n" +
		"\n[gallery.vision]\n" +
		"processor = " + strconv.Quote(processor) + "\n"
}

// drawing is a picture that no other number has: a wheel with teeth, as a PNG.
func drawing(n int, name string) discordsim.File {
	const side = 96
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	teeth := float64(6 + n%20)
	for y := range side {
		for x := range side {
			dx, dy := float64(x)-side/2, float64(y)-side/2
			rim := side/3 + 6*math.Sin(teeth*math.Atan2(dy, dx))
			c := color.RGBA{20, uint8(40 + y), uint8(120 + x), 255}
			if r := math.Hypot(dx, dy); r < rim && r > side/8 {
				c = color.RGBA{uint8(180 + n%60), 140, 40, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		panic(err) // the buffer takes everything
	}
	return discordsim.File{Name: name, Type: "image/png", Data: b.Bytes()}
}

// described is a file with its author's description.
func described(f discordsim.File, text string) discordsim.File {
	f.Description = text
	return f
}
