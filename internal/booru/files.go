package booru

import (
	"math"
	"net/url"
	"path"
	"strings"
)

// fileList collects the forms of a picture, each address once.
type fileList []File

// add leaves out what is not an address of a GIF. A length that no file can
// have counts as not told.
func (l *fileList) add(base *url.URL, said text, width, height, size number) {
	f := File{URL: webURL(base, string(said)), Type: "image/gif"}
	if f.URL == "" {
		return
	}
	if u, err := url.Parse(f.URL); err != nil || !strings.EqualFold(path.Ext(u.Path), ".gif") {
		return
	}
	for _, have := range *l {
		if have.URL == f.URL {
			return
		}
	}
	if width >= 1 && height >= 1 && width <= math.MaxUint16 && height <= math.MaxUint16 {
		f.Width, f.Height = int(width), int(height)
	}
	if size <= 1<<50 {
		f.Size = int64(size)
	}
	*l = append(*l, f)
}
