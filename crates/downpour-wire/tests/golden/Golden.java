// Writes the golden batches with Kafka's own record writer. See README.md.

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.RecordBatch;

public class Golden {
    record Expected(long timestamp, byte[] key, byte[] value, Header[] headers) {}

    public static void main(String[] args) throws Exception {
        List<Expected> records = read(Path.of("records.txt"));
        Path out = Path.of(args[0]);
        Map<String, Compression> codecs = new LinkedHashMap<>();
        codecs.put("none", Compression.NONE);
        codecs.put("none-transactional", Compression.NONE);
        codecs.put("gzip", Compression.gzip().build());
        codecs.put("snappy", Compression.snappy().build());
        codecs.put("lz4", Compression.lz4().build());
        codecs.put("zstd", Compression.zstd().build());
        for (Map.Entry<String, Compression> codec : codecs.entrySet()) {
            boolean transactional = codec.getKey().endsWith("-transactional");
            MemoryRecordsBuilder builder = new MemoryRecordsBuilder(
                ByteBuffer.allocate(1 << 20), RecordBatch.MAGIC_VALUE_V2, codec.getValue(),
                TimestampType.CREATE_TIME, 0L, RecordBatch.NO_TIMESTAMP, 4000000001L, (short) 7,
                2147483600, transactional, false, RecordBatch.NO_PARTITION_LEADER_EPOCH, 1 << 20);
            for (Expected record : records) {
                builder.append(record.timestamp(), record.key(), record.value(), record.headers());
            }
            ByteBuffer batch = builder.build().buffer().duplicate();
            byte[] bytes = new byte[batch.remaining()];
            batch.get(bytes);
            Files.write(out.resolve(codec.getKey() + ".bin"), bytes);
            System.out.println(codec.getKey() + ": " + bytes.length + " bytes");
        }
    }

    static List<Expected> read(Path path) throws Exception {
        List<Expected> records = new ArrayList<>();
        for (String line : Files.readAllLines(path)) {
            if (line.startsWith("#") || line.isBlank()) {
                continue;
            }
            String[] words = line.split(" ");
            Header[] headers = new Header[words.length - 3];
            for (int i = 0; i < headers.length; i++) {
                String[] pair = words[i + 3].split("=", 2);
                headers[i] = new RecordHeader(pair[0], part(pair[1]));
            }
            records.add(new Expected(Long.parseLong(words[0]), part(words[1]), part(words[2]), headers));
        }
        return records;
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
