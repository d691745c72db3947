package bench;

import java.util.Arrays;

/** What came of the records of one stretch. */
final class Tally {
    private long errors;
    private String first;
    private long[] latencies = new long[0];

    synchronized void fail(String error) {
        errors++;
        if (first == null) {
            first = error;
        }
    }

    /** Adds how long records took, in nanoseconds. */
    synchronized void took(long[] nanos, int count) {
        int before = latencies.length;
        latencies = Arrays.copyOf(latencies, before + count);
        System.arraycopy(nanos, 0, latencies, before, count);
    }

    synchronized void merge(Tally warm) {
        errors += warm.errors;
        if (warm.first != null) {
            first = warm.first;
        }
    }

    /** The fields of the result line that are known here. */
    synchronized String fields() {
        return "\"errors\":" + errors + ",\"first_error\":" + quoted(first)
                + ",\"latency_us\":" + percentiles();
    }

    private String percentiles() {
        if (latencies.length == 0) {
            return "null";
        }
        Arrays.sort(latencies);
        return "{\"p50\":" + at(0.5) + ",\"p90\":" + at(0.9) + ",\"p99\":" + at(0.99)
                + ",\"p999\":" + at(0.999) + ",\"max\":" + at(1.0) + "}";
    }

    private double at(double share) {
        return latencies[(int) Math.round(share * (latencies.length - 1))] / 1000.0;
    }

    static String quoted(String text) {
        if (text == null) {
            return "null";
        }
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') {
                quoted.append('\\').append(c);
            } else {
                quoted.append(c < ' ' ? ' ' : c);
            }
        }
        return quoted.append('"').toString();
    }
}
