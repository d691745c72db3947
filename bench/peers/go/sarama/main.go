// Command sarama is Sarama as a peer. Modes: `callback` (the async producer, successes read from
// its channel), `each` (one record at a time), `tasks` (as many goroutines as the window, each with
// one record) and `idle`.
package main

import (
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"bench/contract"
)

func main() {
	contract.Measure("sarama", "github.com/IBM/sarama", open)
}

func open(run *contract.Run) (contract.Sender, error) {
	config, err := config(run)
	if err != nil {
		return nil, err
	}
	addresses := []string{run.Bootstrap}
	switch run.Mode {
	case "callback", "idle":
		producer, err := sarama.NewAsyncProducer(addresses, config)
		if err != nil {
			return nil, err
		}
		return callback(producer, run), nil
	case "each", "tasks":
		producer, err := sarama.NewSyncProducer(addresses, config)
		if err != nil {
			return nil, err
		}
		tasks := run.Window
		if run.Mode == "each" {
			tasks = 1
		}
		return awaited(producer, run, tasks), nil
	}
	return nil, fmt.Errorf("no mode `%s`", run.Mode)
}

// The run in Sarama's words. What is not said stays its default. It has no limit of a batch's
// bytes as such, but flushes once all partitions of a broker together have so many bytes: a batch
// of each, but no more than half of what may be open, or it would wait for the linger in vain.
func config(run *contract.Run) (*sarama.Config, error) {
	config := sarama.NewConfig()
	// Its default speaks to brokers of 2020; new ones are asked for in new words.
	config.Version = sarama.MaxVersion
	config.Producer.Return.Successes = true
	config.Producer.Return.Errors = true
	if run.NamesPartitions() {
		config.Producer.Partitioner = sarama.NewManualPartitioner
	}
	if run.BatchBytes >= 0 {
		config.Producer.Flush.Bytes = min(run.BatchBytes*run.Partitions, max(run.Window/2*run.Size, run.BatchBytes))
	}
	if run.LingerMs >= 0 {
		config.Producer.Flush.Frequency = time.Duration(run.LingerMs) * time.Millisecond
	}
	if run.InFlight >= 0 {
		config.Net.MaxOpenRequests = run.InFlight
	}
	if run.Idempotence {
		config.Producer.Idempotent = true
		// It insists on this.
		config.Net.MaxOpenRequests = 1
	}
	switch run.Acks {
	case "all":
		config.Producer.RequiredAcks = sarama.WaitForAll
	case "1":
		config.Producer.RequiredAcks = sarama.WaitForLocal
	case "0":
		config.Producer.RequiredAcks = sarama.NoResponse
	default:
		return nil, fmt.Errorf("no acks `%s`", run.Acks)
	}
	return config, config.Producer.Compression.UnmarshalText([]byte(run.Codec))
}

// maker makes messages. Keys and headers are shared: Sarama only reads them.
func maker(run *contract.Run, payloads *contract.Payloads) func(value []byte, number int) *sarama.ProducerMessage {
	keys := make([]sarama.Encoder, 0, len(run.Keys()))
	for _, key := range run.Keys() {
		keys = append(keys, sarama.ByteEncoder(key))
	}
	headers := make([]sarama.RecordHeader, run.Headers)
	for at := range headers {
		headers[at] = sarama.RecordHeader{
			Key:   []byte(contract.HeaderName(at)),
			Value: []byte(contract.HeaderValue),
		}
	}
	return func(value []byte, number int) *sarama.ProducerMessage {
		value = payloads.Write(value, number)
		message := &sarama.ProducerMessage{
			Topic:   run.Topic,
			Value:   sarama.ByteEncoder(value),
			Headers: headers,
		}
		if len(keys) > 0 {
			message.Key = keys[run.Key(number)]
		}
		if run.NamesPartitions() {
			message.Partition = run.Partition(number)
		}
		return message
	}
}

// One goroutine reads the successes, as its documentation shows, while one or more send.
func callback(producer sarama.AsyncProducer, run *contract.Run) contract.Sender {
	return func(payloads *contract.Payloads, records int) *contract.Tally {
		tally := &contract.Tally{}
		// A full channel stops the senders: so many records may be open.
		open := make(chan struct{}, run.Window)
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range records {
				select {
				case <-producer.Successes():
				case err := <-producer.Errors():
					tally.Fail(err)
				}
				<-open
			}
		}()
		message := maker(run, payloads)
		run.Share(records, func(number int) {
			open <- struct{}{}
			producer.Input() <- message(make([]byte, 0, run.Size), number)
		})
		<-done
		return tally
	}
}

func awaited(producer sarama.SyncProducer, run *contract.Run, tasks int) contract.Sender {
	return func(payloads *contract.Payloads, records int) *contract.Tally {
		message := maker(run, payloads)
		return contract.Tasks(tasks, records, func() func(int) error {
			value := make([]byte, 0, run.Size)
			return func(number int) error {
				_, _, err := producer.SendMessage(message(value, number))
				return err
			}
		})
	}
}
