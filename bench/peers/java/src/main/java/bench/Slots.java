package bench;

import java.util.concurrent.CountDownLatch;

import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.RecordMetadata;

/**
 * As many records on their way as the window: each slot sends its next record from the callback of
 * its last, as a service does that completes its requests in callbacks. No thread waits for a
 * record, and none is woken for one.
 *
 * <p>It is for windows that the producer's memory holds: a send that waits for memory on the
 * producer's own thread waits in vain, and fails.
 */
final class Slots {
    private final KafkaProducer<byte[], byte[]> producer;
    private final Records make;
    private final Payloads payloads;
    private final int records;
    private final Tally tally;
    private final CountDownLatch ended;
    // What follows is for the callbacks, which run on one thread.
    private final byte[] value;
    private final long[] nanos;
    private int count;
    private int next;

    private Slots(
            KafkaProducer<byte[], byte[]> producer,
            Records make,
            Payloads payloads,
            int records,
            int window,
            Tally tally) {
        this.producer = producer;
        this.make = make;
        this.payloads = payloads;
        this.records = records;
        this.tally = tally;
        this.ended = new CountDownLatch(window);
        this.value = payloads.scratch();
        this.nanos = new long[records];
        this.next = window;
    }

    /** Sends so many records. */
    static Tally send(
            KafkaProducer<byte[], byte[]> producer,
            Records make,
            Payloads payloads,
            int records,
            int window)
            throws InterruptedException {
        Tally tally = new Tally();
        int size = Math.min(window, records);
        Slots slots = new Slots(producer, make, payloads, records, size, tally);
        byte[] value = payloads.scratch();
        for (int number = 0; number < size; number++) {
            slots.new Slot().send(number, value);
        }
        slots.ended.await();
        if (slots.count != records) {
            tally.fail(slots.count + " of " + records + " records were confirmed");
        }
        tally.took(slots.nanos, slots.count);
        return tally;
    }

    private final class Slot implements Callback {
        private long began;

        void send(int number, byte[] value) {
            began = System.nanoTime();
            payloads.write(value, number);
            producer.send(make.make(number, value), this);
        }

        @Override
        public void onCompletion(RecordMetadata metadata, Exception error) {
            if (error != null) {
                // This slot is done: a send that fails at once would call back within itself.
                tally.fail(error.toString());
                ended.countDown();
                return;
            }
            nanos[count++] = System.nanoTime() - began;
            if (next < records) {
                send(next++, value);
            } else {
                ended.countDown();
            }
        }
    }
}
