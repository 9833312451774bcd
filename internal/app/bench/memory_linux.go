package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// peakOf is the most memory that an ended process had, in bytes.
func peakOf(s *os.ProcessState) int64 {
	if u, ok := s.SysUsage().(*syscall.Rusage); ok {
		return int64(u.Maxrss) << 10 //nolint:unconvert // 32 bits on smaller machines
	}
	return 0
}

// memoryOf is what a running process has now and the most it had, in bytes:
// see proc_pid_status(5).
func memoryOf(pid int) (now, peak int64, err error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, fmt.Errorf("read the program's memory: %w", err)
	}
	for text := range bytes.Lines(b) {
		words := bytes.Fields(text)
		if len(words) < 2 {
			continue
		}
		kb, _ := strconv.ParseInt(string(words[1]), 10, 64) // other lines hold words
		switch string(words[0]) {
		case "VmRSS:":
			now = kb << 10
		case "VmHWM:":
			peak = kb << 10
		}
	}
	return now, peak, nil
}

// processorOf is the time that a running process has had of the processors, in
// steps of 10 ms; 0 if it is gone: see proc_pid_stat(5).
func processorOf(pid int) time.Duration {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	words := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:]) // from the third field on
	if len(words) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(string(words[11]), 10, 64)
	system, _ := strconv.ParseInt(string(words[12]), 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
}

// ownProcessor is the time that this process has had of the processors.
func ownProcessor() time.Duration { return processor(syscall.RUSAGE_SELF) }

// processor is the time that this process, or its ended children, had.
func processor(who int) time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load is how much the machine has worked since it was started: see
// proc_stat(5).
type load struct {
	busy, all time.Duration // of all processors together
	ours      time.Duration // of busy, for this process and its ended children
}

func loadNow() load {
	l := load{ours: processor(syscall.RUSAGE_SELF) + processor(syscall.RUSAGE_CHILDREN)}
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return load{}
	}
	first, _, _ := bytes.Cut(b, []byte("\n"))
	const tick = 10 * time.Millisecond // USER_HZ is 100 on every Linux
	for i, word := range bytes.Fields(first) {
		n, err := strconv.ParseInt(string(word), 10, 64)
		if err != nil || i > 8 { // "cpu", and guests, which are counted among users already
			continue
		}
		l.all += time.Duration(n) * tick
		if i != 4 && i != 5 { // idle, and idle waiting for the disk
			l.busy += time.Duration(n) * tick
		}
	}
	return l
}

// others is the part of the processors that other programs had between two
// moments; below 0 if that is not known.
func others(from, to load) float64 {
	all := to.all - from.all
	if all <= 0 {
		return -1
	}
	return max(0, float64((to.busy-from.busy)-(to.ours-from.ours))/float64(all))
}
