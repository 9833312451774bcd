package emoji

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"rookery/internal/media"
	"rookery/internal/publicnet"
)

// What is written is for the user that runs the instance, who is mostly
// another than the one who runs this.
const (
	folderMode = 0o755
	fileMode   = 0o644
)

// parallel is how many pictures are fetched at once.
const parallel = 4

// write makes both forms in a folder.
func (c Config) write(ctx context.Context, dir string, r *Result) error {
	name := packName(c.Name)
	pack := filepath.Join(dir, name)
	if err := os.Mkdir(pack, folderMode); err != nil {
		return fmt.Errorf("make the folder of the pack: %w", err)
	}
	if err := errors.Join(os.Chmod(dir, folderMode), os.Chmod(pack, folderMode)); err != nil { // whatever the umask
		return fmt.Errorf("let others read the folder: %w", err)
	}
	if err := c.fetchAll(ctx, pack, r); err != nil {
		return err
	}
	if len(r.Written) == 0 {
		return fmt.Errorf("none of the emoji could be taken: %w", ErrNothing)
	}
	if err := c.packJSON(filepath.Join(pack, "pack.json"), r.Written); err != nil {
		return err
	}
	packed, err := archive(filepath.Join(dir, name+".tar.gz"), pack, r.Written)
	if err != nil {
		return err
	}
	r.Pack = filepath.Join(r.Dir, name)
	if packed {
		r.Archive = filepath.Join(r.Dir, name+".tar.gz")
	}
	return nil
}

// fetchAll fetches the pictures into the folder of the pack.
func (c Config) fetchAll(ctx context.Context, pack string, r *Result) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	all := named(c.Sources)
	type outcome struct {
		Written
		why Reason
		err error
	}
	outcomes := make([]outcome, len(all))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(parallel, len(all)) {
		workers.Go(func() {
			for i := range next {
				w, why, err := c.fetch(ctx, pack, all[i])
				outcomes[i] = outcome{w, why, err}
				if err != nil && why == "" {
					cancel() // the disk: the rest would fare no better
				}
			}
		})
	}
	for i := range all {
		if ctx.Err() != nil {
			break
		}
		next <- i
	}
	close(next)
	workers.Wait()
	for i, o := range outcomes {
		switch {
		case o.err != nil && o.why == "":
			return o.err
		case o.err != nil:
			r.Skipped = append(r.Skipped, Skipped{all[i].Name, o.why, o.err})
		case o.Name != "":
			r.Written = append(r.Written, o.Written)
		}
	}
	return context.Cause(ctx)
}

// fetch writes one picture. An error without a Reason is not the picture's.
func (c Config) fetch(ctx context.Context, pack string, n naming) (Written, Reason, error) {
	data, why, err := c.get(ctx, n.URL)
	if err != nil {
		return Written{}, why, err
	}
	info, err := media.InspectReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return Written{}, NotPicture, err
	}
	w := Written{Name: n.shortcode, Was: n.Name, Size: int64(len(data))}
	switch info.Type {
	case media.PNG, media.GIF:
	case media.WebP:
		w.NotMastodon = WebP
	default:
		return Written{}, NotPicture, fmt.Errorf("it is %s", info.Type)
	}
	if len(data) >= mastodonBytes {
		w.NotMastodon = TooLarge
	}
	w.File = fileName(n.shortcode, info.Type.Ext())
	if err := writeFile(filepath.Join(pack, w.File), data); err != nil {
		return Written{}, "", err
	}
	return w, "", nil
}

// get fetches a picture into memory.
func (c Config) get(ctx context.Context, address string) ([]byte, Reason, error) {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	resp, err := c.Fetch.Get(ctx, address)
	if err != nil {
		return nil, NotFetched, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, NotFetched, fmt.Errorf("the server answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	data, err := publicnet.ReadAll(resp.Body, mostBytes)
	switch {
	case errors.Is(err, publicnet.ErrTooLarge):
		return nil, TooLarge, err
	case err != nil:
		return nil, NotFetched, err
	}
	return data, "", nil
}

func writeFile(path string, data []byte) error {
	err := os.WriteFile(path, data, fileMode)
	if err == nil {
		err = os.Chmod(path, fileMode)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", filepath.Base(path), err)
	}
	return nil
}

// packFile is pack.json.
type packFile struct {
	Files map[string]string `json:"files"` // names of files by shortcodes
	Count int               `json:"files_count"`
	Pack  struct {
		Description string `json:"description,omitempty"`
		Homepage    string `json:"homepage,omitempty"`
		License     string `json:"license,omitempty"`
		Share       bool   `json:"share-files"`
		CanDownload bool   `json:"can-download"`
	} `json:"pack"`
}

func (c Config) packJSON(path string, written []Written) error {
	p := packFile{Files: map[string]string{}, Count: len(written)}
	for _, w := range written {
		p.Files[w.Name] = w.File
	}
	p.Pack.Description, p.Pack.Homepage, p.Pack.License = c.Description, c.Homepage, c.License
	p.Pack.Share, p.Pack.CanDownload = c.Share, c.Share
	var b bytes.Buffer
	e := json.NewEncoder(&b) // sorts the files by their shortcodes
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(p); err != nil {
		return fmt.Errorf("write pack.json: %w", err)
	}
	return writeFile(path, b.Bytes())
}

// archive packs for Mastodon what it takes; false, and no file, if that is
// nothing.
func archive(path, pack string, written []Written) (packed bool, err error) {
	if !slices.ContainsFunc(written, func(w Written) bool { return w.NotMastodon == "" }) {
		return false, nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return false, fmt.Errorf("write the archive: %w", err)
	}
	gz, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return false, errors.Join(err, f.Close())
	}
	t := tar.NewWriter(gz)
	for _, w := range written {
		if w.NotMastodon == "" {
			err = errors.Join(err, add(t, w.Name+filepath.Ext(w.File), filepath.Join(pack, w.File)))
		}
	}
	if err = errors.Join(err, t.Close(), gz.Close(), f.Close(), os.Chmod(path, fileMode)); err != nil {
		return false, fmt.Errorf("write the archive: %w", err)
	}
	return true, nil
}

// add packs a file. It gets neither a time nor an owner: the same emoji make
// the same archive.
func add(t *tar.Writer, name, path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(data)), Format: tar.FormatUSTAR}); err != nil {
		return err
	}
	_, err = t.Write(data)
	return err
}
