package contract

import (
	"sync"
	"sync/atomic"
)

// Tally is what came of the records of one stretch. Callbacks of all goroutines may count.
type Tally struct {
	errors    atomic.Int64
	lock      sync.Mutex
	first     error
	latencies []int64
}

// Fail counts a failure.
func (t *Tally) Fail(err error) {
	t.errors.Add(1)
	t.lock.Lock()
	defer t.lock.Unlock()
	if t.first == nil {
		t.first = err
	}
}

// Took adds how long records took, in nanoseconds.
func (t *Tally) Took(latencies []int64) {
	t.lock.Lock()
	defer t.lock.Unlock()
	t.latencies = append(t.latencies, latencies...)
}

func (t *Tally) merge(warm *Tally) {
	t.errors.Add(warm.errors.Load())
	if warm.first != nil {
		t.first = warm.first
	}
}
