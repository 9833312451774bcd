package gallery

import (
	"bytes"
	"fmt"
	"image"
	_ "image/jpeg"
	"image/png"
	"strings"
	"testing"

	"rookery/internal/budget"
	"rookery/internal/sim/discordsim"
	"rookery/internal/sim/llmsim"
	"rookery/internal/store"
	"rookery/internal/words"
)

const owlSaid = "AI Generated Description: A drawn owl."

// ⚠ A picture goes to the model only after a yes for this very post that is in
// the ledger, small and without anything else, and never over what a person wrote.
func TestTheModelSeesAPictureAfterAYesAlone(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says(`"A drawn owl."`)})
		id, _ := w.share("without", plain(1))
		if p := w.posted(id); p.Media[0].Description != "" {
			t.Errorf("%+v", p.Media[0])
		}
		if w.llm.Count() != 0 {
			t.Fatal("the model was asked without a yes")
		}
		id, thread := w.begin(w.ada, "with", discordsim.File{Name: "big.png", Type: "image/png", Data: strip(900)}, picture(2))
		w.press(w.ada, thread, verbAI)
		w.agree(w.ada, id, thread)
		p := w.posted(id)
		if p.Media[0].Description != owlSaid || p.Media[1].Description != "Owl number 2." {
			t.Errorf("%+v", p.Media)
		}
		asked := w.llm.Requests()
		if len(asked) != 1 {
			t.Fatalf("%d questions", len(asked))
		}
		last := asked[0].Messages[len(asked[0].Messages)-1]
		if len(last.Images) != 1 || strings.Contains(string(asked[0].Body), "ada") || strings.Contains(string(asked[0].Body), "with") && strings.Contains(last.Text, "with") {
			t.Errorf("the model was sent %q", last.Text)
		}
		if c, kind, err := image.DecodeConfig(bytes.NewReader(last.Images[0].Data)); err != nil || kind != "jpeg" || c.Width > stillSide || c.Height > stillSide {
			t.Errorf("%s, %+v, %v", kind, c, err)
		}
		if got := w.events(id); got != "offered ai_on agreed described posted" {
			t.Errorf("the ledger has %q", got)
		}
		entries, err := w.g.Ledger.Submission(t.Context(), id)
		w.must(err)
		e := entries[3]
		if e.Processor != "Sim (Moon)" || e.Model != "sim-1" || len(e.Media) != 1 || e.Media[0].N != 1 || e.Media[0].SHA256 == "" || !strings.Contains(e.Note, "sha256 ") {
			t.Errorf("%+v", e)
		}
	})
}

// strip is a picture that is wider than high.
func strip(width int) []byte {
	var b bytes.Buffer
	_ = png.Encode(&b, image.NewGray(image.Rect(0, 0, width, 16))) // to memory
	return b.Bytes()
}

// ⚠ A yes is for one processor and one model: after another was set nothing goes
// anywhere, and the artist decides anew.
func TestAYesIsForOneProcessor(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("A drawn owl.")})
		was := w.g.Config
		for n, change := range []func(*Config){
			func(c *Config) { c.Processor = "Other (Mars)" },
			func(c *Config) { c.ModelName = "sim-2" },
			func(c *Config) { c.Model = nil },
		} {
			id, thread := w.begin(w.ada, "an owl", plain(n))
			w.press(w.ada, thread, verbAI)
			w.agree(w.ada, id, thread)
			change(&w.g.Config)
			w.works(id, Offered)
			w.g.Config = was
			w.sweep()
			contains(t, w.offer(thread).Content, "no picture went to an AI")
			if w.llm.Count() != 0 || w.sub(id).AI {
				t.Errorf("%d questions; AI is %v", w.llm.Count(), w.sub(id).AI)
			}
		}
		w.silent()
	})
}

// ⚠ Whatever the model does, the post is made; the acknowledgement says which
// pictures are without a description.
func TestAModelThatFailsBlocksNothing(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("A drawn owl.")})
		w.llm.Inject(
			llmsim.Fault{Kind: llmsim.ServerError}, llmsim.Fault{Kind: llmsim.Says, Text: "A drawn owl."}, // 1: the second try helps
			llmsim.Fault{Kind: llmsim.ServerError, Times: 2},                // 2: nor does the second
			llmsim.Fault{Kind: llmsim.WrongKey},                             // 3
			llmsim.Fault{Kind: llmsim.Refuses, Text: "I would rather not."}, // 4
			llmsim.Fault{Kind: llmsim.Filtered}, llmsim.Fault{Kind: llmsim.EmptyContent}, llmsim.Fault{Kind: llmsim.Prohibited},
			llmsim.Fault{Kind: llmsim.HTMLPage, Times: 2}, // 8
		)
		var files []discordsim.File
		for n := range 9 {
			files = append(files, plain(n))
		}
		id, thread := w.begin(w.ada, "nine owls", files...)
		w.press(w.ada, thread, verbAI)
		w.agree(w.ada, id, thread)
		w.posted(id)
		var described []string
		for _, p := range w.all() {
			for _, m := range p.Media {
				if m.Description != "" && m.Description != owlSaid {
					t.Errorf("%q", m.Description)
				}
				described = append(described, fmt.Sprint(m.Description != ""))
			}
		}
		if got := strings.Join(described, " "); got != "true false false false false false false false true" {
			t.Errorf("described are %s", got)
		}
		contains(t, w.offer(thread).Content, words.English.Say(words.GalleryPostedWithout, words.Args{"n": 7, "which": "2, 3, 4, 5, 6, 7, 8"}))
	})
}

