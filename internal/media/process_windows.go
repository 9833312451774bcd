package media

import (
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/windows"
)

// apart shows no window and lets everything else go first. ffmpeg starts no
// programs of its own, so that there is no group to end.
func apart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NO_WINDOW | windows.BELOW_NORMAL_PRIORITY_CLASS}
}

// fence: limits of another process cannot be set here.
func fence(*os.Process, int64, int64) error { return nil }

func endGroup(*os.Process) error { return nil }

func signalled(*exec.ExitError) string { return "" }
