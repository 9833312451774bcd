package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"

	"rookery/internal/sim/discordsim"
)

// photoPixels is how many pixels a photograph has for each byte of it: 12
// megapixels in 5 MB.
const photoPixels = 2.4

// photographs are JPEGs of about so many bytes, four to three, each with notes
// of its camera. They differ in their notes alone.
func photographs(n int, size int64) ([]discordsim.File, error) {
	side := 1
	for float64(12*(side+1)*(side+1)) < photoPixels*float64(size) {
		side++
	}
	// What a part of the picture comes to, the whole comes to as well.
	part := image.Rect(0, 0, min(4*side, 800), min(3*side, 600))
	share := float64(part.Dx()*part.Dy()) / float64(12*side*side)
	least, most := 10, 100
	for most-least > 1 {
		quality := (least + most) / 2
		b, err := jpegOf(noisy(part), quality)
		if err != nil {
			return nil, err
		}
		if float64(len(b)) > share*float64(size) {
			most = quality
		} else {
			least = quality
		}
	}
	b, err := jpegOf(noisy(image.Rect(0, 0, 4*side, 3*side)), least)
	if err != nil {
		return nil, err
	}
	var all []discordsim.File
	for i := range n {
		all = append(all, discordsim.File{Name: fmt.Sprintf("IMG_%04d.jpg", 1000+i), Type: "image/jpeg", Data: photographed(b, i)})
	}
	return all, nil
}

func jpegOf(img image.Image, quality int) ([]byte, error) {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, fmt.Errorf("make a photograph: %w", err)
	}
	return b.Bytes(), nil
}

// noisy is a picture with the grain of a camera's.
func noisy(r image.Rectangle) *image.YCbCr {
	img := image.NewYCbCr(r, image.YCbCrSubsampleRatio420)
	random := rand.New(rand.NewPCG(1, 2))
	for y := range r.Dy() {
		row := img.Y[y*img.YStride : y*img.YStride+r.Dx()]
		for x := range row {
			row[x] = uint8(60 + 100*(x%500)/500 + 50*(y%700)/700 + random.IntN(24))
		}
	}
	for i := range img.Cb {
		img.Cb[i], img.Cr[i] = uint8(90+i%70), uint8(110+i/1000%40)
	}
	return img
}

// photographed puts the notes of a camera into a JPEG, among them a small
// preview's place (CIPA DC-008: a TIFF file).
func photographed(b []byte, number int) []byte {
	text := append(fmt.Appendf(nil, "Camera number %d, at 51.4779 N, 0.0015 W. ", number), make([]byte, 8<<10)...)
	tiff := []byte("MM\x00*\x00\x00\x00\x08\x00\x01") // one field: Make, text
	tiff = append(tiff, 0x01, 0x0f, 0, 2)
	tiff = binary.BigEndian.AppendUint32(tiff, uint32(len(text)))
	tiff = binary.BigEndian.AppendUint32(tiff, 26)
	tiff = append(append(tiff, 0, 0, 0, 0), text...)
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(2+6+len(tiff)))
	out = append(append(out, "Exif\x00\x00"...), tiff...)
	return append(out, b[2:]...)
}

// drawing is a small picture that no other number has, described by its author.
func drawing(number int) (discordsim.File, error) {
	img := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for i := range 16 * 16 {
		img.SetRGBA(i%16, i/16, color.RGBA{uint8(number), uint8(number >> 8), uint8(i), 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return discordsim.File{}, fmt.Errorf("make a picture: %w", err)
	}
	return discordsim.File{Name: "drawing.png", Type: "image/png", Data: b.Bytes(), Description: "A drawing, " + mark(number)}, nil
}
