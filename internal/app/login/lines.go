package login

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
)

// maxLine bounds what is read at once; addresses with a code in them are far
// shorter.
const maxLine = 16 << 10

// lines reads what the operator types.
type lines struct{ r *bufio.Reader }

func newLines(r io.Reader) *lines {
	if r == nil {
		r = strings.NewReader("")
	}
	return &lines{bufio.NewReaderSize(r, maxLine)}
}

// next is the next line, or the rest without a line's end; io.EOF if there is
// nothing more.
//
// A terminal cannot be told to stop reading. When ctx ends, next returns, and
// the goroutine that reads goes on until the next line or the end of the
// process, which is then near.
func (l *lines) next(ctx context.Context) (string, error) {
	type read struct {
		text string
		err  error
	}
	done := make(chan read, 1)
	go func() {
		b, err := l.r.ReadSlice('\n')
		text := strings.TrimSpace(string(b))
		if errors.Is(err, io.EOF) && text != "" {
			err = nil
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			err = errors.New("that line is too long to be a code: copy the code alone")
		}
		done <- read{text, err}
	}()
	select {
	case r := <-done:
		return r.text, r.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
