package app

import (
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"gopkg.in/natefinch/lumberjack.v2"

	"rookery/internal/app/config"
)

// newLogger makes the one logger of the program: to stderr, or to a file that
// is put aside when it has grown.
func newLogger(c config.Log, stderr io.Writer) (log *slog.Logger, closeLog func(), err error) {
	out, closeLog := stderr, func() {}
	if c.File != "" {
		if err := os.MkdirAll(filepath.Dir(c.File), 0o700); err != nil {
			return nil, nil, fmt.Errorf("make the folder of the log: %w", err)
		}
		f := &lumberjack.Logger{Filename: c.File, MaxSize: c.MaxSizeMB, MaxBackups: c.MaxFiles}
		// Only a write opens it: find out now, not at the first line.
		if _, err := f.Write(nil); err != nil {
			return nil, nil, fmt.Errorf("open the log: %w", err)
		}
		out, closeLog = f, func() { _ = f.Close() }
	}
	o := &slog.HandlerOptions{Level: c.Level}
	if c.Format == "json" {
		return slog.New(slog.NewJSONHandler(out, o)), closeLog, nil
	}
	return slog.New(slog.NewTextHandler(out, o)), closeLog, nil
}
