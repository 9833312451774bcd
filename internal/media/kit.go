package media

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Defaults of Options.
const (
	DefaultMaxDownload     = 50 << 20
	DefaultDownloadTimeout = 2 * time.Minute
	DefaultEncodeTimeout   = 5 * time.Minute
	DefaultMemory          = 1 << 30
)

// ownName begins the name of every temporary file, and of nothing else.
const ownName = "rookery-media-"

// Getter fetches an address; publicnet.Client is one. It follows redirects and
// refuses what is not public.
type Getter interface {
	Get(ctx context.Context, address string) (*http.Response, error)
}

// Options say how a Kit works. Dir and Fetch are needed.
type Options struct {
	// Dir is where temporary files are kept. It is made if it is not there,
	// and belongs to one Kit alone.
	Dir   string
	Fetch Getter
	// FFmpeg is the path or name of the program; "" means ffmpeg, wherever the
	// system finds it.
	FFmpeg string
	// NoFFmpeg does without it, as if there were none.
	NoFFmpeg bool

	MaxDownload     int64         // bytes of one file, fetched or made; 0 means DefaultMaxDownload
	DownloadTimeout time.Duration // of one file; 0 means DefaultDownloadTimeout
	EncodeTimeout   time.Duration // of one run of ffmpeg; 0 means DefaultEncodeTimeout
	// Memory is how many bytes of addresses ffmpeg may have, where the system
	// can bound it (Linux); 0 means DefaultMemory.
	Memory int64

	Log *slog.Logger     // nil means none
	Now func() time.Time // for Error.RetryAt; nil means the machine's clock
}

// Kit fetches and changes files. It is safe for concurrent use.
type Kit struct {
	opt  Options
	log  *slog.Logger
	now  func() time.Time
	slot chan struct{} // held by the one run of ffmpeg
	own  chan struct{} // held by who decodes pixels in this process
	// create opens a temporary file; a test puts a full disk in its place.
	create func(dir, pattern string) (*os.File, error)

	mu     sync.Mutex
	files  map[string]struct{} // not removed yet
	closed bool
	probed bool
	tool   Tool
	lacks  error // why tool cannot be used; nil if it can
}

// New makes the folder if needed and deletes what an earlier process left in
// it. It starts nothing.
func New(o Options) (*Kit, error) {
	if o.Dir == "" || o.Fetch == nil {
		return nil, errors.New("media: a folder and a way to fetch are needed")
	}
	if o.FFmpeg == "" {
		o.FFmpeg = "ffmpeg"
	}
	if o.MaxDownload <= 0 {
		o.MaxDownload = DefaultMaxDownload
	}
	if o.DownloadTimeout <= 0 {
		o.DownloadTimeout = DefaultDownloadTimeout
	}
	if o.EncodeTimeout <= 0 {
		o.EncodeTimeout = DefaultEncodeTimeout
	}
	if o.Memory <= 0 {
		o.Memory = DefaultMemory
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default for a caller without a clock of its own
	}
	dir, err := filepath.Abs(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("find the folder for temporary files: %w", err)
	}
	o.Dir = dir
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for temporary files: %w", err)
	}
	k := &Kit{opt: o, log: o.Log, now: o.Now, slot: make(chan struct{}, 1), own: make(chan struct{}, 1), create: os.CreateTemp, files: map[string]struct{}{}}
	if err := k.sweep(); err != nil {
		return nil, fmt.Errorf("clean the folder for temporary files: %w", err)
	}
	return k, nil
}

// sweep deletes temporary files that are older than one made now: the folder's
// own clock decides, for the program's may be a simulated one.
func (k *Kit) sweep() error {
	mark, err := os.CreateTemp(k.opt.Dir, ownName+"*.mark")
	if err != nil {
		return writing(err)
	}
	st, err := mark.Stat()
	if err = errors.Join(err, mark.Close(), os.Remove(mark.Name())); err != nil {
		return err
	}
	entries, err := os.ReadDir(k.opt.Dir)
	if err != nil {
		return err
	}
	swept := 0
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), ownName) || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil || info.ModTime().After(st.ModTime()) {
			continue // gone already, or not of an earlier process
		}
		if err := os.Remove(filepath.Join(k.opt.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		swept++
	}
	if swept > 0 {
		k.log.Debug("deleted temporary files of an earlier process", "files", swept)
	}
	return nil
}

// Close deletes the temporary files that are left. Calls that are under way
// should have ended; new files are refused.
func (k *Kit) Close() error {
	k.mu.Lock()
	k.closed = true
	left := make([]string, 0, len(k.files))
	for path := range k.files {
		left = append(left, path)
	}
	k.mu.Unlock()
	var errs []error
	for _, path := range left {
		errs = append(errs, k.remove(path))
	}
	return errors.Join(errs...)
}

// temp opens a new temporary file, which remove deletes.
func (k *Kit) temp(ext string) (*os.File, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return nil, errors.New("media: the kit is closed")
	}
	f, err := k.create(k.opt.Dir, ownName+"*"+ext)
	if err != nil {
		return nil, writing(err)
	}
	k.files[f.Name()] = struct{}{}
	return f, nil
}

func (k *Kit) remove(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("delete a temporary file: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.files, path)
	return nil
}

// discard removes a file on a way out that has an error already.
func (k *Kit) discard(path string) {
	if err := k.remove(path); err != nil {
		k.log.Debug("a temporary file stays until the next start", "error", err)
	}
}
