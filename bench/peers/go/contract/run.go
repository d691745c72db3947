// Package contract is what the Go peers share: arguments, payloads, meter, result line, as
// bench/README.md states them. No producer is known here.
package contract

import (
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
	Explicit             bool
	BatchBytes, LingerMs int
	InFlight, Buffer     int
	Acks                 string
	Idempotence          bool
	Codec, Mode          string
	Window               int

	payloads string
}

func take(arguments []string) (*Run, error) {
	run := &Run{}
	var spread, idempotence string
	set := flag.NewFlagSet("peer", flag.ContinueOnError)
	set.StringVar(&run.Bootstrap, "bootstrap", "", "")
	set.StringVar(&run.Topic, "topic", "", "")
	set.IntVar(&run.Partitions, "partitions", 0, "")
	set.IntVar(&run.Records, "records", 0, "")
	set.IntVar(&run.Warmup, "warmup", 0, "")
	set.IntVar(&run.Size, "size", 0, "")
	set.StringVar(&run.payloads, "payloads", "", "")
	set.StringVar(&spread, "spread", "explicit", "")
	set.IntVar(&run.BatchBytes, "batch-bytes", -1, "")
	set.IntVar(&run.LingerMs, "linger-ms", -1, "")
	set.IntVar(&run.InFlight, "in-flight", -1, "")
	set.IntVar(&run.Buffer, "buffer-bytes", -1, "")
	set.StringVar(&run.Acks, "acks", "all", "")
	set.StringVar(&idempotence, "idempotence", "true", "")
	set.StringVar(&run.Codec, "codec", "none", "")
	set.StringVar(&run.Mode, "mode", "", "")
	set.IntVar(&run.Window, "window", 20000, "")
	if err := set.Parse(arguments); err != nil {
		return nil, err
	}
	run.Explicit = spread == "explicit"
	run.Idempotence = idempotence == "true"
	if run.Bootstrap == "" || run.Topic == "" || run.Partitions < 1 || run.Records < 1 || run.Window < 1 {
		return nil, fmt.Errorf("--bootstrap, --topic, --partitions or --records is missing")
	}
	return run, nil
}

// Partition of a record, or minus one if the library chooses it.
func (run *Run) Partition(record int) int32 {
	if run.Explicit {
		return int32(record % run.Partitions)
	}
	return -1
}

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
	}
	before := start()
	tally := send(payloads, run.Records)
	spent := before.stop()
	tally.merge(warm)
	print(peer, version(module), run, spent, tally)
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
