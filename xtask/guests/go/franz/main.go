// franz-go as a guest of the fake: sends records one after the other and waits for each.
// Arguments: bootstrap servers, topic, codec, idempotent (true or false), how many, Kafka's release.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

func main() {
	bootstrap, topic, codec, idempotent := os.Args[1], os.Args[2], os.Args[3], os.Args[4] == "true"
	count, _ := strconv.Atoi(os.Args[5])
	codecs := map[string]kgo.CompressionCodec{
		"none": kgo.NoCompression(), "gzip": kgo.GzipCompression(), "snappy": kgo.SnappyCompression(),
		"lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}
	options := []kgo.Opt{
		kgo.SeedBrokers(bootstrap),
		kgo.ProducerBatchCompression(codecs[codec]),
		kgo.RecordDeliveryTimeout(20 * time.Second),
	}
	if !idempotent {
		options = append(options, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(options...)
	end(err)
	for n := 0; n < count; n++ {
		record := &kgo.Record{Topic: topic, Key: []byte(fmt.Sprintf("key-%d", n%7)), Value: []byte(fmt.Sprintf("value-%d", n))}
		client.Produce(context.Background(), record, func(_ *kgo.Record, err error) { end(err) })
	}
	end(client.Flush(context.Background()))
	client.Close()
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
