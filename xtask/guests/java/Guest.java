// Java's producer as a guest of the fake: sends records and waits for all.
// Arguments: bootstrap servers, topic, codec, idempotent (true or false), how many, Kafka's release.
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.StringSerializer;

public class Guest {
    public static void main(String[] args) throws Exception {
        Properties properties = new Properties();
        properties.put("bootstrap.servers", args[0]);
        properties.put("compression.type", args[2]);
        properties.put("enable.idempotence", args[3]);
        properties.put("acks", "all");
        properties.put("delivery.timeout.ms", "30000");
        properties.put("request.timeout.ms", "20000");
        properties.put("max.block.ms", "20000");
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
            for (int n = 0; n < Integer.parseInt(args[4]); n++) {
                sent.add(producer.send(new ProducerRecord<>(args[1], "key-" + n % 7, "value-" + n)));
            }
        }
        for (var one : sent) {
            one.get();
        }
    }
}
