package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of looking at a file.
const (
	window   = 32 << 10 // bytes of it that are held
	maxParts = 1 << 16  // boxes or elements of a film that are looked at
	maxSide  = 1 << 24  // pixels; a file that claims more is broken
)

// source reads a file at any place through a window of fixed size: near places
// one after the other cost one read of the file.
type source struct {
	r     io.ReaderAt
	size  int64
	buf   []byte
	start int64 // where buf[:n] is in the file
	n     int
	parts int // looked at so far
}

func newSource(r io.ReaderAt, size int64) *source {
	return &source{r: r, size: size, buf: make([]byte, min(window, max(size, 1)))}
}

// errCut: the file ends before what its headers promise.
var errCut = errors.New("it is cut off")

// at returns n bytes at a place, valid until the next call; errCut if the file
// ends before. n is at most the window.
func (s *source) at(off int64, n int) ([]byte, error) {
	if off < 0 || off > s.size-int64(n) {
		return nil, errCut
	}
	if i := off - s.start; i >= 0 && i+int64(n) <= int64(s.n) {
		return s.buf[i : i+int64(n)], nil
	}
	got, err := s.r.ReadAt(s.buf[:min(int64(len(s.buf)), s.size-off)], off)
	if s.start, s.n = off, got; got >= n {
		return s.buf[:n], nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return nil, errCut // it has become shorter since its size was read
	}
	return nil, fmt.Errorf("read: %w", err)
}

// part counts one box or element.
func (s *source) part() error {
	if s.parts++; s.parts > maxParts {
		return fault("it has too many parts")
	}
	return nil
}

func (s *source) byte(off int64) (byte, error) {
	b, err := s.at(off, 1)
	if err != nil {
		return 0, err
	}
	return b[0], nil
}

func (s *source) be32(off int64) (uint32, error) {
	b, err := s.at(off, 4)
	if err != nil {
		return 0, err
	}
	return binary.BigEndian.Uint32(b), nil
}

// head is up to n bytes from the start.
func (s *source) head(n int) ([]byte, error) { return s.at(0, int(min(int64(n), s.size))) }
