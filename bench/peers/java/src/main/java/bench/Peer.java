package bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Java producer as a peer. Modes: `callback` (one for each record; the producer's own memory is
 * the window), `each` (one record at a time) and `tasks` (as many threads as the window, each with
 * one record).
 *
 * <p>It runs under `bench-meter`: the word `mark` on standard output asks for the clocks to be
 * read, a line on standard input says that they were. The JVM itself tells CPU time in steps of
 * ten milliseconds only.
 */
public final class Peer {
    private static final Semaphore READ = new Semaphore(0);

    private final Run run;
    private final Payloads payloads;
    private final KafkaProducer<byte[], byte[]> producer;
    private final String topic;
    private final int partitions;
    private final boolean isExplicit;

    private Peer(Run run) throws IOException {
        this.run = run;
        this.payloads = new Payloads(Path.of(run.required("payloads")), run.number("size"));
        this.producer = new KafkaProducer<>(settings(run));
        this.topic = run.required("topic");
        this.partitions = run.number("partitions");
        this.isExplicit = run.isExplicit();
    }

    public static void main(String[] words) throws Exception {
        listen();
        Run run = new Run(words);
        Peer peer = new Peer(run);
        int records = run.number("records");
        Tally warm = peer.send(Integer.parseInt(run.or("warmup", "0")));
        mark();
        Tally tally = peer.send(records);
        mark();
        tally.merge(warm);
        String version = version() + ", java " + System.getProperty("java.version");
        System.out.println("{\"peer\":\"java\",\"version\":" + Tally.quoted(version)
                + ",\"mode\":" + Tally.quoted(run.required("mode"))
                + ",\"records\":" + records + "," + tally.fields() + "}");
        peer.producer.close();
    }

    private static String version() throws IOException {
        Properties about = new Properties();
        try (InputStream in = KafkaProducer.class.getResourceAsStream("/kafka/kafka-version.properties")) {
            if (in != null) {
                about.load(in);
            }
        }
        return about.getProperty("version", "unknown");
    }

    private static void mark() throws InterruptedException {
        System.out.println("mark");
        System.out.flush();
        READ.acquire();
    }

    /** Hears that clocks were read; and ends with who reads them, lest a hung run stays behind. */
    private static void listen() {
        Thread listener = new Thread(() -> {
            try {
                int heard;
                while ((heard = System.in.read()) >= 0) {
                    if (heard == '\n') {
                        READ.release();
                    }
                }
            } catch (IOException error) {
                // It ends all the same.
            }
            Runtime.getRuntime().halt(1);
        });
        listener.setDaemon(true);
        listener.start();
    }

    /** The run in the producer's words. What is not said stays its default. */
    private static Properties settings(Run run) {
        Properties settings = new Properties();
        settings.put(ProducerConfig.BOOTSTRAP_SERVERS_CONFIG, run.required("bootstrap"));
        settings.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        settings.put(ProducerConfig.ACKS_CONFIG, run.or("acks", "all"));
        settings.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, run.or("idempotence", "true"));
        settings.put(ProducerConfig.COMPRESSION_TYPE_CONFIG, run.or("codec", "none"));
        String[][] pairs = {
            {"batch-bytes", ProducerConfig.BATCH_SIZE_CONFIG},
            {"linger-ms", ProducerConfig.LINGER_MS_CONFIG},
            {"in-flight", ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION},
            {"buffer-bytes", ProducerConfig.BUFFER_MEMORY_CONFIG},
        };
        for (String[] pair : pairs) {
            String value = run.optional(pair[0]);
            if (value != null) {
                settings.put(pair[1], value);
            }
        }
        return settings;
    }

    private Tally send(int records) throws InterruptedException {
        String mode = run.required("mode");
        switch (mode) {
            case "callback":
                return callback(records);
            case "each":
                return each(records);
            case "tasks":
                return tasks(records, run.number("window"));
            default:
                throw new IllegalArgumentException("no mode " + mode);
        }
    }

    private ProducerRecord<byte[], byte[]> record(byte[] value, int number) {
        Integer partition = isExplicit ? number % partitions : null;
        return new ProducerRecord<>(topic, partition, null, value);
    }

    private Tally callback(int records) {
        Tally tally = new Tally();
        // Callbacks run on one thread, and a flush waits for them.
        int[] reported = {0};
        Callback callback = (metadata, error) -> {
            reported[0]++;
            if (error != null) {
                tally.fail(error.toString());
            }
        };
        byte[] value = payloads.scratch();
        for (int number = 0; number < records; number++) {
            payloads.write(value);
            producer.send(record(value, number), callback);
        }
        producer.flush();
        if (reported[0] != records) {
            tally.fail(reported[0] + " of " + records + " records were reported");
        }
        return tally;
    }

    private Tally each(int records) {
        Tally tally = new Tally();
        task(new AtomicInteger(), records, 1, tally);
        return tally;
    }

    private Tally tasks(int records, int threads) throws InterruptedException {
        Tally tally = new Tally();
        AtomicInteger next = new AtomicInteger();
        Thread[] all = new Thread[Math.min(threads, Math.max(records, 1))];
        for (int at = 0; at < all.length; at++) {
            all[at] = new Thread(() -> task(next, records, threads, tally));
            all[at].start();
        }
        for (Thread one : all) {
            one.join();
        }
        return tally;
    }

    private void task(AtomicInteger next, int records, int threads, Tally tally) {
        byte[] value = payloads.scratch();
        long[] nanos = new long[records / threads + 16];
        int count = 0;
        int number;
        while ((number = next.getAndIncrement()) < records) {
            long began = System.nanoTime();
            payloads.write(value);
            try {
                producer.send(record(value, number)).get();
            } catch (ExecutionException | InterruptedException error) {
                tally.fail(error.toString());
            }
            if (count == nanos.length) {
                tally.took(nanos, count);
                count = 0;
            }
            nanos[count++] = System.nanoTime() - began;
        }
        tally.took(nanos, count);
    }
}
