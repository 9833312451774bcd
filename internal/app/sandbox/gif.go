package sandbox

import (
	"os/exec"
	"strconv"
	"strings"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// gif is the story of a character that also shows animated pictures on
// request: the right ones, each once, and nothing that is not wanted.
func gif() story {
	return story{
		name:    "gif",
		summary: "members ask for animated pictures; each gets one that is safe and that the server takes, whatever fails",
		intro: []string{
			"Elelem, the clockwork owl, also shows animated pictures to whoever writes “gif” and some words.",
			"The bot is the real program on an ordinary configuration; server, language model and image board are simulated here.",
			"The pictures are drawn here: all are harmless, whatever they are tagged. The story moves the time ahead to skip waits.",
		},
		settings: showing(false),
		steps: []step{
			{"The bot starts and looks for mentions", starts},
			{"Ada asks for a picture: one, with alt text, artist and source, as a reply to her", asksForOne},
			{"“gif …” gets a picture, anything else an answer in words", eitherOr},
			{"A picture of 1280 x 960 points: the server gets a form that it takes", tooLarge},
			{"The server refuses the picture as a GIF in every size: it comes as a film", asFilm},
			{"NSFW where it is turned off: it says so, and asks no board", nsfwOff},
			{"NSFW, turned on, in a direct message: the answer is direct, marked and behind a warning", nsfwDirectly},
			{"Words that would be orders to the board: they stay words, and nothing unsafe is found", asOrders},
			{"What Olga has blocked is not looked for, and not shown when something else finds it", blocked},
			{"Six requests at once: three wait their turn, one notice, and others are served", sixAtOnce},
			{"Killed in the middle of an upload: one reply, with the same picture", killedUploading},
			{"Killed after the upload, before the reply: one reply, one upload, the same picture", killedUploaded},
			{"The board turns the bot away, blocks it, talks rubbish, and is back: answered later, once", boardDown},
			{"“delete answers” and “forget me” reach pictures: the post is gone, and so is what was kept", picturesForgotten},
		},
	}
}

// showing is the configuration of the story. Three requests of a member may
// wait (the default is 5); between two of their pictures are the 20 seconds of
// the default, which the story skips.
func showing(nsfw bool) settings {
	return settings{
		pictures: gallery(), moves: true,
		gifs:    []string{`queue = 3`, `blocklist = ["clowns"]`},
		account: []string{"nsfw = " + strconv.FormatBool(nsfw)},
	}
}

// gallery is what the board has: pleasant pictures, and some that a step needs.
func gallery() []boorusim.Image {
	picture := func(scene boorusim.Scene, rating boorusim.Rating, width, height int, artist string, tags ...string) boorusim.Image {
		return boorusim.Image{Scene: scene, Rating: rating, Width: width, Height: height, Frames: 4,
			Artists: []string{artist}, Tags: append([]string{"animated", "gif"}, tags...)}
	}
	pleasant := boorusim.Pleasant()
	for i := range pleasant {
		// Drawing takes time, and only one need be too large for a server.
		im := &pleasant[i]
		im.Frames = min(im.Frames, 4)
		switch im.Scene {
		case boorusim.Ball:
		case boorusim.Sunrise:
			im.Width, im.Height, im.Frames = 1280, 960, 2
		default:
			for im.Width > 250 {
				im.Width, im.Height = im.Width/2, im.Height/2
			}
		}
	}
	return append(pleasant,
		// Small and of odd size: all its sizes are one file, and no film is like it.
		picture(boorusim.Spin, boorusim.Safe, 97, 73, "quadratic", "stubborn", "spinning"),
		picture(boorusim.Stars, boorusim.Explicit, 240, 180, "nocturne", "moonlight", "stars"),
		picture(boorusim.Rings, boorusim.Questionable, 200, 200, "nocturne", "moonlight", "rings"),
		picture(boorusim.Ball, boorusim.Safe, 200, 150, "marble", "juggling", "ball", "clowns"),
		picture(boorusim.Carousel, boorusim.Safe, 200, 150, "marble", "juggling", "ball"),
		picture(boorusim.Waves, boorusim.Safe, 240, 135, "seaside", "marmalade", "waves"),
	)
}

func asksForOne(s *stage) error {
	ask := s.post(s.ada, "Ada's request for a ball", 1, "@elelem @ben@other.example gif bouncing")
	p, err := s.picture(ask, "bouncing", "unlisted")
	if err != nil {
		return err
	}
	s.check(p.Type == "image/gif" && p.Width == 480 && p.Height == 360, "the GIF as the board has it, of 480 x 360 points", pictureInWords(p.Media))
	reply := s.replies(ask)[0]
	s.check(reply.CW == "" && !reply.Sensitive, "no warning on a safe picture", "there is one: “"+reply.CW+"”")
	if len(s.failed) == 0 {
		s.say("The reply mentions only Ada, though her request mentioned Ben too.")
	}
	return nil
}

func eitherOr(s *stage) error {
	searches := s.boardAsked()
	ask := s.post(s.ben, "Ben's request, which begins with “gif”", 1, "@elelem@"+domain+" GIF: rainbow")
	if _, err := s.picture(ask, "rainbow", "unlisted"); err != nil {
		return err
	}
	talk := s.post(s.cleo, "Cleo's question, which does not", 1, "@elelem who painted the rainbow?")
	reply, err := s.answered(talk)
	if err != nil {
		return err
	}
	s.checkOne(talk, reply, "unlisted")
	s.check(len(reply.Media) == 0 && strings.Contains(reply.Text, "who painted the rainbow?"), "an answer in the character's words", reply.Text)
	n := s.model.Count() - ask.model
	s.check(n == 1, "the model is asked once, by Cleo", "it was asked "+times(n))
	n = s.boardAsked() - searches
	s.check(n == 1, "the board is asked once, for Ben", "it was asked "+times(n))
	return nil
}

// mastodonGIF is the most points of a GIF that Mastodon takes. It tells
// nobody.
const mastodonGIF = 921_600

func tooLarge(s *stage) error {
	mark, uploads := len(s.board.Files()), s.uploads()
	ask := s.post(s.guest("dora"), "Dora's request for a large picture", 1, "@elelem gif sunrise")
	p, err := s.picture(ask, "sunrise", "unlisted")
	if err != nil {
		return err
	}
	n := s.uploads() - uploads
	s.check(n == 1, "one upload", counted(n, "upload", "uploads"))
	for _, f := range s.fetched(mark) {
		w, h := boorusim.Dimensions(p.image, f.Representation)
		s.say("Fetched from the board: “%s”, %d x %d points.", f.Representation, w, h)
		s.check(s.fedi.Profile() != fedisim.Mastodon || w*h <= mastodonGIF, "nothing is fetched that Mastodon does not take", f.Representation)
	}
	if s.fedi.Profile() == fedisim.Mastodon {
		s.check(p.Width < 1280 && p.Width*p.Height <= mastodonGIF, "a smaller form", pictureInWords(p.Media))
		s.say("A GIF for Mastodon may have %d points, so the larger forms were not even fetched.", mastodonGIF)
	} else {
		s.check(p.Width == 1280, "the picture itself", pictureInWords(p.Media))
		s.say("This server takes it as it is. (Mastodon, for one, does not: it gets a smaller form.)")
	}
	return nil
}

// asFilm has the server refuse what the picture can be as a GIF: as it is, for
// it has only one size, and scaled down.
func asFilm(s *stage) error {
	refused := s.fedi.Inject(fedisim.Fail(422).On("POST", mediaPath).Times(2))
	defer s.fedi.ClearFaults()
	emil := s.guest("emil")
	ask := s.post(emil, "Emil's request for a picture that the server refuses as a GIF", 1, "@elelem gif stubborn")
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		s.say("ffmpeg is not installed: the bot cannot make a film of the picture, and sends a link to it.")
		reply, err := s.answered(ask)
		if err != nil {
			return err
		}
		s.checkOne(ask, reply, "unlisted")
		if im, ok := s.linked(reply.Text); ok {
			s.checkSays(reply, emil, words.GIFsUnfit, words.Args{"url": s.page(im.ID)})
		} else {
			s.check(false, "a link to the picture's page", reply.Text)
		}
		return nil
	}
	p, err := s.picture(ask, "stubborn", "unlisted")
	if err != nil {
		return err
	}
	s.check(refused.Hits() == 2, "two GIFs are offered and refused", times(refused.Hits()))
	s.check(p.Type == "video/mp4", "a film (MP4)", pictureInWords(p.Media))
	s.check(p.Width > 0 && p.Width%2 == 0 && p.Height%2 == 0, "of even width and height, as players want it", pictureInWords(p.Media))
	if len(s.failed) == 0 {
		s.say("Two GIFs were refused, the picture itself and a smaller one; then the bot had ffmpeg make an MP4 of it.")
	}
	return nil
}
