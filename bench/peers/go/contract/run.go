// Package contract is what the Go peers share: arguments, payloads, meter, result line, as
// bench/README.md states them. No producer is known here.
package contract

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime/debug"
)

// Run is what a peer is asked to do. Minus one means the library's own default.
type Run struct {
	Bootstrap, Topic     string
	Partitions           int
	Records, Warmup      int
	Size                 int
	BatchBytes, LingerMs int
	InFlight, Buffer     int
	Acks                 string
	Idempotence          bool
	Codec, Mode          string
	Window               int
	Headers, Threads     int

	spread, payloads string
	keys             [][]byte
}

func take(arguments []string) (*Run, error) {
	run := &Run{}
	var idempotence string
	var differentKeys int
	set := flag.NewFlagSet("peer", flag.ContinueOnError)
	set.StringVar(&run.Bootstrap, "bootstrap", "", "")
	set.StringVar(&run.Topic, "topic", "", "")
	set.IntVar(&run.Partitions, "partitions", 0, "")
	set.IntVar(&run.Records, "records", 0, "")
	set.IntVar(&run.Warmup, "warmup", 0, "")
	set.IntVar(&run.Size, "size", 0, "")
	set.StringVar(&run.payloads, "payloads", "", "")
	set.StringVar(&run.spread, "spread", "explicit", "")
	set.IntVar(&run.BatchBytes, "batch-bytes", -1, "")
	set.IntVar(&run.LingerMs, "linger-ms", -1, "")
	set.IntVar(&run.InFlight, "in-flight", -1, "")
	set.IntVar(&run.Buffer, "buffer-bytes", -1, "")
	set.StringVar(&run.Acks, "acks", "all", "")
	set.StringVar(&idempotence, "idempotence", "true", "")
	set.StringVar(&run.Codec, "codec", "none", "")
	set.StringVar(&run.Mode, "mode", "", "")
	set.IntVar(&run.Window, "window", 20000, "")
	set.IntVar(&differentKeys, "keys", 0, "")
	set.IntVar(&run.Headers, "headers", 0, "")
	set.IntVar(&run.Threads, "threads", 1, "")
	if err := set.Parse(arguments); err != nil {
		return nil, err
	}
	run.Idempotence = idempotence == "true"
	if run.Mode == "idle" {
		run.Records = 0
	} else if run.Records < 1 {
		return nil, errors.New("--records is missing")
	}
	if run.Bootstrap == "" || run.Topic == "" || run.Partitions < 1 || run.Window < 1 {
		return nil, errors.New("--bootstrap, --topic or --partitions is missing, or the window is empty")
	}
	switch run.spread {
	case "explicit", "random", "automatic":
	default:
		return nil, fmt.Errorf("no spread `%s`", run.spread)
	}
	if differentKeys < 0 || run.Headers < 0 || run.Threads < 1 {
		return nil, errors.New("--keys, --headers or --threads is out of range")
	}
	if run.Threads > 1 && run.Mode != "callback" {
		return nil, fmt.Errorf("mode `%s` has no sending threads", run.Mode)
	}
	run.keys = keys(differentKeys)
	return run, nil
}

// NamesPartitions says whether records come with a partition.
func (run *Run) NamesPartitions() bool {
	return run.spread != "automatic"
}

// Partition of a record, or minus one if the library chooses it.
func (run *Run) Partition(record int) int32 {
	switch run.spread {
	case "explicit":
		return int32(record % run.Partitions)
	case "random":
		return int32(hash(record) % uint32(run.Partitions))
	}
	return -1
}

// Keys are all there are; a library may want them in its own words, made once.
func (run *Run) Keys() [][]byte {
	return run.keys
}

// Key says which of the keys a record has. There must be some.
func (run *Run) Key(record int) int {
	return int(hash(record) % uint32(len(run.keys)))
}

// HeaderName of one of a record's headers.
func HeaderName(at int) string {
	return fmt.Sprintf("header-%d", at)
}

// HeaderValue that every header has.
const HeaderValue = "0123456789abcdef"

// Sender sends so many records and waits for all of them.
type Sender func(payloads *Payloads, records int) *Tally

// Measure is a peer's whole main: the module is the one whose version is told.
func Measure(peer, module string, open func(*Run) (Sender, error)) {
	run, err := take(os.Args[1:])
	if err != nil {
		fatal(err)
	}
	payloads, err := read(run.payloads, run.Size)
	if err != nil {
		fatal(err)
	}
	send, err := open(run)
	if err != nil {
		fatal(err)
	}
	warm := &Tally{}
	if run.Warmup > 0 {
		warm = send(payloads, run.Warmup)
		payloads.before = run.Warmup
	}
	line := map[string]any{"peer": peer, "version": version(module), "mode": run.Mode}
	tally := &Tally{}
	before := start()
	if run.Mode == "idle" {
		count, err := wakeups()
		if err != nil {
			fatal(err)
		}
		line["wakeups"] = count
	} else {
		tally = send(payloads, run.Records)
	}
	spent := before.stop()
	tally.merge(warm)
	print(line, run.Records, spent, tally)
}

func version(module string) string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, dependency := range info.Deps {
		if dependency.Path == module {
			return dependency.Version + ", " + info.GoVersion
		}
	}
	return "unknown"
}

func fatal(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
