package bench;

import java.nio.charset.StandardCharsets;

import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** Makes records: partition, key and headers, as the run says. */
final class Records {
    private enum Spread {
        EXPLICIT,
        RANDOM,
        AUTOMATIC
    }

    private final String topic;
    private final int partitions;
    private final Spread spread;
    private final byte[][] keys;
    /** The producer copies the list, and only reads what is in it. */
    private final RecordHeaders headers;

    Records(Run run) {
        this.topic = run.required("topic");
        this.partitions = run.number("partitions");
        this.spread = Spread.valueOf(run.or("spread", "explicit").toUpperCase());
        this.keys = Hash.keys(run.number("keys", 0));
        int count = run.number("headers", 0);
        this.headers = count == 0 ? null : new RecordHeaders();
        byte[] value = "0123456789abcdef".getBytes(StandardCharsets.US_ASCII);
        for (int at = 0; at < count; at++) {
            headers.add("header-" + at, value);
        }
    }

    ProducerRecord<byte[], byte[]> make(int number, byte[] value) {
        byte[] key = keys.length == 0 ? null : keys[Hash.below(number, keys.length)];
        return new ProducerRecord<>(topic, partition(number), null, key, value, headers);
    }

    private Integer partition(int number) {
        switch (spread) {
            case EXPLICIT:
                return number % partitions;
            case RANDOM:
                return Hash.below(number, partitions);
            default:
                return null;
        }
    }
}
