package boorusim

import (
	"image"
	"image/color"
	"math"
)

// Scene is what an animation shows.
type Scene string

// The scenes.
const (
	Square    Scene = "" // a square that goes from left to right
	Ball      Scene = "ball"
	Spin      Scene = "spin"
	Rain      Scene = "rain"
	Snow      Scene = "snow"
	Waves     Scene = "waves"
	Stars     Scene = "stars"
	Sunrise   Scene = "sunrise"
	Clock     Scene = "clock"
	Rings     Scene = "rings"
	Bars      Scene = "bars"
	Pendulum  Scene = "pendulum"
	Carousel  Scene = "carousel"
	Rainbow   Scene = "rainbow"
	Lissajous Scene = "lissajous"
)

// moment is a scene at a time from 0 to 1.
type moment func(t float64) dot

// dot is the colour's number at a point. x goes from -a to a, a being the width
// by the height, and y from -1, above, to 1.
type dot func(x, y float64) uint8

// painter is how a scene is drawn, and its colours.
func (s Scene) painter() (paint func(*image.Paletted, float64), colors []color.RGBA) {
	if s == Square {
		return square, ramp(0x1d2b53, 0xffec27, 4)
	}
	when, colors := s.moment()
	return func(im *image.Paletted, t float64) {
		at := when(t)
		w, h := im.Rect.Dx(), im.Rect.Dy()
		half := float64(h) / 2
		for py := range h {
			y := (float64(py) + 0.5 - half) / half
			line := im.Pix[py*im.Stride : py*im.Stride+w]
			for px := range line {
				line[px] = at((float64(px)+0.5-float64(w)/2)/half, y)
			}
		}
	}, colors
}

// square is drawn without arithmetic for every point: tests have many of it.
func square(im *image.Paletted, t float64) {
	clear(im.Pix)
	w, h := im.Rect.Dx(), im.Rect.Dy()
	side := max(1, min(w, h)/3)
	left := int(t * float64(max(1, w-side)))
	for y := (h - side) / 2; y < (h-side)/2+side; y++ {
		for x := left; x < min(w, left+side); x++ {
			im.Pix[y*im.Stride+x] = 3
		}
	}
}

func rgb(c uint32) color.RGBA {
	return color.RGBA{R: byte(c >> 16), G: byte(c >> 8), B: byte(c), A: 255}
}

// ramp goes from one colour to another in n steps.
func ramp(from, to uint32, n int) []color.RGBA {
	a, b := rgb(from), rgb(to)
	all := make([]color.RGBA, n)
	for i := range all {
		mix := func(x, y uint8) uint8 { return uint8((int(x)*(n-1-i) + int(y)*i) / max(1, n-1)) }
		all[i] = color.RGBA{R: mix(a.R, b.R), G: mix(a.G, b.G), B: mix(a.B, b.B), A: 255}
	}
	return all
}

func palette(colors ...uint32) []color.RGBA {
	all := make([]color.RGBA, len(colors))
	for i, c := range colors {
		all[i] = rgb(c)
	}
	return all
}

// pick is 1 where something is and 0 elsewhere.
func pick(is bool) uint8 {
	if is {
		return 1
	}
	return 0
}

// step is which of n steps a value from 0 to 1 is on.
func step(v float64, n int) uint8 { return uint8(min(max(int(v*float64(n)), 0), n-1)) }

// scatter is a number from 0 to 1 that a cell always has.
func scatter(x, y int) float64 {
	h := uint32(x)*374761393 + uint32(y)*668265263
	h = (h ^ h>>13) * 1274126177
	return float64(h^h>>16) / (1 << 32)
}

func turn(t float64) (sin, cos float64) { return math.Sincos(2 * math.Pi * t) }

