//go:build !windows

package media

import (
	"errors"
	"syscall"
)

// diskFull tells whether an error means that nothing more can be written.
func diskFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
