// Package boards makes the image boards of a configuration: what asks them for
// pictures, in one way for the bot and for the doctor. How a board is asked is
// the business of package booru; when and for whom, that of the callers.
package boards

import (
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"rookery/internal/app/config"
	"rookery/internal/booru"
	"rookery/internal/clock"
)

// Options are what a board needs besides its configuration.
type Options struct {
	Version   string // of this program, which it tells the board
	Clock     clock.Clock
	Log       *slog.Logger      // nil for none
	Timeout   time.Duration     // of one request; 0 means booru's own
	Transport http.RoundTripper // nil for the process's own
}

// All makes all the boards of a configuration, in its order. It asks nothing
// of them.
func All(cfg *config.Config, o Options) ([]booru.Source, error) {
	var all []booru.Source
	for _, s := range cfg.GIFs.Sources {
		made, err := New(s, o)
		if err != nil {
			return nil, err
		}
		all = append(all, made)
	}
	return all, nil
}

// New makes one board.
func New(s config.GIFSource, o Options) (booru.Source, error) {
	b := booru.Options{BaseURL: s.URL, Login: s.Login, Key: s.Key.Reveal(), FilterID: s.FilterID, NSFWFilterID: s.NSFWFilterID,
		UserAgent: agent(o.Version, s.Contact), Now: o.Clock.Now, Timeout: o.Timeout, Transport: o.Transport, Log: o.Log}
	var made booru.Source
	var err error
	switch s.Kind {
	case config.Danbooru:
		made, err = booru.NewDanbooru(b)
	case config.E621:
		made, err = booru.NewE621(b)
	default:
		made, err = booru.NewPhilomena(b)
	}
	if err != nil {
		return nil, fmt.Errorf("the image board %s: %w", s.URL, err)
	}
	return made, nil
}

// agent names the program to a board, and whoever runs it.
func agent(version, contact string) string {
	if contact != "" {
		contact = "; " + contact
	}
	return "Rookery/" + version + " (community bot" + contact + ")"
}
