package contract

import (
	"encoding/json"
	"os"
	"slices"
	"syscall"
	"time"
)

type meter struct {
	began time.Time
	usage syscall.Rusage
}

type spent struct {
	wall                   time.Duration
	cpu                    time.Duration
	voluntary, involuntary int64
	peakRss                int64
}

func usage() syscall.Rusage {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		fatal(err)
	}
	return usage
}

func start() meter {
	usage := usage()
	return meter{began: time.Now(), usage: usage}
}

func (m meter) stop() spent {
	wall := time.Since(m.began)
	now := usage()
	cpu := func(u *syscall.Rusage) time.Duration {
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	return spent{
		wall:        wall,
		cpu:         cpu(&now) - cpu(&m.usage),
		voluntary:   now.Nvcsw - m.usage.Nvcsw,
		involuntary: now.Nivcsw - m.usage.Nivcsw,
		peakRss:     now.Maxrss * 1024,
	}
}

type percentiles struct {
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

func spread(nanos []int64) *percentiles {
	if len(nanos) == 0 {
		return nil
	}
	slices.Sort(nanos)
	at := func(share float64) float64 {
		return float64(nanos[int(share*float64(len(nanos)-1)+0.5)]) / 1000
	}
	return &percentiles{P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999), Max: at(1)}
}

// print adds to the line what was measured.
func print(line map[string]any, records int, spent spent, tally *Tally) {
	wall := spent.wall.Seconds()
	line["records"] = records
	line["wall_s"] = wall
	line["cpu_ns_per_record"] = float64(spent.cpu.Nanoseconds()) / float64(max(records, 1))
	line["us_per_record"] = nil
	if records > 0 {
		line["us_per_record"] = 1e6 * wall / float64(records)
	}
	line["records_per_s"] = float64(records) / wall
	line["voluntary_switches"] = spent.voluntary
	line["involuntary_switches"] = spent.involuntary
	line["peak_rss_bytes"] = spent.peakRss
	line["errors"] = tally.errors.Load()
	line["first_error"] = nil
	if tally.first != nil {
		line["first_error"] = tally.first.Error()
	}
	line["latency_us"] = spread(tally.latencies)
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		fatal(err)
	}
}
