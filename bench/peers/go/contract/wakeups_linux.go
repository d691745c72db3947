package contract

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
	"time"
)

// wakeups sleeps, and says how many voluntary switches all threads but this one made meanwhile.
// It sleeps in the kernel: of a sleep of its own the runtime would wake other threads.
func wakeups(sleep time.Duration) (int64, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before, err := switches()
	if err != nil {
		return 0, err
	}
	rest := syscall.NsecToTimespec(sleep.Nanoseconds())
	for {
		// Of what a signal left.
		err := syscall.Nanosleep(&rest, &rest)
		if err == nil {
			break
		}
		if err != syscall.EINTR {
			return 0, err
		}
	}
	after, err := switches()
	if err != nil {
		return 0, err
	}
	var sum int64
	for thread, count := range after {
		sum += count - before[thread]
	}
	return sum, nil
}

// switches of each thread that lives, but for the caller's.
func switches() (map[string]int64, error) {
	own, err := os.Readlink("/proc/thread-self")
	if err != nil {
		return nil, err
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return nil, err
	}
	counts := map[string]int64{}
	for _, thread := range threads {
		status, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/status")
		// A thread may end while the list is read.
		if err != nil || thread.Name() == filepath.Base(own) {
			continue
		}
		_, rest, _ := bytes.Cut(status, []byte("\nvoluntary_ctxt_switches:\t"))
		number, _, _ := bytes.Cut(rest, []byte("\n"))
		count, err := strconv.ParseInt(string(number), 10, 64)
		if err != nil {
			return nil, fmt.Errorf("the switches of thread %s: %w", thread.Name(), err)
		}
		counts[thread.Name()] = count
	}
	return counts, nil
}
