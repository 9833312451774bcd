package sandbox

import (
	"strings"
	"testing"

	"rookery/internal/gallery/ledger"
	"rookery/internal/sim/fedisim"
)

// A picture is covered by a yes that stood when it was sent, to who it was sent
// to, and by nothing else.
func TestCovered(t *testing.T) {
	t.Parallel()
	const hash = "abc"
	line := func(event ledger.Event, submission, to, note string) consent {
		return consent{event, submission, to, note}
	}
	sent := line(ledger.Described, "1", processor, "sent: sha256 "+hash)
	for name, c := range map[string]struct {
		lines []consent
		want  bool
	}{
		"a yes":                  {[]consent{line(ledger.AIOn, "1", processor, ""), line(ledger.Agreed, "1", "", ""), sent}, true},
		"a yes to a draft":       {[]consent{line(ledger.AIOn, "1", processor, ""), line(ledger.Drafted, "1", processor, "sent: sha256 "+hash)}, true},
		"no yes":                 {[]consent{line(ledger.Agreed, "1", processor, ""), sent}, false},
		"a yes afterwards":       {[]consent{sent, line(ledger.AIOn, "1", processor, "")}, false},
		"a yes that was undone":  {[]consent{line(ledger.AIOn, "1", processor, ""), line(ledger.AIOff, "1", "", ""), sent}, false},
		"a yes that was void":    {[]consent{line(ledger.AIOn, "1", processor, ""), line(ledger.Void, "1", "", ""), sent}, false},
		"another post's yes":     {[]consent{line(ledger.AIOn, "2", processor, ""), sent}, false},
		"a yes to somebody else": {[]consent{line(ledger.AIOn, "1", "Others (Moon)", ""), sent}, false},
		"another picture":        {[]consent{line(ledger.AIOn, "1", processor, ""), line(ledger.Described, "1", processor, "sent: sha256 abd")}, false},
	} {
		if got := covered(c.lines, hash); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A post too many, one that should be gone, and a picture in two posts are
// noticed.
func TestGalleryIsCounted(t *testing.T) {
	t.Parallel()
	w, err := newWorld(fedisim.Mastodon, t.TempDir(), sharing().settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.close(); err != nil {
			t.Error(err)
		}
	})
	s := &stage{world: w, ctx: t.Context(), bot: &child{}, out: t.Output()}
	p := w.rook.Post("once")
	s.works.all = []*work{{title: "Once", post: p}}
	s.checkGallery()
	if len(s.failed) > 0 {
		t.Errorf("one post for one thread: %v", s.failed)
	}
	w.rook.Post("twice")
	s.checkGallery()
	if len(s.failed) != 1 || s.failed[0].expected != "1 post of the gallery in all" || s.failed[0].seen != "2 posts" {
		t.Errorf("a post too many is told as %v", s.failed)
	}
	s.failed, s.works.all[0].gone = nil, true
	s.checkGallery()
	if len(s.failed) != 1 || !strings.HasPrefix(s.failed[0].expected, "0 posts") {
		t.Errorf("a post that should be gone is told as %v", s.failed)
	}
}
