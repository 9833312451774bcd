package publicnet

import (
	"errors"
	"fmt"
	"io"
)

// Limit returns a reader of at most n bytes of r. If r goes on after them, the
// read that comes to it fails with ErrTooLarge; up to there nothing is held in
// memory, so that it serves for copying to a file. Of a body that Client
// returned, the decompressed bytes count: one that swells costs n bytes.
func Limit(r io.Reader, n int64) io.Reader {
	return &limited{r: r, left: max(n, 0), limit: max(n, 0)}
}

type limited struct {
	r           io.Reader
	left, limit int64
	err         error // what every read after the end gives
}

func (l *limited) Read(p []byte) (int, error) {
	if l.err != nil || len(p) == 0 {
		return 0, l.err
	}
	if l.left > 0 {
		n, err := l.r.Read(p[:min(int64(len(p)), l.left)])
		l.left -= int64(n)
		l.err = err
		return n, err
	}
	// One byte more tells the end from what goes on.
	var one [1]byte
	n, err := l.r.Read(one[:])
	if n > 0 {
		err = fmt.Errorf("%w of %d bytes", ErrTooLarge, l.limit)
	}
	l.err = err
	return 0, err
}

// ReadAll reads at most n bytes of r. If r goes on after them, it returns them
// with ErrTooLarge; with any other error, what was read before it.
func ReadAll(r io.Reader, n int64) ([]byte, error) {
	data, err := io.ReadAll(Limit(r, n))
	if err != nil && !errors.Is(err, ErrTooLarge) {
		return data, fmt.Errorf("read the body: %w", err)
	}
	return data, err
}
