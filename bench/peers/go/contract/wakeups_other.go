//go:build !linux

package contract

import (
	"errors"
	"time"
)

func wakeups(time.Duration) (int64, error) {
	return 0, errors.New("mode `idle` needs Linux, which counts the switches of each thread")
}
