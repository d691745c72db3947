package contract

import (
	"sync"
	"sync/atomic"
	"time"
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

// Tasks share the records out among goroutines, each of which waits for its record and sends the
// next.
func Tasks(tasks, records int, worker func() func(record int) error) *Tally {
	tally := &Tally{}
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(tasks, records) {
		all.Add(1)
		go func() {
			defer all.Done()
			latencies := make([]int64, 0, records/tasks+records/tasks/4+1)
			one := worker()
			for {
				record := int(next.Add(1) - 1)
				if record >= records {
					break
				}
				began := time.Now()
				if err := one(record); err != nil {
					tally.Fail(err)
				}
				latencies = append(latencies, time.Since(began).Nanoseconds())
			}
			tally.Took(latencies)
		}()
	}
	all.Wait()
	return tally
}
