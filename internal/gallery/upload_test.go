package gallery

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
)

// bomb is a PNG whose head says that it is far larger than it is.
func bomb() []byte {
	data := bytes.Clone(drawing(1, 16))
	binary.BigEndian.PutUint32(data[16:], 60_000)
	binary.BigEndian.PutUint32(data[20:], 60_000)
	binary.BigEndian.PutUint32(data[29:], crc32.ChecksumIEEE(data[12:29]))
	return data
}

// ⚠ A file that cannot be had, or is not what it says, costs the whole post: the
// artist agreed to all of it. They are told which file it is, and others pass.
func TestFilesThatCannotBePosted(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		for _, c := range []struct {
			name string
			how  discordsim.Serving
			says string
		}{
			{"gone", discordsim.Serving{Status: 404}, "not there any more"},
			{"empty", discordsim.Serving{Empty: true}, "is not a picture"},
			{"a program", discordsim.Serving{Data: []byte("MZ" + strings.Repeat("\x90\x00", 2000))}, "is not a picture"},
			{"half a picture", discordsim.Serving{Data: drawing(1, 32)[:60]}, "damaged"},
			{"a bomb", discordsim.Serving{Data: bomb()}, "does not take owl2.png"},
		} {
			id, thread := w.begin(w.ada, c.name, picture(1), picture(2))
			m, _ := w.discord.Message(thread)
			w.discord.ServeFile(m.Attachments[1].ID, c.how)
			w.agree(w.ada, id, thread)
			w.works(id, Offered)
			w.sweep()
			contains(t, w.offer(thread).Content, "Nothing was posted", c.says, "owl2.png")
		}
		w.silent()
		id, _ := w.share("a good one", picture(3))
		w.posted(id)
	})
}

// ⚠ A file whose host is in trouble waits, for a day at most, and lets others pass.
func TestAFileInTroubleLetsOthersPass(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		inTrouble := func(how discordsim.Serving) (id, thread, file string) {
			id, thread = w.begin(w.ada, "in trouble", picture(1))
			m, _ := w.discord.Message(thread)
			w.discord.ServeFile(m.Attachments[0].ID, how)
			w.agree(w.ada, id, thread)
			return id, thread, m.Attachments[0].ID
		}
		id, thread, file := inTrouble(discordsim.Serving{Torn: true})
		ever, _, _ := inTrouble(discordsim.Serving{Status: 503})
		other, _ := w.share("another", picture(2))
		w.posted(other)
		w.clock.Advance(3 * time.Minute)
		w.work()
		contains(t, w.offer(thread).Content, "owl1.png cannot be fetched just now")
		w.discord.ServeFile(file, discordsim.Serving{})
		w.posted(id)
		w.clock.Advance(25 * time.Hour)
		w.works(ever, Offered)
		contains(t, w.sub(ever).Note, "for a day owl1.png")
	})
}

// What a file is comes from its bytes: a name or a type that says something else
// changes nothing, and does not let in what the guild does not want.
func TestWhatAFileIs(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		id, _ := w.share("called a PNG", discordsim.File{Name: "owl.png", Type: "image/png", Data: photo(1, 32), Description: "An owl."})
		if p := w.posted(id); p.Media[0].Type != "image/jpeg" || p.Media[0].Said != "image/jpeg" || p.Media[0].Name != id+"-1.jpg" {
			t.Errorf("%s %s %s", p.Media[0].Type, p.Media[0].Said, p.Media[0].Name)
		}
		w.set("audio", "off")
		id, thread := w.share("called a picture", discordsim.File{Name: "owl.png", Type: "image/png", Description: "An owl.",
			Data: append([]byte("RIFF\x2c\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x40\x1f\x00\x00\x01\x00\x08\x00data\x08\x00\x00\x00"), 1, 2, 3, 4, 5, 6, 7, 8)})
		w.works(id, Offered)
		w.sweep()
		contains(t, w.offer(thread).Content, "no longer shared from here")
	})
}

