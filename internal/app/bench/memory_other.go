//go:build !linux

package main

import (
	"os"
	"time"
)

// Systems other than Linux tell these in other ways, or not; the rows are left
// out there.

func peakOf(*os.ProcessState) int64 { return 0 }

func memoryOf(int) (now, peak int64, err error) { return 0, 0, nil }

func processorOf(int) time.Duration { return 0 }

func ownProcessor() time.Duration { return 0 }

type load struct{}

func loadNow() load { return load{} }

func others(load, load) float64 { return -1 }
