package doctor

import (
	"strings"
	"testing"

	"rookery/internal/clock"
	"rookery/internal/sim/fedisim"
	"rookery/internal/sim/llmsim"
)

func TestAModelInTrouble(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		opt   llmsim.Options
		do    func(*world)
		level Level
		want  string
	}{
		{"down", llmsim.Options{}, func(w *world) { _ = w.model.Close() }, Error, "server runs"},
		{"wrong key", llmsim.Options{Key: "another"}, func(*world) {}, Error, "api_key_env"},
		{"no credit", llmsim.Options{}, func(w *world) { w.model.Inject(llmsim.Fault{Kind: llmsim.OutOfQuota}) }, Error, "credit"},
		{"unknown model", llmsim.Options{Models: []string{"other"}}, func(*world) {}, Error, "does not know the model owl-1"},
		{"web page", llmsim.Options{}, func(w *world) { w.model.Inject(llmsim.Fault{Kind: llmsim.HTMLPage}) }, Error, "base_url"},
		{"too many", llmsim.Options{}, func(w *world) { w.model.Inject(llmsim.Fault{Kind: llmsim.RateLimited}) }, Warning, "too many requests"},
		{"hangs", llmsim.Options{}, func(w *world) {
			w.replace(`timeout = "20s"`, `timeout = "1s"`)
			w.model.Inject(llmsim.Fault{Kind: llmsim.Hang})
		}, Error, "within 1s"},
		{"says nothing", llmsim.Options{}, func(w *world) { w.model.Inject(llmsim.Fault{Kind: llmsim.EmptyContent}) }, Warning, "max_tokens"},
		{"refuses", llmsim.Options{}, func(w *world) { w.model.Inject(llmsim.Fault{Kind: llmsim.Refuses}) }, Warning, "not with words"},
		{"trouble", llmsim.Options{}, func(w *world) { w.model.Inject(llmsim.Fault{Kind: llmsim.ServerError}) }, Error, "500"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, fedisim.Options{}, c.opt)
			w.database(nil)
			c.do(w)
			w.run().only("model", c.level, c.want)
			if n := w.model.Count(); n > 1 {
				t.Errorf("the model was asked %d times", n)
			}
		})
	}
}

func TestBudgetLimits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{}, llmsim.Options{})
	w.database(nil)
	w.replace("replies_per_member = 5", "replies_per_member = 0\ntokens_per_day = 0\nprice_prompt = 0.1\nprice_completion = 0.2\nmoney_per_day = 1.5\ntime_zone = \"Asia/Tokyo\"")
	f := w.run()
	f.has("config", Warning, "replies_per_member") // the configuration says so by itself
	f.has("budget", Warning, "replies_per_member")
	f.has("budget", Warning, "tokens_per_day")
	f.has("budget", OK, "0.00 USD of 1.50 USD")
	f.has("zone", OK, "Asia/Tokyo")
}

func TestABudgetThatIsUsedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fedisim.Options{Clock: noon}, llmsim.Options{})
	w.Clock = clock.NewManual(noon())
	w.fill(w.open())
	w.replace("replies_per_member = 5", "tokens_per_day = 100")
	w.run().has("budget", Warning, "used up")
	w.text = strings.Replace(w.text, "tokens_per_day = 100", "tokens_per_day = \"unlimited\"", 1)
	w.run().has("budget", OK, "120 of unlimited tokens")
}