// What a server does not take is made smaller, also when it does not say what it
// takes; what it takes in no form goes back.
func TestFilesAreMadeToFit(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{fedi: func(f *fedisim.Server) { f.Limit(func(l *fedisim.Limits) { l.ImagePixels = 2_000 }) },
			account: func(a *Account) { a.MaxUpload = 2_000 }})
		big := discordsim.File{Name: "big.jpg", Type: "image/jpeg", Data: photo(1, 100), Description: "Big."}
		id, _ := w.share("too many pixels", big)
		if p := w.posted(id); p.Media[0].Width*p.Media[0].Height > 2_000 || p.Media[0].Size > 2_000 || p.Media[0].Description != "Big." {
			t.Errorf("%+v", p.Media[0])
		}
		w.fedi.Inject(fedisim.Fail(422).On("POST", "/api/v2/media"))
		id, _ = w.share("refused once", big)
		w.posted(id)
		w.fedi.Inject(fedisim.Fail(422).On("POST", "/api/v2/media").Always())
		id, thread := w.share("refused always", big)
		w.works(id, Offered)
		w.sweep()
		contains(t, w.offer(thread).Content, "does not take big.jpg")
		w.fedi.ClearFaults()
		// A server that fails at this very file does not hold the others up.
		w.fedi.Inject(fedisim.Fail(500).On("POST", "/api/v2/media").Times(4))
		id, _ = w.share("fails within", big)
		other, _ := w.share("after it", picture(2))
		w.posted(other)
		w.posted(id)
	})
}

// A film and a picture: beside each other where the server mixes them, each in a
// post of its own where it does not.
func TestAFilmBesideAPicture(t *testing.T) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Skip("ffmpeg is not installed: there is no film")
	}
	film := filepath.Join(t.TempDir(), "film.mp4")
	out, err := exec.CommandContext(t.Context(), path, "-v", "error", "-f", "lavfi", "-i", "testsrc=d=0.4:s=64x64:r=10", "-pix_fmt", "yuv420p", film).CombinedOutput()
	if err != nil {
		t.Skipf("this ffmpeg makes no film: %s", out)
	}
	data, err := os.ReadFile(film)
	if err != nil {
		t.Fatal(err)
	}
	for profile, want := range map[fedisim.Profile]int{fedisim.Mastodon: 2, fedisim.Akkoma: 1} {
		t.Run(string(profile), func(t *testing.T) {
			alone(t, func(t *testing.T, s *store.Store) {
				w := newWorld(t, s, options{profile: profile, ffmpeg: true})
				id, _ := w.share("both", picture(1), discordsim.File{Name: "film.mp4", Type: "video/mp4", Data: data, Description: "A film."})
				w.posted(id)
				all := w.all()
				last := all[len(all)-1].Media
				if len(all) != want || last[len(last)-1].Description != "A film." || last[len(last)-1].Type != "video/mp4" {
					t.Errorf("%+v", all)
				}
			})
		})
	}
}

// What a link shows is posted as a file, and its address stays in the words.
func TestWhatALinkShows(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		data := drawing(7, 48)
		site := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, _ *http.Request) { _, _ = out.Write(data) }))
		t.Cleanup(site.Close)
		address := site.URL + "/owl.png"
		id, thread := w.beginIn(w.text, w.ada, discordsim.Draft{Content: "See " + address, Embeds: []map[string]any{w.discord.ImageEmbed(address, "image/png", data)}})
		w.agree(w.ada, id, thread)
		p := w.posted(id)
		contains(t, p.Text, address)
		if len(p.Media) != 1 || p.Media[0].Width != 48 {
			t.Errorf("%+v", p.Media)
		}
	})
}

// A message that only a command could read is posted with fresh addresses; once
// it was edited nobody knows what it says.
func TestAMessageThatCannotBeReadAgain(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		hide := func(id string) {
			w.must(s.Write(t.Context(), func(ctx context.Context, tx store.Tx) error {
				s, err := lock(ctx, tx, id)
				if err != nil {
					return err
				}
				s.Hidden = true
				return s.save(ctx, tx, w.clock.Now())
			}))
		}
		id, _ := w.share("hidden", picture(1))
		hide(id)
		w.clock.Advance(25 * time.Hour) // the addresses are worthless by now
		w.posted(id)
		id, thread := w.share("hidden too", picture(2))
		hide(id)
		w.clock.Advance(time.Minute)
		w.must(w.discord.EditMessage(thread, "and edited"))
		w.works(id, Offered)
		contains(t, w.sub(id).Note, "was changed after you had agreed")
	})
}
