// Sarama as a guest of the fake: sends records in one call and waits for all.
// Arguments: bootstrap servers, topic, codec, idempotent (true or false), how many, Kafka's release.
package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/IBM/sarama"
)

func main() {
	bootstrap, topic, codec, idempotent := os.Args[1], os.Args[2], os.Args[3], os.Args[4] == "true"
	count, _ := strconv.Atoi(os.Args[5])
	config := sarama.NewConfig()
	version, err := sarama.ParseKafkaVersion(os.Args[6] + ".0")
	end(err)
	if sarama.MaxVersion.IsAtLeast(version) {
		config.Version = version
	} else {
		config.Version = sarama.MaxVersion
	}
	codecs := map[string]sarama.CompressionCodec{
		"none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP, "snappy": sarama.CompressionSnappy,
		"lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}
	config.Producer.Compression = codecs[codec]
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Return.Successes = true
	if idempotent {
		config.Producer.Idempotent = true
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer([]string{bootstrap}, config)
	end(err)
	var messages []*sarama.ProducerMessage
	for n := 0; n < count; n++ {
		messages = append(messages, &sarama.ProducerMessage{
			Topic: topic,
			Key:   sarama.StringEncoder(fmt.Sprintf("key-%d", n%7)),
			Value: sarama.StringEncoder(fmt.Sprintf("value-%d", n)),
		})
	}
	end(producer.SendMessages(messages))
	end(producer.Close())
}

func end(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
