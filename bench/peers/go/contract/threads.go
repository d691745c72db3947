package contract

import (
	"sync"
	"sync/atomic"
	"time"
)

// Share has all records sent by as many goroutines as the run names: of three, the first sends
// records 0, 3, 6 and so on. It returns when all of them were handed over.
func (run *Run) Share(records int, send func(record int)) {
	if run.Threads == 1 {
		for record := range records {
			send(record)
		}
		return
	}
	var all sync.WaitGroup
	for first := range run.Threads {
		all.Go(func() {
			for record := first; record < records; record += run.Threads {
				send(record)
			}
		})
	}
	all.Wait()
}

// Tasks share the records out among goroutines, each of which waits for its record and sends the
// next.
func Tasks(tasks, records int, worker func() func(record int) error) *Tally {
	tally := &Tally{}
	var next atomic.Int64
	var all sync.WaitGroup
	for range min(tasks, records) {
		all.Go(func() {
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
		})
	}
	all.Wait()
	return tally
}