// A description that was cut off is asked for again, shorter, and then cut at a
// sentence.
func TestADescriptionThatWasCutOff(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("Short."), gallery: func(c *Config) { c.Prompt = "Describe it in {language}." }})
		share := func() string {
			id, thread := w.begin(w.ada, "an owl", plain(1))
			w.press(w.ada, thread, verbAI)
			w.agree(w.ada, id, thread)
			return w.posted(id).Media[0].Description
		}
		long := llmsim.Fault{Kind: llmsim.CutShort, Text: "An owl sits there. It looks at us and seems to think of something else. And then it does not say anything at all, for hours and hours, until morning comes"}
		w.llm.Inject(long)
		if got := share(); got != "AI Generated Description: Short." {
			t.Errorf("%q", got)
		}
		contains(t, string(w.llm.Requests()[1].Body), "Describe it in en. "+shorterPlease)
		long.Times = 2
		w.llm.Inject(long)
		if got := share(); !strings.HasSuffix(got, ".") || strings.Contains(got, "morning") || !strings.Contains(got, "An owl sits there.") {
			t.Errorf("%q", got)
		}
	})
}

// Descriptions are paid from the budget, and are no replies; without one the
// post goes without.
func TestDescriptionsAndTheBudget(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		open := budget.Limits{RepliesPerMember: budget.Unlimited, TokensPerDay: budget.Unlimited, TokensPerMember: budget.Unlimited, TokensPerAccount: budget.Unlimited, TokensPerGuild: budget.Unlimited,
			MoneyPerDay: budget.Unlimited, MoneyPerMember: budget.Unlimited, MoneyPerAccount: budget.Unlimited, MoneyPerGuild: budget.Unlimited}
		limits := open
		limits.TokensPerMember = 1200
		w := newWorld(t, s, options{model: says("A drawn owl."), budget: &limits})
		share := func() string {
			id, thread := w.begin(w.ada, "an owl", plain(1))
			w.press(w.ada, thread, verbAI)
			w.agree(w.ada, id, thread)
			return w.posted(id).Media[0].Description
		}
		if got := share(); got != owlSaid {
			t.Errorf("%q", got)
		}
		use, err := w.g.Budget.Today(t.Context())
		w.must(err)
		if use.Tokens.Used == 0 || use.Tokens.Held != 0 || use.Replies != 0 {
			t.Errorf("%+v", use)
		}
		w.g.Budget.Limits.TokensPerMember = use.Tokens.Used
		asked := w.llm.Count()
		if got := share(); got != "" || w.llm.Count() != asked {
			t.Errorf("%q", got)
		}
	})
}

// Drafts are written after a yes to sending the pictures now, for what nobody
// has described, and the artist is told.
func TestDrafts(t *testing.T) {
	alone(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, options{model: says("A drawn owl.")})
		id, thread := w.begin(w.ada, "three", plain(1), picture(2), plain(3))
		w.must(w.worker.draftAll(t.Context(), id, true))
		w.press(w.ada, thread, verbAI) // a yes for later is none for now
		w.must(w.worker.draftAll(t.Context(), id, true))
		if w.llm.Count() != 0 {
			t.Fatal("the model was asked without a yes")
		}
		panel := w.press(w.ada, thread, verbDescribe)
		in, err := w.discord.PressButton(w.ada, panel.Message.ID, draftButton(t, *panel.Message))
		w.must(err)
		_, err = in.Wait(w.patience())
		w.must(err)
		w.llm.Inject(llmsim.Fault{Kind: llmsim.Refuses, Text: "No."})
		w.must(w.worker.draftAll(t.Context(), id, true))
		w.sweep()
		if m := w.sub(id).Media; m[0].Draft != "" || m[1].Draft != "" || m[2].Draft != "A drawn owl." || m[2].Alt != "" {
			t.Errorf("%+v", m)
		}
		if s := w.sub(id); s.Drafting != nil || s.State != Offered {
			t.Errorf("%s; somebody still waits: %+v", s.State, s.Drafting)
		}
		if got := w.events(id); !strings.Contains(got, "ai_on ai_on drafted drafted") {
			t.Errorf("the ledger has %q", got)
		}
		w.must(w.worker.draftAll(t.Context(), id, true))
		if n := w.llm.Count(); n != 3 {
			t.Errorf("%d questions: what was drafted is drafted again", n)
		}
	})
}

func draftButton(t *testing.T, m discordsim.Message) string {
	t.Helper()
	for _, id := range buttons(m) {
		if strings.Contains(id, verbDraft) {
			return id
		}
	}
	t.Fatalf("no button for drafts in %q", buttons(m))
	return ""
}

// FuzzWholeSentences: what is left is a beginning of the text, and not empty.
func FuzzWholeSentences(f *testing.F) {
	for _, s := range []string{"One. Two. Thr", "no end", "word", "", " . ", "Ой! Ай", "x\n\ny", "…", "a. b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := wholeSentences(s)
		if begins := strings.TrimSuffix(got, "…"); !strings.HasPrefix(strings.TrimSpace(s), begins) || got == "" && strings.TrimSpace(s) != "" {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}
