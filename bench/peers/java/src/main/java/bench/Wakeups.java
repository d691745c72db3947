package bench;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/** How often threads wake while nothing is sent. On Linux, which counts that for each thread. */
final class Wakeups {
    private static final String LINE = "voluntary_ctxt_switches:";

    private Wakeups() {}

    /** Sleeps, and says how many voluntary switches all threads but this one made meanwhile. */
    static long during(long millis) throws IOException, InterruptedException {
        // Once for nothing: what reads is loaded then.
        switches();
        Map<String, Long> before = switches();
        Thread.sleep(millis);
        long sum = 0;
        for (Map.Entry<String, Long> thread : switches().entrySet()) {
            sum += thread.getValue() - before.getOrDefault(thread.getKey(), 0L);
        }
        return sum;
    }

    /** Of each thread that lives, but for the caller's. */
    private static Map<String, Long> switches() throws IOException {
        Path own = Files.readSymbolicLink(Path.of("/proc/thread-self")).getFileName();
        Map<String, Long> counts = new HashMap<>();
        try (DirectoryStream<Path> threads = Files.newDirectoryStream(Path.of("/proc/self/task"))) {
            for (Path thread : threads) {
                if (!thread.getFileName().equals(own)) {
                    read(thread, counts);
                }
            }
        }
        return counts;
    }

    private static void read(Path thread, Map<String, Long> counts) {
        try {
            for (String line : Files.readAllLines(thread.resolve("status"))) {
                if (line.startsWith(LINE)) {
                    long count = Long.parseLong(line.substring(LINE.length()).trim());
                    counts.put(thread.getFileName().toString(), count);
                }
            }
        } catch (IOException error) {
            // A thread may end while the list is read.
        }
    }
}
