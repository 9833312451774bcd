package apptest

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/color/palette"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"path"

	"rookery/internal/sim/discordsim"
)

// Drawing is a file with a small picture that no other number has. The name's
// ending says what it is: .png, .jpg or .gif, which moves.
func Drawing(n int, name string) discordsim.File {
	const side = 32
	img := image.NewRGBA(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			img.SetRGBA(x, y, color.RGBA{uint8(n * 37), uint8(x * 8), uint8(y * 8), 255})
		}
	}
	f := discordsim.File{Name: name}
	var b bytes.Buffer
	var err error
	switch path.Ext(name) {
	case ".png":
		f.Type, err = "image/png", png.Encode(&b, img)
	case ".jpg":
		f.Type, err = "image/jpeg", jpeg.Encode(&b, img, nil)
	case ".gif":
		f.Type, err = "image/gif", gif.EncodeAll(&b, moving(img))
	default:
		err = fmt.Errorf("%s is no picture", name)
	}
	if err != nil {
		panic(err) // the encoders write to memory
	}
	f.Data = b.Bytes()
	return f
}

// Described is a file with a description, as its author gives it in Discord.
func Described(f discordsim.File, text string) discordsim.File {
	f.Description = text
	return f
}

// moving is a picture that slides out of itself.
func moving(img image.Image) *gif.GIF {
	g := &gif.GIF{}
	for i := range 3 {
		frame := image.NewPaletted(img.Bounds(), palette.Plan9)
		draw.Draw(frame, frame.Bounds(), img, image.Pt(i*8, 0), draw.Src)
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 10)
	}
	return g
}
