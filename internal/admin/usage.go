package admin

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// usage asks the kernel what this process has used.
func usage() (Usage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return Usage{}, fmt.Errorf("read resource usage: %w", err)
	}
	unit := int64(1024) // ru_maxrss is in kilobytes, but in bytes on macOS
	if runtime.GOOS == "darwin" {
		unit = 1
	}
	return Usage{
		PID:          os.Getpid(),
		UserMicros:   r.Utime.Nano() / 1000,
		SystemMicros: r.Stime.Nano() / 1000,
		MaxRSSBytes:  r.Maxrss * unit,
	}, nil
}
