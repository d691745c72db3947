package bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;

/** Values of one size, handed out in turn. */
final class Payloads {
    private final byte[] bytes;
    private final int size;
    private final AtomicLong next = new AtomicLong();

    Payloads(Path path, int size) throws IOException {
        this.bytes = Files.readAllBytes(path);
        this.size = size;
        if (size < 1 || bytes.length == 0 || bytes.length % size != 0) {
            throw new IOException("the payload file holds no whole values");
        }
    }

    /** Room for a value. The producer copies values, so that one is enough for a thread. */
    byte[] scratch() {
        return new byte[size];
    }

    /** Writes the next value once, as a program writes its own. */
    void write(byte[] into) {
        long at = next.getAndIncrement() % (bytes.length / size) * size;
        System.arraycopy(bytes, (int) at, into, 0, size);
    }
}
