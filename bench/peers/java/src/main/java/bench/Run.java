package bench;

import java.util.HashMap;
import java.util.Map;

/** What a peer is asked to do, as bench/README.md states it. */
final class Run {
    private final Map<String, String> given = new HashMap<>();

    Run(String[] words) {
        if (words.length % 2 != 0) {
            throw new IllegalArgumentException("a name has no value");
        }
        for (int at = 0; at < words.length; at += 2) {
            if (!words[at].startsWith("--")) {
                throw new IllegalArgumentException(words[at] + " does not begin with --");
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

    boolean isExplicit() {
        return or("spread", "explicit").equals("explicit");
    }
}
