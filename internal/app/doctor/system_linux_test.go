package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// Who tests as root may write everywhere, so this asks as somebody else: on
// Linux a single thread can change who it is.
func TestWritableIsAskedForWhoRunsIt(t *testing.T) {
	t.Parallel()
	base := t.TempDir() // in a folder of its own, which is for its maker alone
	open, closed := filepath.Join(base, "open"), filepath.Join(base, "closed")
	for dir, mode := range map[string]os.FileMode{filepath.Dir(base): 0o755, base: 0o755, open: 0o777, closed: 0o555} {
		if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, mode)); err != nil {
			t.Fatal(err)
		}
	}
	type answer struct{ who, open, closed error }
	said := make(chan answer)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this goroutine
		var a answer
		if os.Getuid() == 0 {
			const nobody = 65534
			if _, _, n := syscall.RawSyscall(syscall.SYS_SETRESUID, nobody, nobody, nobody); n != 0 {
				a.who = n
			}
		}
		a.open, a.closed = writable(open), writable(closed)
		said <- a
	}()
	switch a := <-said; {
	case a.who != nil:
		t.Fatalf("become somebody else: %v", a.who)
	case a.open != nil:
		t.Errorf("a folder for all: %v", a.open)
	case !errors.Is(a.closed, fs.ErrPermission):
		t.Errorf("a folder that is closed to them: %v", a.closed)
	}
}
