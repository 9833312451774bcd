package gallery

import (
	"strings"
	"testing"

	"rookery/internal/store"
)

// What somebody calls a file may be a name, or a place: it is between them and
// the bot.
func TestTheLogNamesNoFile(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{})
		f := picture(1)
		f.Name, f.Data = "Marie_Mustermann_at_home.png", []byte("\x89PNG\r\n\x1a\nrubbish")
		id, thread := w.begin(w.ada, "owls", f)
		w.agree(w.ada, id, thread)
		w.works(id, Offered)
		log := w.log.String()
		if !strings.Contains(log, "goes back to its artist") || !strings.Contains(log, "reason=gallery_work.broken") {
			t.Errorf("why it went back is not in the log:\n%s", log)
		}
		for line := range strings.Lines(log) {
			if strings.Contains(line, "Mustermann") {
				t.Errorf("the log says %s", line)
			}
		}
	})
}
