// Reads batches that downpour-wire wrote, with Kafka's own reader. See README.md.

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;

public class ReadBack {
    public static void main(String[] args) throws Exception {
        List<String> expected = new ArrayList<>();
        for (String line : Files.readAllLines(Path.of("records.txt"))) {
            if (!line.startsWith("#") && !line.isBlank()) {
                expected.add(line);
            }
        }
        List<Path> files;
        try (Stream<Path> paths = Files.list(Path.of(args[0]))) {
            files = paths.sorted().toList();
        }
        for (Path file : files) {
            String name = file.getFileName().toString();
            int seen = 0;
            int sequence = 2147483600;
            MemoryRecords records = MemoryRecords.readableRecords(ByteBuffer.wrap(Files.readAllBytes(file)));
            for (MutableRecordBatch batch : records.batches()) {
                batch.ensureValid();
                check(name, "codec", batch.compressionType().name, name.split("[-.]")[0]);
                check(name, "producer id", batch.producerId(), 4000000001L);
                check(name, "epoch", batch.producerEpoch(), (short) 7);
                check(name, "sequence", batch.baseSequence(), sequence);
                check(name, "transactional", batch.isTransactional(), name.contains("transactional"));
                check(name, "base offset", batch.baseOffset(), 0L);
                int count = 0;
                for (Record record : batch) {
                    compare(name, record, expected.get(seen));
                    check(name, "offset", record.offset(), (long) count);
                    seen++;
                    count++;
                }
                check(name, "count", batch.countOrNull(), count);
                sequence = (int) (((long) sequence + count) & Integer.MAX_VALUE);
            }
            check(name, "records", seen, expected.size());
            System.out.println(name + ": " + seen + " records, all as expected");
        }
    }

    static void compare(String name, Record record, String line) {
        String[] words = line.split(" ");
        check(name, "timestamp", record.timestamp(), Long.parseLong(words[0]));
        bytes(name, "key", record.hasKey() ? copy(record.key()) : null, words[1]);
        bytes(name, "value", record.hasValue() ? copy(record.value()) : null, words[2]);
        Header[] headers = record.headers();
        check(name, "headers", headers.length, words.length - 3);
        for (int i = 0; i < headers.length; i++) {
            String[] pair = words[i + 3].split("=", 2);
            check(name, "header name", headers[i].key(), pair[0]);
            bytes(name, "header value", headers[i].value(), pair[1]);
        }
    }

    static byte[] copy(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    static void bytes(String name, String what, byte[] actual, String word) {
        if (!Arrays.equals(actual, part(word))) {
            throw new AssertionError(name + ": " + what + " differs from " + word);
        }
    }

    static void check(String name, String what, Object actual, Object expected) {
        if (!actual.equals(expected)) {
            throw new AssertionError(name + ": " + what + " is " + actual + " instead of " + expected);
        }
    }

    static byte[] part(String word) {
        if (word.equals("null")) {
            return null;
        }
        if (word.equals("empty")) {
            return new byte[0];
        }
        String[] fields = word.split(":", 2);
        if (fields[0].equals("text")) {
            return fields[1].getBytes(StandardCharsets.UTF_8);
        }
        String[] numbers = fields[1].split(":");
        byte[] bytes = new byte[Integer.parseInt(numbers[0])];
        int seed = Integer.parseInt(numbers[1]);
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = (byte) (i / seed * 7 + i % 3);
        }
        return bytes;
    }
}
