//go:build failpoint

package failpoint

import (
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

var (
	once sync.Once
	step string
	left int
	mu   sync.Mutex
)

// At kills the process, as kill -9 would, when ROOKERY_FAILPOINT names this
// step ("step" or "step:n" for the n-th time it is reached).
func At(name string) {
	once.Do(func() {
		s, n, _ := strings.Cut(os.Getenv("ROOKERY_FAILPOINT"), ":")
		step, left = s, 1
		if i, err := strconv.Atoi(n); err == nil {
			left = i
		}
	})
	if name != step {
		return
	}
	mu.Lock()
	defer mu.Unlock()
	if left--; left > 0 {
		return
	}
	if p, err := os.FindProcess(os.Getpid()); err == nil {
		_ = p.Kill()
	}
	// The signal may take a moment; nothing may happen after it.
	time.Sleep(time.Hour)
}