func (s Scene) moment() (moment, []color.RGBA) {
	switch s {
	case Ball:
		return func(t float64) dot {
			jump := 1 - 4*math.Pow(math.Mod(t*2, 1)-0.5, 2)
			bx, by := 0.9*math.Sin(2*math.Pi*t), 0.55-1.1*jump
			return func(x, y float64) uint8 {
				d := math.Hypot(x-bx, y-by)
				switch {
				case d < 0.1 && x < bx && y < by:
					return 3
				case d < 0.25:
					return 2
				case y > 0.8:
					return 1
				}
				return 0
			}
		}, palette(0xbfe6ff, 0x5fae57, 0xe8483f, 0xffffff)
	case Spin:
		return func(t float64) dot {
			sin, cos := turn(t / 4)
			return func(x, y float64) uint8 {
				u, v := math.Abs(x*cos-y*sin), math.Abs(x*sin+y*cos)
				return pick(u < 0.55 && v < 0.55) + pick(u < 0.3 && v < 0.3)
			}
		}, palette(0x20243c, 0x4fb3bf, 0xffd166)
	case Rain:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				cx := int(math.Floor(x * 20))
				drop := math.Mod(y*0.5+0.5-t*2+scatter(cx, 7)*4+8, 1)
				if y > 0.85 {
					return 2
				}
				return pick(math.Mod(x*20+400, 1) < 0.3 && drop < 0.12)
			}
		}, palette(0x34495e, 0xaed6f1, 0x1f3a4d)
	case Snow:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				if y > 0.7+0.05*math.Sin(x*4) {
					return 1
				}
				sy := y - t*0.5
				cx, cy := int(math.Floor(x*8)), int(math.Floor(sy*8))
				u, v := x*8-float64(cx)-0.3-0.4*scatter(cx, cy&3), sy*8-float64(cy)-0.5
				return pick(math.Hypot(u, v) < 0.18 && scatter(cx+99, cy&3) < 0.5)
			}
		}, palette(0x6f8fb0, 0xffffff)
	case Waves:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				for i := uint8(3); i > 0; i-- {
					k := float64(i)
					if y > -0.5+k*0.35+0.1*math.Sin(x*(2+k)+k+2*math.Pi*t*(2*math.Mod(k, 2)-1)) {
						return i
					}
				}
				return 0
			}
		}, palette(0xfff1d0, 0x86c5da, 0x3f88c5, 0x1b4965)
	case Stars:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				cx, cy := int(math.Floor(x*9)), int(math.Floor(y*9))
				if scatter(cx, cy) < 0.6 {
					return 0
				}
				u, v := math.Abs(x*9-float64(cx)-0.5), math.Abs(y*9-float64(cy)-0.5)
				glow := 0.5 + 0.5*math.Sin(2*math.Pi*(t+scatter(cy, cx)))
				return pick(u*v < 0.004+0.01*glow && u+v < 0.15+0.3*glow)
			}
		}, palette(0x0b1026, 0xfff6c2)
	case Sunrise:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				if y > 0.45 {
					return 9
				}
				sun := 0.45 - math.Sin(math.Pi*t)*0.9
				if math.Hypot(x, y-sun) < 0.3 {
					return 8
				}
				return step((y+1)/1.45, 8)
			}
		}, append(ramp(0x2b2d6e, 0xff9e6d, 8), rgb(0xfff1a8), rgb(0x22333b))
	case Clock:
		return func(t float64) dot {
			hand := func(at, length, wide float64) dot {
				sin, cos := turn(at)
				return func(x, y float64) uint8 {
					along := x*sin - y*cos
					return pick(along > 0 && along < length && math.Abs(x*cos+y*sin) < wide)
				}
			}
			minutes, hours := hand(t, 0.7, 0.025), hand(t/12+0.3, 0.45, 0.045)
			return func(x, y float64) uint8 {
				d := math.Hypot(x, y)
				switch {
				case d > 0.9:
					return 0
				case d > 0.82 || minutes(x, y)+hours(x, y) > 0 || d < 0.06:
					return 2
				}
				return 1
			}
		}, palette(0x8d6a4f, 0xfdf6e3, 0x2f2f2f)
	case Rings:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				return step(math.Mod(math.Hypot(x, y)-t+2, 1), 6)
			}
		}, ramp(0x14213d, 0xfca311, 6)
	case Bars:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				c := int(math.Floor(x * 5))
				high := 0.9 * math.Abs(math.Sin(math.Pi*(t+scatter(c, 3))))
				if math.Mod(x*5+100, 1) < 0.15 || 0.9-y > 1.8*high || y > 0.9 {
					return 0
				}
				return 1 + step((0.9-y)/1.8, 3)
			}
		}, palette(0x101418, 0x2ecc71, 0xf1c40f, 0xe74c3c)
	case Pendulum:
		return func(t float64) dot {
			sin, cos := math.Sincos(0.7 * math.Sin(2*math.Pi*t))
			bx, by := 1.5*sin, -1+1.5*cos
			return func(x, y float64) uint8 {
				if math.Hypot(x-bx, y-by) < 0.17 {
					return 2
				}
				along := x*sin + (y+1)*cos
				return pick(along > 0 && along < 1.5 && math.Abs(x*cos-(y+1)*sin) < 0.02)
			}
		}, palette(0xf4ecd8, 0x6b4f3a, 0xb08d57)
	case Carousel:
		return func(t float64) dot {
			var cx, cy [6]float64
			for i := range cx {
				sin, cos := turn(t/6 + float64(i)/6)
				cx[i], cy[i] = 0.65*cos, 0.65*sin
			}
			return func(x, y float64) uint8 {
				for i := range cx {
					if math.Hypot(x-cx[i], y-cy[i]) < 0.18 {
						return uint8(i%3) + 1
					}
				}
				return 0
			}
		}, palette(0xfaf3dd, 0xe76f51, 0x2a9d8f, 0xe9c46a)
	case Rainbow:
		return func(t float64) dot {
			return func(x, y float64) uint8 {
				return step(math.Mod((x+y)/2-t+4+0.08*math.Sin(3*(x-y)), 1), 7)
			}
		}, palette(0xe40303, 0xff8c00, 0xffed00, 0x008026, 0x24408e, 0x732982, 0xf78fb3)
	}
	return func(t float64) dot {
		var cx, cy [12]float64
		for i := range cx {
			at := 2 * math.Pi * (t - float64(i)*0.02)
			cx[i], cy[i] = 0.8*math.Sin(3*at), 0.8*math.Sin(2*at)
		}
		return func(x, y float64) uint8 { // Lissajous
			for i := range cx {
				if math.Hypot(x-cx[i], y-cy[i]) < 0.12-float64(i)*0.008 {
					return uint8(4 - i/3)
				}
			}
			return 0
		}
	}, ramp(0x10002b, 0xe0aaff, 5)
}
