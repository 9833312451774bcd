package boards

import (
	"slices"
	"strings"
	"testing"

	"rookery/internal/app/config"
	"rookery/internal/booru"
	"rookery/internal/clock"
	"rookery/internal/sim/boorusim"
)

func TestEveryKindOfBoardIsAskedInItsOwnWay(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{}
	var sims []*boorusim.Server
	for _, b := range []boorusim.Board{boorusim.Philomena, boorusim.Danbooru, boorusim.E621} {
		s, err := boorusim.Start(boorusim.Config{Board: b})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		s.Add(boorusim.Image{Rating: boorusim.Safe, Tags: []string{"animated", "gif"}, Meta: []string{"animated_gif"}})
		sims = append(sims, s)
		cfg.GIFs.Sources = append(cfg.GIFs.Sources, config.GIFSource{Kind: string(b), URL: s.URL(), Contact: "me@home.example"})
	}
	all, err := All(cfg, Options{Version: "1.2.3", Clock: clock.System{}})
	if err != nil || len(all) != len(sims) {
		t.Fatalf("%d boards, %v", len(all), err)
	}
	for i, b := range all {
		if found, err := b.Find(t.Context(), booru.Query{}, 1); err != nil || len(found) != 1 {
			t.Errorf("%s: %d pictures, %v", b.Name(), len(found), err)
		}
		asked := sims[i].Requests()
		if !slices.ContainsFunc(asked, func(r boorusim.Request) bool {
			return strings.Contains(r.Header.Get("User-Agent"), "Rookery/1.2.3 (community bot; me@home.example)")
		}) {
			t.Errorf("%s was asked %+v", b.Name(), asked)
		}
	}
}

func TestABoardThatCannotBeIsAMistake(t *testing.T) {
	t.Parallel()
	cfg := &config.Config{GIFs: config.GIFs{Sources: []config.GIFSource{{Kind: config.E621, URL: "https://e621.net", Login: "me"}}}}
	if _, err := All(cfg, Options{Version: "1", Clock: clock.System{}}); err == nil || !strings.Contains(err.Error(), "e621.net") {
		t.Errorf("error %v", err)
	}
}
