package importer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// Giffer is what giffer has left behind: one of its two files, or both.
type Giffer struct {
	stateFile, envFile string // as they were named; empty if not given
	state              gifferState
	settings           gifferSettings
}

// ReadGiffer reads giffer's files, its state (giffer_state.json) and its
// settings (config.env), and finds out by itself which is which. Its errors
// say what to do and hold nothing of the files' values.
func ReadGiffer(files ...string) (*Giffer, error) {
	g := &Giffer{}
	for _, name := range files {
		data, err := readGiffer(name)
		if err != nil {
			return nil, err
		}
		isState := data[0] == '{' || data[0] == '['
		before := &g.envFile
		if isState {
			before = &g.stateFile
		}
		if *before != "" {
			return nil, fmt.Errorf("%s and %s are of one kind: give giffer's state, giffer_state.json, and its settings, config.env, each once", *before, name)
		}
		*before = name
		if isState {
			g.state, err = parseState(data)
		} else {
			g.settings, err = parseGiffer(data)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if g.stateFile == "" && g.envFile == "" {
		return nil, errors.New("give giffer's state, giffer_state.json, or its settings, config.env")
	}
	return g, nil
}

// HasState tells whether giffer's state was among the files.
func (g *Giffer) HasState() bool { return g.stateFile != "" }

// HasSettings tells whether giffer's settings were among the files.
func (g *Giffer) HasSettings() bool { return g.envFile != "" }

const gifferFiles = "give giffer's state, giffer_state.json, or its settings, config.env"

// readGiffer reads a file as text without the mark and the space around it.
func readGiffer(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("read what giffer has left: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxState+1))
	if err != nil {
		return nil, fmt.Errorf("read what giffer has left: %w", err)
	}
	data = bytes.TrimSpace(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")))
	switch {
	case len(data) > maxState:
		return nil, fmt.Errorf("%s is larger than %d MiB: %s", name, maxState>>20, gifferFiles)
	case len(data) == 0:
		return nil, fmt.Errorf("%s is empty: %s", name, gifferFiles)
	case bytes.IndexByte(data, 0) >= 0 || !utf8.Valid(data):
		return nil, fmt.Errorf("%s is no text: %s", name, gifferFiles)
	case data[0] == '<':
		return nil, fmt.Errorf("%s is a web page: save the file itself, not the page that shows it", name)
	}
	return data, nil
}

// Write makes the configuration and the files with the secrets from giffer's
// settings, and tells what became of each of them. Like Elelem it overwrites no
// file, and writes all or nothing.
func (g *Giffer) Write(ctx context.Context, c Config) (Result, error) {
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return Result{}, fmt.Errorf("find %s: %w", c.Dir, err)
	}
	r := Result{Config: filepath.Join(dir, configFile), Env: filepath.Join(dir, gifferToken), Unknown: g.settings.unknown}
	files := []file{{r.Env, g.settings.token + "\n"}, {r.Config, g.settings.config()}}
	if g.settings.key != "" {
		files = append([]file{{filepath.Join(dir, furbooruKey), g.settings.key + "\n"}}, files...)
	}
	if err := write(ctx, dir, files); err != nil {
		return Result{}, err
	}
	c.tellGiffer(r, g)
	return r, nil
}
