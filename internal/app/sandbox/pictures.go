package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"rookery/internal/sim/boorusim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/words"
)

// mediaPath is where files are uploaded, whatever the version.
const mediaPath = "/api/*/media"

// shown is a picture that the bot has posted, and what it was on the board.
type shown struct {
	fedisim.Media
	image boorusim.Image
}

// picture waits for the one reply to a request, and looks at its picture.
func (s *stage) picture(q *question, tag, visibility string) (shown, error) {
	reply, err := s.answered(q)
	if err != nil {
		return shown{}, err
	}
	s.checkOne(q, reply, visibility)
	return s.pictureIn(reply, tag)
}

// pictureIn checks what every reply with a picture must have: one picture of
// what was asked for, described, with its artist and a link to where it is
// from.
func (s *stage) pictureIn(reply fedisim.Post, tag string) (shown, error) {
	if len(reply.Media) != 1 {
		return shown{}, &unmet{"a reply with one picture", fmt.Sprintf("%d in: %s", len(reply.Media), reply.Text)}
	}
	p := shown{Media: reply.Media[0]}
	s.say("With it: %s", pictureInWords(p.Media))
	image, ok := s.linked(reply.Text)
	if !ok {
		return p, &unmet{"a link to the picture's page at " + s.board.URL(), reply.Text}
	}
	p.image = image
	s.check(slices.Contains(image.Tags, tag), "a picture of “"+tag+"”", "its tags: "+strings.Join(image.Tags, ", "))
	said := words.GIFsAlt
	if image.Rating != boorusim.Safe {
		said = words.GIFsAltNSFW
	}
	begin := words.English.Say(said, words.Args{"tags": strings.Join(append(image.Characters[:len(image.Characters):len(image.Characters)], ""), ", ")})
	s.check(strings.HasPrefix(p.Description, begin) && strings.Contains(p.Description, tag), "an alt text that begins with “"+begin+"” and tells of “"+tag+"”", p.Description)
	for _, text := range []string{
		words.English.Say(words.GIFsCredit, words.Args{"artists": strings.Join(image.Artists, ", ")}),
		words.English.Say(words.GIFsSource, words.Args{"url": s.page(image.ID)}),
	} {
		s.check(strings.Contains(reply.Text, text), "the reply says “"+text+"”", reply.Text)
	}
	return p, nil
}

// page is where the board shows a picture.
func (s *stage) page(id int64) string { return s.board.URL() + "/images/" + strconv.FormatInt(id, 10) }

// linked is the picture that a text has a link to.
func (s *stage) linked(text string) (boorusim.Image, bool) {
	_, rest, ok := strings.Cut(text, s.board.URL()+"/images/")
	if !ok {
		return boorusim.Image{}, false
	}
	if i := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' }); i >= 0 {
		rest = rest[:i]
	}
	id, err := strconv.ParseInt(rest, 10, 64)
	if err != nil {
		return boorusim.Image{}, false
	}
	return s.board.Image(id)
}

// plainly waits for the one reply to a request that gets no picture, only
// these words.
func (s *stage) plainly(q *question, who *fedisim.Account, visibility string, k words.Key, a words.Args) error {
	reply, err := s.answered(q)
	if err != nil {
		return err
	}
	s.checkOne(q, reply, visibility)
	s.check(len(reply.Media) == 0, "no picture", counted(len(reply.Media), "picture", "pictures"))
	s.checkSays(reply, who, k, a)
	return nil
}

// boardAsked counts the searches that the board was asked for.
func (s *stage) boardAsked() int { return len(s.board.Searches()) }

// fetched lists the files that were fetched from the board since there were so
// many.
func (s *stage) fetched(mark int) []boorusim.Request {
	all := s.board.Files()
	return all[min(mark, len(all)):]
}

// uploads counts the files that the bot's server has taken.
func (s *stage) uploads() int { return len(s.fedi.Uploads()) }

// checkNothingLeft checks that no picture of the bot's stands in two posts (the
// ids of some servers go by a file's name), and that it has left no file that
// was only on its way.
func (s *stage) checkNothingLeft() error {
	in := map[string]string{}
	for _, p := range s.fedi.PostsBy(s.elelem.ID) {
		for _, m := range p.Media {
			s.check(in[m.ID] == "", "each reply has a picture of its own", "one picture is in the posts "+in[m.ID]+" and "+p.ID)
			in[m.ID] = p.ID
		}
	}
	dir := filepath.Join(s.dir, "data", "tmp")
	left, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it had none
	}
	if err != nil {
		return err
	}
	var names []string
	for _, f := range left {
		names = append(names, f.Name())
	}
	s.check(len(left) == 0, "no file is left in "+dir, strings.Join(names, ", "))
	return nil
}

func (w *world) pictureDir() string { return filepath.Join(w.dir, "pictures") }

// savePictures writes the pictures that the bot has posted into the sandbox's
// folder, in their order, so that a person can look at them, and returns how
// many they are.
func (w *world) savePictures() (int, error) {
	n := 0
	for _, p := range w.fedi.Timeline() {
		for _, m := range p.Media {
			if p.AccountID != w.elelem.ID || len(m.Bytes) == 0 {
				continue
			}
			if err := os.MkdirAll(w.pictureDir(), 0o700); err != nil {
				return n, fmt.Errorf("keep the pictures: %w", err)
			}
			ending := "." + path.Base(m.Type) // image/gif, video/mp4
			if m.Type == "" {
				ending = ""
			}
			n++
			name := filepath.Join(w.pictureDir(), fmt.Sprintf("%02d%s", n, ending))
			if err := os.WriteFile(name, m.Bytes, 0o600); err != nil {
				return n, fmt.Errorf("keep the pictures: %w", err)
			}
		}
	}
	return n, nil
}
