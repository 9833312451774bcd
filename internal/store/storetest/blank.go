package storetest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"rookery/internal/store"
)

// blanks are SQLite files with tables and nothing in them, by what they were
// migrated to: copying one takes a fraction of the time that making the tables
// does, and there are thousands of tests.
var blanks sync.Map // of fingerprints to func() ([]byte, error)

// blank is such a file.
func blank(ctx context.Context, features []store.Migrations) ([]byte, error) {
	key, err := fingerprint(features)
	if err != nil {
		return nil, err
	}
	making, _ := blanks.LoadOrStore(key, sync.OnceValues(func() ([]byte, error) {
		dir, err := os.MkdirTemp("", "rookery-storetest-")
		if err != nil {
			return nil, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
		// Whichever test comes first must not end it for the others.
		ctx := context.WithoutCancel(ctx)
		s, err := store.Open(ctx, store.Config{Dir: dir})
		if err != nil {
			return nil, err
		}
		if err := s.Migrate(ctx, features...); err != nil {
			_ = s.Close()
			return nil, err
		}
		if err := s.Close(); err != nil {
			return nil, err
		}
		return os.ReadFile(filepath.Join(dir, store.FileName))
	}))
	return making.(func() ([]byte, error))()
}

// fingerprint names what a database is migrated to: every file of every
// feature, in order.
func fingerprint(features []store.Migrations) (string, error) {
	h := sha256.New()
	for _, f := range features {
		_, _ = fmt.Fprintf(h, "%q\n", f.Feature)
		err := fs.WalkDir(f.FS, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := fs.ReadFile(f.FS, path)
			_, _ = fmt.Fprintf(h, "%q %d\n%s\n", path, len(b), b)
			return err
		})
		if err != nil {
			return "", fmt.Errorf("read the migrations of %s: %w", f.Feature, err)
		}
	}
	return string(h.Sum(nil)), nil
}
