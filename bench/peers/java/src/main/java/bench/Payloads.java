package bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Values of one size, sent in turn. */
final class Payloads {
    private final byte[] bytes;
    private final int size;
    private final int count;
    private int before;

    Payloads(Path path, int size) throws IOException {
        this.bytes = Files.readAllBytes(path);
        this.size = size;
        if (size < 1 || bytes.length == 0 || bytes.length % size != 0) {
            throw new IOException("the payload file holds no whole values");
        }
        this.count = bytes.length / size;
    }

    /** Room for a value. The producer copies values, so that one is enough for a thread. */
    byte[] scratch() {
        return new byte[size];
    }

    /** So many were sent before the next stretch, whose values go on where they were. */
    void goOnAfter(int records) {
        before = records;
    }

    /**
     * Writes a record's value once, as a program writes its own. The record's number says which,
     * so that threads share no counter.
     */
    void write(byte[] into, int number) {
        System.arraycopy(bytes, (before + number) % count * size, into, 0, size);
    }
}
