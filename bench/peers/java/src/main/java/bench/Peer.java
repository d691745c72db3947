package bench;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The Java producer as a peer. Modes: `callback` (one for each record; the producer's own memory is
 * the window), `each` (one record at a time), `tasks` (as many records on their way as the window,
 * each followed by the next from its own callback) and `idle`.
 *
 * <p>It runs under `bench-meter`: the word `mark` on standard output asks for the clocks to be
 * read, a line on standard input says that they were. The JVM itself tells CPU time in steps of
 * ten milliseconds only.
 */
public final class Peer {
    private static final Semaphore READ = new Semaphore(0);
    private static final int WINDOW = 20_000;
    private static final long IDLE_MILLIS = 10_000;

    private final Run run;
    private final Payloads payloads;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Records make;
    private final String mode;
    private final int threads;

    private Peer(Run run) throws IOException {
        this.run = run;
        this.payloads = new Payloads(Path.of(run.required("payloads")), run.number("size"));
        this.producer = new KafkaProducer<>(settings(run));
        this.make = new Records(run);
        this.mode = run.required("mode");
        this.threads = run.number("threads", 1);
        if (threads < 1 || threads > 1 && !mode.equals("callback")) {
            throw new IllegalArgumentException("mode " + mode + " has no " + threads + " sending threads");
        }
    }

    public static void main(String[] words) throws Exception {
        Hash.check();
        listen();
        Run run = new Run(words);
        Peer peer = new Peer(run);
        boolean isIdle = peer.mode.equals("idle");
        int records = isIdle ? 0 : run.number("records");
        int warmup = run.number("warmup", 0);
        Tally warm = peer.send(warmup);
        peer.payloads.goOnAfter(warmup);
        mark();
        long wakeups = isIdle ? Wakeups.during(IDLE_MILLIS) : 0;
        Tally tally = isIdle ? new Tally() : peer.send(records);
        mark();
        tally.merge(warm);
        String version = version() + ", java " + System.getProperty("java.version");
        System.out.println("{\"peer\":\"java\",\"version\":" + Tally.quoted(version)
                + ",\"mode\":" + Tally.quoted(peer.mode)
                + ",\"records\":" + records + (isIdle ? ",\"wakeups\":" + wakeups : "") + "," + tally.fields() + "}");
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
        switch (mode) {
            case "callback":
            case "idle":
                return callback(records);
            case "each":
                return each(records);
            case "tasks":
                return Slots.send(producer, make, payloads, records, run.number("window", WINDOW));
            default:
                throw new IllegalArgumentException("no mode " + mode);
        }
    }

    private Tally callback(int records) throws InterruptedException {
        Tally tally = new Tally();
        // Callbacks run on one thread, and a flush waits for them.
        int[] reported = {0};
        Callback callback = (metadata, error) -> {
            reported[0]++;
            if (error != null) {
                tally.fail(error.toString());
            }
        };
        Thread[] others = new Thread[threads - 1];
        for (int at = 0; at < others.length; at++) {
            int first = at + 1;
            others[at] = new Thread(() -> share(first, records, callback));
            others[at].start();
        }
        share(0, records, callback);
        for (Thread other : others) {
            other.join();
        }
        producer.flush();
        if (reported[0] != records) {
            tally.fail(reported[0] + " of " + records + " records were reported");
        }
        return tally;
    }

    /** Sends a thread's share: of three threads, the first sends records 0, 3, 6 and so on. */
    private void share(int first, int records, Callback callback) {
        byte[] value = payloads.scratch();
        for (int number = first; number < records; number += threads) {
            payloads.write(value, number);
            producer.send(make.make(number, value), callback);
        }
    }

    private Tally each(int records) {
        Tally tally = new Tally();
        byte[] value = payloads.scratch();
        long[] nanos = new long[records];
        for (int number = 0; number < records; number++) {
            long began = System.nanoTime();
            payloads.write(value, number);
            try {
                producer.send(make.make(number, value)).get();
            } catch (ExecutionException | InterruptedException error) {
                tally.fail(error.toString());
            }
            nanos[number] = System.nanoTime() - began;
        }
        tally.took(nanos, records);
        return tally;
    }
}
