package sandbox

import (
	"strings"
	"sync"

	"rookery/internal/sim/llmsim"
)

// mind is how the simulated model answers: as the owl, but it can be made to
// take its time, and it does whatever it is told. It is safe for concurrent
// use.
type mind struct {
	mu      sync.Mutex
	held    chan struct{} // what is asked waits until it is closed; nil: for nothing
	answers int
	tokens  int // that these answers have cost
}

// sayExactly is the order that the model obeys to the letter, wherever it
// stands in what it is given last.
const sayExactly = "Say exactly: "

// answer implements llmsim.Options.Answer.
func (m *mind) answer(r llmsim.Request) llmsim.Answer {
	m.mu.Lock()
	held := m.held
	m.mu.Unlock()
	if held != nil {
		<-held
	}
	a := owl(r)
	if len(r.Images()) > 0 {
		a.Text = seen
	}
	if _, order, ok := strings.Cut(r.LastUser(), sayExactly); ok {
		a.Text = strings.TrimSpace(strings.TrimSuffix(order, "</post>"))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.answers++
	m.tokens += r.PromptTokens() + llmsim.Tokens(a.Text)
	return a
}

// hold makes every question wait until release is called.
func (m *mind) hold() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held == nil {
		m.held = make(chan struct{})
	}
}

// release lets everything go that is held; it may be called at any time.
func (m *mind) release() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.held != nil {
		close(m.held)
		m.held = nil
	}
}

// cost is what the answers so far have cost, in tokens, and how many there were.
func (m *mind) cost() (tokens, answers int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.tokens, m.answers
}
