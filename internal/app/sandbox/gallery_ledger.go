package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"rookery/internal/gallery/ledger"
)

// consent is a line of the ledger, as `rookery gallery ledger --json` prints
// it: as much of it as is looked at here.
type consent struct {
	Event      ledger.Event `json:"event"`
	Submission string       `json:"submission"`
	Processor  string       `json:"processor"`
	Note       string       `json:"note"`
}

// galleryLedger holds every picture that the model was shown against the
// ledger: it is there that it was sent, and before that a yes which still stood.
func galleryLedger(s *stage) error {
	var lines []consent
	for _, member := range []string{s.guild.ada, s.guild.cleo} {
		of, err := s.readLedger(member)
		if err != nil {
			return err
		}
		lines = append(lines, of...)
	}
	s.say("The ledger has %s.", counted(len(lines), "line", "lines"))
	s.say("rookery gallery ledger prints it as a proof for each post; with --json, its bare lines.")
	looked := 0
	for _, r := range s.model.Pictured() {
		for _, image := range r.Images() {
			looked++
			s.check(covered(lines, image.SHA256), "a yes in the ledger to the picture "+image.SHA256[:12]+"…, before it was sent", "none")
		}
	}
	s.check(looked > 0, "the model was shown a picture", "none, so that nothing is proved")
	s.say("The model was shown %s, each after a yes to %s.", counted(looked, "picture", "pictures"), processor)
	for _, event := range []ledger.Event{ledger.Offered, ledger.Agreed, ledger.Posted, ledger.Deleted, ledger.Declined, ledger.Expired} {
		n := 0
		for _, l := range lines {
			if l.Event == event {
				n++
			}
		}
		s.check(n > 0, "the ledger has a line “"+string(event)+"”", "none")
	}
	return nil
}

// covered tells whether the ledger says of a picture, by its hash, that it was
// sent, and that there was a yes to that.
func covered(lines []consent, hash string) bool {
	yes := map[string]string{} // the processor that a submission's artist has said yes to
	for _, l := range lines {
		switch {
		case l.Event == ledger.AIOn:
			yes[l.Submission] = l.Processor
		case l.Event == ledger.AIOff || l.Event.Ends():
			delete(yes, l.Submission)
		case (l.Event == ledger.Drafted || l.Event == ledger.Described) && strings.Contains(l.Note, hash):
			return yes[l.Submission] == l.Processor && l.Processor == processor
		}
	}
	return false
}

// readLedger has the program print what the ledger holds of a member, while the
// bot runs.
func (s *stage) readLedger(member string) ([]consent, error) {
	ctx, cancel := context.WithTimeout(s.ctx, patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.bot.program, "gallery", "ledger", "--member", member, "--json", "--config", s.config())
	cmd.WaitDelay = time.Second
	var failed strings.Builder
	cmd.Stderr = &failed
	out, err := cmd.Output()
	if err != nil {
		return nil, &unmet{"“rookery gallery ledger --member … --json” succeeds", fmt.Sprintf("%v: %s", err, failed.String())}
	}
	var lines []consent
	if err := json.Unmarshal(out, &lines); err != nil {
		return nil, fmt.Errorf("read the ledger: %w", err)
	}
	return lines, nil
}
