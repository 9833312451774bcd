package boorusim

// Pleasant is a small world of animations for somebody who looks around: all
// of them safe and drawn here, with artists, characters and sources that do not
// exist, from 120x90 to 1600x1200 points.
func Pleasant() []Image {
	picture := func(scene Scene, width, height, frames int, artist, character string, score int, tags ...string) Image {
		im := Image{
			Scene: scene, Width: width, Height: height, Frames: frames, Rating: Safe,
			Artists: []string{artist}, Tags: append([]string{"animated", "gif", "loop", "no people"}, tags...),
			Upvotes: score, Downvotes: score / 20, Faves: score / 2, Uploader: "sandbox", Name: string(scene) + ".gif",
			Sources: []string{"https://" + artist + ".example/" + string(scene)},
		}
		if character != "" {
			im.Characters = []string{character}
		}
		return im
	}
	return []Image{
		picture(Ball, 480, 360, 24, "marble", "bouncing bob", 120, "ball", "bouncing", "red", "grass", "sky", "cute"),
		picture(Spin, 240, 240, 20, "quadratic", "spinning sam", 64, "square", "spinning", "geometry", "simple background"),
		picture(Rain, 640, 480, 16, "drizzle", "", 210, "rain", "weather", "night", "calm", "city", "solo"),
		picture(Snow, 800, 600, 16, "drizzle", "", 180, "snow", "weather", "winter", "calm"),
		picture(Waves, 1024, 576, 12, "seaside", "the sea", 333, "water", "waves", "blue", "dancing", "calm"),
		picture(Stars, 1280, 960, 8, "nocturne", "", 275, "stars", "night", "sky", "sparkling"),
		picture(Sunrise, 1600, 1200, 8, "nocturne", "the sun", 412, "sunrise", "sky", "landscape", "orange"),
		picture(Clock, 320, 320, 24, "marble", "tick tock", 45, "clock", "time", "spinning"),
		picture(Rings, 400, 300, 12, "quadratic", "", 88, "rings", "geometry", "hypnotic"),
		picture(Bars, 360, 270, 16, "decibel", "the band", 97, "music", "dancing", "bars", "colourful"),
		picture(Pendulum, 300, 400, 20, "decibel", "tick tock", 31, "pendulum", "clock", "swinging", "calm"),
		picture(Carousel, 500, 500, 18, "marble", "bouncing bob", 150, "carousel", "ball", "spinning", "colourful", "dancing"),
		picture(Rainbow, 120, 90, 14, "prism", "rainbow stripe", 512, "rainbow", "colourful", "tiny", "dancing"),
		picture(Lissajous, 720, 540, 24, "prism", "comet", 140, "comet", "dancing", "purple", "geometry"),
	}
}
