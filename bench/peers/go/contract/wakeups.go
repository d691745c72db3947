package contract

import (
	"fmt"
	"os/exec"
	"strconv"
	"strings"
)

// The voluntary switches of each thread of this process, before and after ten seconds of sleep. The
// kernel counts them on Linux.
const observer = `
status=/proc/$PPID/task/[0-9]*/status
sleep 1
before=$(grep -h ^voluntary_ctxt_switches $status) || exit
sleep 10
after=$(grep -h ^voluntary_ctxt_switches $status) || exit
echo "$before"
echo after
echo "$after"`

// wakeups says how many voluntary switches all threads made in ten seconds without anything to do.
// Another process counts: with each call into the kernel this one would wake the runtime's monitor,
// some fifty times for a reading. The second before the ten is for what it takes to start that.
func wakeups() (int64, error) {
	output, err := exec.Command("sh", "-c", observer).Output()
	if err != nil {
		return 0, fmt.Errorf("the switches of threads: %w", err)
	}
	before, after, _ := strings.Cut(string(output), "after\n")
	first, err := sum(before)
	if err != nil {
		return 0, err
	}
	last, err := sum(after)
	return last - first, err
}

// sum of the numbers that the lines end with.
func sum(lines string) (int64, error) {
	var sum int64
	for line := range strings.Lines(lines) {
		fields := strings.Fields(line)
		count, err := strconv.ParseInt(fields[len(fields)-1], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += count
	}
	return sum, nil
}
