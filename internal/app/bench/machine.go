package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// machine is what the numbers depend on.
type machine struct {
	Cores  int     `json:"cores"`
	System string  `json:"system"`   // GOOS/GOARCH
	Go     string  `json:"go"`       // version
	SyncMS float64 `json:"fsync_ms"` // one write of 4 KB made safe on the disk, the median of 20
	Dir    string  `json:"dir"`
}

func (m machine) String() string {
	s := fmt.Sprintf("%d cores, %s, %s; a write of 4 KB and its fsync in %s take %s ms (median of %d)",
		m.Cores, m.System, m.Go, m.Dir, number(m.SyncMS), syncs)
	if m.SyncMS < 0.05 {
		s += "\nNo disk is that fast: this one may be memory. Choose another with -dir."
	}
	return s
}

const syncs = 20

func machineAt(dir string) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version(), Dir: filepath.Dir(dir)}
	f, err := os.Create(filepath.Join(dir, "fsync"))
	if err != nil {
		return m, fmt.Errorf("measure the disk: %w", err)
	}
	defer f.Close()
	var took []float64
	block := make([]byte, 4096)
	for range syncs {
		began := time.Now()
		if _, err = f.Write(block); err == nil {
			err = f.Sync()
		}
		if err != nil {
			return m, fmt.Errorf("measure the disk: %w", err)
		}
		took = append(took, ms(time.Since(began)))
	}
	m.SyncMS = quantile(took, 0.5)
	return m, nil
}

// build makes the program as for a release.
func build(ctx context.Context, dir string) (string, error) {
	out := filepath.Join(dir, "rookery")
	if runtime.GOOS == "windows" {
		out += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", out, "rookery/cmd/rookery")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if b, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, b)
	}
	return out, nil
}

// size is the file as it is released.
func size(_ context.Context, l *lab) ([]row, error) {
	st, err := os.Stat(l.binary)
	if err != nil {
		return nil, err
	}
	return []row{single("size of the program's file", "MB", float64(st.Size())/1e6).judge(aim{Under: 25})}, nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
