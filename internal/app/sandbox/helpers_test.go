package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// A bot that cannot start, and one that does not hear: the test program plays
// them when it is called as the bot is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "run" {
		if os.Args[len(os.Args)-1] == "--deaf" {
			beDeaf(os.Args[2])
		}
		fmt.Fprintln(os.Stderr, "the sky is too low to fly in")
		os.Exit(3)
	}
	goleak.VerifyTestMain(m)
}

// beDeaf ignores every request to end, and says so by connecting to addr.
func beDeaf(addr string) {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		os.Exit(4)
	}
	_, _ = conn.Read(make([]byte, 1)) // until the test ends
	os.Exit(0)
}

// thisProgram is the test program, in its role as a bot.
func thisProgram(t *testing.T) string {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return exe
}

// build makes the real program.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "rookery")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, "rookery/cmd/rookery")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// screen is an output that a test can wait on.
type screen struct {
	mu      sync.Mutex
	text    bytes.Buffer
	changed chan struct{}
}

func newScreen() *screen { return &screen{changed: make(chan struct{})} }

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.changed)
	s.changed = make(chan struct{})
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// await waits until the pattern is there, and returns what its group matched.
func (s *screen) await(t *testing.T, pattern string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	re := regexp.MustCompile(pattern)
	for {
		s.mu.Lock()
		found, changed := re.FindStringSubmatch(s.text.String()), s.changed
		s.mu.Unlock()
		if found != nil {
			return found[len(found)-1]
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("no %q in:\n%s", pattern, s)
		}
	}
}

// keptFolder removes the folder that a run says it has kept, and returns its
// name.
func keptFolder(t *testing.T, out string) string {
	t.Helper()
	m := regexp.MustCompile(`folder is kept: (.*)\n`).FindStringSubmatch(out)
	if m == nil {
		t.Fatalf("no word of a kept folder in:\n%s", out)
	}
	t.Cleanup(func() { _ = os.RemoveAll(m[1]) })
	if _, err := os.Stat(m[1]); err != nil {
		t.Errorf("the folder is not there: %v", err)
	}
	return m[1]
}

func wantIn(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(text, p) {
			t.Errorf("no %q in:\n%s", p, text)
		}
	}
}
