package doctor

import "golang.org/x/sys/windows"

// writable believes that files can be made in dir: who may is not to be told
// from a folder's mode here, and nothing is tried out.
func writable(string) error { return nil }

// running tells whether there is such a process.
func running(pid int) bool {
	const stillActive = 259 // STILL_ACTIVE
	h, err := windows.OpenProcess(windows.PROCESS_QUERY_LIMITED_INFORMATION, false, uint32(pid))
	if err != nil {
		return false
	}
	defer func() { _ = windows.CloseHandle(h) }()
	var code uint32
	return windows.GetExitCodeProcess(h, &code) == nil && code == stillActive
}
