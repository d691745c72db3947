package bench;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** What a peer is asked to do, as bench/README.md states it. */
final class Run {
    private static final Set<String> NAMES = Set.of(
            "bootstrap", "topic", "partitions", "records", "warmup", "size", "payloads", "spread",
            "batch-bytes", "linger-ms", "in-flight", "buffer-bytes", "acks", "idempotence", "codec",
            "mode", "window", "keys", "headers", "threads");

    private final Map<String, String> given = new HashMap<>();

    Run(String[] words) {
        if (words.length % 2 != 0) {
            throw new IllegalArgumentException("a name has no value");
        }
        for (int at = 0; at < words.length; at += 2) {
            if (!words[at].startsWith("--") || !NAMES.contains(words[at].substring(2))) {
                throw new IllegalArgumentException(words[at] + " is unknown");
            }
            given.put(words[at].substring(2), words[at + 1]);
        }
    }

    /** A value, or null for the library's own default. */
    String optional(String name) {
        return given.get(name);
    }

    String or(String name, String instead) {
        return given.getOrDefault(name, instead);
    }

    String required(String name) {
        String value = given.get(name);
        if (value == null) {
            throw new IllegalArgumentException("--" + name + " is missing");
        }
        return value;
    }

    int number(String name) {
        return Integer.parseInt(required(name));
    }

    int number(String name, int instead) {
        String value = given.get(name);
        return value == null ? instead : Integer.parseInt(value);
    }
}
