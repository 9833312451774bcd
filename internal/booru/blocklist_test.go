package booru

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBlocklist(t *testing.T) {
	t.Parallel()
	b, err := NewBlocklist("spiders", "=owl", "Evil_Word")
	if err != nil {
		t.Fatal(err)
	}
	const never, always, unsafe = 0, 1, 2
	for tag, want := range map[string]int{
		"cute": never, "grape": never, "rapeseed": never, "lolita fashion": never, "gorem": never, "cubism": never,
		"gore magala": never, "gore_magala_(monster_hunter)": never, "snuff box": never, "artist:gore": never,
		"guts (berserk)": never, "great owl": never, "spider": never, "young adult": never, "": never, "🐎": never,

		"foalcon": always, "FOALCON": always, "loli": always, "shota": always, "cub": always, "species:cub": always,
		"underage": always, "zoophilia": always, "bestiality": always, "gore": always, "snuff": always, "rape": always,
		"soft gore": always, "soft_gore": always, "theme:gore": always, "implied rape": always, "gang_rape": always,
		"gore magala gore": always, "young adult rape": always, "ｌｏｌｉ": always, "lo\u200bli": always, "cub porn": always,
		"гуро": always, "spiders": always, "many spiders": always, "owl": always, "evil word": always, "guts": always,

		"young": unsafe, "lion cub": unsafe, "filly rarity": unsafe, "child": unsafe, "teenager": unsafe, "child-like": unsafe,
	} {
		if got, blocked := b.Query(Query{Terms: []Term{yes(tag)}}); blocked != (want == always) || blocked && got != tag {
			t.Errorf("safe search for %q: %q, %v", tag, got, blocked)
		}
		if got, blocked := b.Query(Query{Terms: []Term{yes("x"), yes(tag)}, NSFW: true}); blocked != (want != never) || blocked && got != tag {
			t.Errorf("search for %q: %q, %v", tag, got, blocked)
		}
		if got, blocked := b.Query(Query{Terms: []Term{not(tag)}, NSFW: true}); blocked {
			t.Errorf("search without %q: %q", tag, got)
		}
		for _, rating := range []Rating{RatingUnknown, Safe, Suggestive, Questionable, Explicit} {
			got, blocked := b.Image(Image{Rating: rating, Tags: []string{"x", tag}})
			if want := want == always || want == unsafe && rating != Safe; blocked != want || blocked && got != tag {
				t.Errorf("%s picture with %q: %q, %v", rating, tag, got, blocked)
			}
		}
	}
	for typed, want := range map[string]string{
		"child porn": "child porn", "soft cub, porn": "cub", "animal sex": "animal sex", "sex animal": "", "al gore": "gore", `"al gore"`: "", "child play": "",
	} {
		if got, _ := b.Query(Parse(typed).Query); got != want {
			t.Errorf("search for %s: %q, want %q", typed, got, want)
		}
	}
	for _, word := range []string{"", " = ", "!gore", "?!"} {
		if _, err := NewBlocklist(word); err == nil || !strings.Contains(err.Error(), "blocked tag") {
			t.Errorf("NewBlocklist(%q): %v", word, err)
		}
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	img := Image{
		Tags: []string{
			"safe", "Animated", "gif", "absurd_resolution", "artist:some one", "editor:x", "spoiler:s05", "oc:blue", "rainbow_dash",
			"species:fox", "dancing", "DANCING", "commissioner:y", "has_audio", "re:zero", "artist:dan_(artist)", "looping_animation",
		},
		Artists: []string{"some one", "dan", "dan"}, Characters: []string{"hatsune_miku_(vocaloid)", "blue"}, Meta: []string{"looping_animation"},
	}
	want := []string{"hatsune miku (vocaloid)", "blue", "rainbow dash", "fox", "dancing", "re:zero"}
	if diff := cmp.Diff(want, Describe(img)); diff != "" {
		t.Errorf("Describe (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"some one", "dan"}, Credit(img)); diff != "" {
		t.Errorf("Credit (-want +got):\n%s", diff)
	}
	var many Image
	for i := range 40 {
		many.Tags = append(many.Tags, strings.Repeat("x", 90+i))
	}
	words := Describe(many)
	if len(words) != MaxDescribed || len(words[MaxDescribed-1]) > MaxTagSize {
		t.Errorf("%d words, the last of %d", len(words), len(words[MaxDescribed-1]))
	}
	if Describe(Image{}) != nil || Credit(Image{}) != nil {
		t.Error("something is said of nothing")
	}
}
