package apptest

import (
	"bytes"
	"image"
	"strings"
	"testing"

	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/fedisim"
	"rookery/internal/store"
	"rookery/internal/store/storetest"
)

// The world holds together: what is begun, agreed to and deleted in it takes its
// way through the real program.
func TestGallery(t *testing.T) {
	t.Parallel()
	w := New(t, Build(t, ""), storetest.Config(t, store.SQLite), fedisim.Options{})
	g := NewGallery(w, `post_tail = "From the owls."`)
	p := g.Start([]string{"run"})
	g.Connected()
	g.TurnOn()
	thread := g.Begin(g.Ada, "Owls at night.", Described(Drawing(1, "one.png"), "One owl."), Drawing(2, "two.jpg"))
	g.Agree(g.Ada, thread)
	m := g.Offered(thread, DeleteLabel)
	all := g.Standing()
	if len(all) != 1 || !strings.Contains(all[0].Text, "Owls at night.") || !strings.Contains(all[0].Text, "From the owls.") || !strings.Contains(m.Content, all[0].URL) {
		t.Fatalf("%+v stand, and the thread says %q", all, m.Content)
	}
	if media := all[0].Media; len(media) != 2 || media[0].Description != "One owl." || media[1].Description != "" || media[1].Type != "image/jpeg" {
		t.Errorf("the post has %+v", media)
	}
	if n := len(w.Model.Pictured()); n != 0 {
		t.Errorf("the model was shown %d pictures, and nobody has said yes to it", n)
	}
	if o := g.Slash(g.Ben, g.Talk, "delete_fedi", discordsim.Args{"post": all[0].URL}); o.Message == nil || len(g.Standing()) != 1 {
		t.Errorf("a stranger can delete it: %+v", o)
	}
	o := g.Press(g.Ada, m, DeleteLabel)
	if o.Message == nil {
		t.Fatal("nobody is asked")
	}
	g.Press(g.Ada, *o.Message, "Delete it")
	g.WaitFor("the deletion", func(*fedisim.Server) bool { return len(g.Standing()) == 0 })
	if code := p.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// Each picture is another one, and what its name says.
func TestDrawing(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	for _, f := range []discordsim.File{Drawing(1, "a.png"), Drawing(2, "b.png"), Drawing(1, "c.jpg"), Drawing(1, "d.gif")} {
		_, kind, err := image.Decode(bytes.NewReader(f.Data))
		if err != nil || "image/"+kind != f.Type {
			t.Errorf("%s is %q, %v; it says %s", f.Name, kind, err, f.Type)
		}
		if other := seen[string(f.Data)]; other != "" {
			t.Errorf("%s is %s", f.Name, other)
		}
		seen[string(f.Data)] = f.Name
	}
}
