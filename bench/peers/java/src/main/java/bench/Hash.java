package bench;

import java.nio.charset.StandardCharsets;

/** What spreads record numbers over partitions and keys, with the same result in every language. */
final class Hash {
    private static final long[] FIRST = {
        0, 1678549374L, 4256427940L, 2630778099L, 2170012909L, 189464437L,
    };

    private Hash() {}

    /** Below the end. */
    static int below(int number, int end) {
        return Integer.remainderUnsigned(of(number), end);
    }

    private static int of(int number) {
        // -1640531535 is 2654435761 modulo 2^32, and so is the other.
        int x = number * -1640531535;
        x ^= x >>> 16;
        x *= 0x85ebca6b;
        return x ^ x >>> 13;
    }

    /** All keys that records may have. */
    static byte[][] keys(int count) {
        byte[][] keys = new byte[count][];
        for (int at = 0; at < count; at++) {
            keys[at] = String.format("key-%012d", at).getBytes(StandardCharsets.US_ASCII);
        }
        return keys;
    }

    /** Refuses to run if it were not the hash of all languages. */
    static void check() {
        for (int number = 0; number < FIRST.length; number++) {
            if (Integer.toUnsignedLong(of(number)) != FIRST[number]) {
                throw new IllegalStateException("the hash of " + number + " is not " + FIRST[number]);
            }
        }
    }
}
