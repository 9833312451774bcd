//go:build !linux && !darwin && !windows

package backup

import "errors"

func freeBytes(string) (int64, error) {
	return 0, errors.New("not known on this system")
}
