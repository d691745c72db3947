// Command franz-go is franz-go as a peer. Modes: `callback` (a promise per record), `each` (one
// record at a time), `tasks` (as many goroutines as the window, each with one record),
// `tasks-promise` (the same, but they wait for the linger too) and `idle`.
package main

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"bench/contract"
)

func main() {
	contract.Measure("franz-go", "github.com/twmb/franz-go", open)
}

func open(run *contract.Run) (contract.Sender, error) {
	options, err := options(run)
	if err != nil {
		return nil, err
	}
	client, err := kgo.NewClient(options...)
	if err != nil {
		return nil, err
	}
	switch run.Mode {
	case "callback", "idle":
		return callback(client, run), nil
	case "each":
		return tasks(1, run, synchronous(client)), nil
	case "tasks":
		return tasks(run.Window, run, synchronous(client)), nil
	case "tasks-promise":
		return tasks(run.Window, run, promised(client)), nil
	}
	return nil, fmt.Errorf("no mode `%s`", run.Mode)
}

// The run in franz-go's words. What is not said stays its default, but for the number of records
// that may be buffered: that is the window.
func options(run *contract.Run) ([]kgo.Opt, error) {
	options := []kgo.Opt{
		kgo.SeedBrokers(run.Bootstrap),
		kgo.DefaultProduceTopic(run.Topic),
		kgo.MaxBufferedRecords(run.Window),
	}
	if run.NamesPartitions() {
		options = append(options, kgo.RecordPartitioner(kgo.ManualPartitioner()))
	}
	if run.BatchBytes >= 0 {
		options = append(options, kgo.ProducerBatchMaxBytes(int32(run.BatchBytes)))
	}
	if run.LingerMs >= 0 {
		options = append(options, kgo.ProducerLinger(time.Duration(run.LingerMs)*time.Millisecond))
	}
	if run.Buffer >= 0 {
		options = append(options, kgo.MaxBufferedBytes(run.Buffer))
	}
	if !run.Idempotence {
		options = append(options, kgo.DisableIdempotentWrite())
		if run.InFlight >= 0 {
			options = append(options, kgo.MaxProduceRequestsInflightPerBroker(run.InFlight))
		}
	}
	switch run.Acks {
	case "all":
		options = append(options, kgo.RequiredAcks(kgo.AllISRAcks()))
	case "1":
		options = append(options, kgo.RequiredAcks(kgo.LeaderAck()))
	case "0":
		options = append(options, kgo.RequiredAcks(kgo.NoAck()))
	default:
		return nil, fmt.Errorf("no acks `%s`", run.Acks)
	}
	codecs := map[string]kgo.CompressionCodec{
		"none":   kgo.NoCompression(),
		"gzip":   kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(),
		"lz4":    kgo.Lz4Compression(),
		"zstd":   kgo.ZstdCompression(),
	}
	codec, ok := codecs[run.Codec]
	if !ok {
		return nil, fmt.Errorf("no codec `%s`", run.Codec)
	}
	return append(options, kgo.ProducerBatchCompression(codec)), nil
}

// filler makes a record anew, in the memory that its last value had. Keys and headers are shared:
// franz-go only reads them.
func filler(run *contract.Run, payloads *contract.Payloads) func(record *kgo.Record, number int) {
	keys := run.Keys()
	headers := make([]kgo.RecordHeader, run.Headers)
	for at := range headers {
		headers[at] = kgo.RecordHeader{Key: contract.HeaderName(at), Value: []byte(contract.HeaderValue)}
	}
	return func(record *kgo.Record, number int) {
		*record = kgo.Record{Value: payloads.Write(record.Value, number), Headers: headers}
		if len(keys) > 0 {
			record.Key = keys[run.Key(number)]
		}
		if run.NamesPartitions() {
			record.Partition = run.Partition(number)
		}
	}
}

// Records come from a pool, as franz-go advises: it allocates nothing of its own for them then.
// However many goroutines send, the client's limit of buffered records is the window of all.
func callback(client *kgo.Client, run *contract.Run) contract.Sender {
	pool := sync.Pool{New: func() any { return &kgo.Record{Value: make([]byte, 0, run.Size)} }}
	return func(payloads *contract.Payloads, records int) *contract.Tally {
		tally := &contract.Tally{}
		delivered := 0
		// Promises are kept one after the other.
		promise := func(record *kgo.Record, err error) {
			if err != nil {
				tally.Fail(err)
			} else {
				delivered++
			}
			pool.Put(record)
		}
		fill := filler(run, payloads)
		run.Share(records, func(number int) {
			record := pool.Get().(*kgo.Record)
			fill(record, number)
			client.Produce(context.Background(), record, promise)
		})
		if err := client.Flush(context.Background()); err != nil {
			tally.Fail(err)
		}
		if delivered < records {
			tally.Fail(fmt.Errorf("%d of %d records were confirmed", delivered, records))
		}
		return tally
	}
}

// A send that waits for its record; each goroutine has one of its own.
type send func(record *kgo.Record) error

func tasks(tasks int, run *contract.Run, sender func() send) contract.Sender {
	return func(payloads *contract.Payloads, records int) *contract.Tally {
		fill := filler(run, payloads)
		return contract.Tasks(tasks, records, func() func(int) error {
			record := &kgo.Record{}
			send := sender()
			return func(number int) error {
				fill(record, number)
				return send(record)
			}
		})
	}
}

// What franz-go offers for this. It ends the linger of its record's partition.
func synchronous(client *kgo.Client) func() send {
	return func() send {
		return func(record *kgo.Record) error {
			return client.ProduceSync(context.Background(), record).FirstErr()
		}
	}
}

// The program's own: batches linger and are larger, so that it costs less and takes longer.
func promised(client *kgo.Client) func() send {
	return func() send {
		done := make(chan error, 1)
		promise := func(_ *kgo.Record, err error) { done <- err }
		return func(record *kgo.Record) error {
			client.Produce(context.Background(), record, promise)
			return <-done
		}
	}
}
