// What Kafka's Java client sees of a broker, a line each: the same lines whatever broker it is.
//
//   java -cp 'JARS/*' tests/kafka-broker/JavaClient.java ADDRESS PREFIX
//
// PREFIX begins the names of all topics, groups and transactional ids.

import java.time.Duration;
import java.util.*;
import java.util.concurrent.ExecutionException;
import java.util.stream.*;
import org.apache.kafka.clients.admin.*;
import org.apache.kafka.clients.consumer.*;
import org.apache.kafka.clients.producer.*;
import org.apache.kafka.common.*;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.serialization.*;

public class JavaClient {
    static final long T = 1_700_000_000_000L;
    static String address, prefix;

    public static void main(String[] arguments) throws Exception {
        address = arguments[0];
        prefix = arguments[1];
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", address))) {
            topics(admin);
            records(admin);
            compression(admin);
            offsets(admin);
            groups(admin);
            transactions(admin);
        }
    }

    static void say(String what, Object seen) {
        System.out.println(what + ": " + String.valueOf(seen).replace(prefix, ""));
    }

    interface Call {
        Object run() throws Exception;
    }

    /** What a call gives, or the class of its error. */
    static void attempt(String what, Call call) {
        try {
            say(what, call.run());
        } catch (ExecutionException e) {
            say(what, e.getCause().getClass().getSimpleName());
        } catch (Exception e) {
            say(what, e.getClass().getSimpleName());
        }
    }

    /** After its creation a topic may need a moment until all of a broker knows it. */
    static void create(Admin admin, NewTopic topic) throws Exception {
        admin.createTopics(List.of(topic)).all().get();
        while (true) {
            try {
                List<TopicPartitionInfo> partitions = admin.describeTopics(List.of(topic.name()))
                        .allTopicNames().get().get(topic.name()).partitions();
                Map<TopicPartition, OffsetSpec> ends = partitions.stream().collect(Collectors.toMap(
                        p -> new TopicPartition(topic.name(), p.partition()), p -> OffsetSpec.latest()));
                admin.listOffsets(ends).all().get();
                return;
            } catch (ExecutionException e) {
                Thread.onSpinWait();
            }
        }
    }

    static void topics(Admin admin) throws Exception {
        String name = prefix + "topics";
        create(admin, new NewTopic(name, 2, (short) 1).configs(Map.of("max.message.bytes", "2000")));
        attempt("create again", () -> admin.createTopics(List.of(new NewTopic(name, 2, (short) 1))).all().get());
        attempt("create a bad name", () -> admin.createTopics(List.of(new NewTopic("a b", 1, (short) 1))).all().get());
        attempt("create without partitions",
                () -> admin.createTopics(List.of(new NewTopic(prefix + "none", 0, (short) 1))).all().get());
        attempt("create with three replicas",
                () -> admin.createTopics(List.of(new NewTopic(prefix + "three", 1, (short) 3))).all().get());
        attempt("create with a bad config", () -> admin.createTopics(List.of(
                new NewTopic(prefix + "bad", 1, (short) 1).configs(Map.of("no.such", "1")))).all().get());
        attempt("create with a bad value", () -> admin.createTopics(List.of(
                new NewTopic(prefix + "bad", 1, (short) 1).configs(Map.of("max.message.bytes", "x")))).all().get());
        attempt("only checked", () -> admin.createTopics(List.of(new NewTopic(prefix + "checked", 1, (short) 1)),
                new CreateTopicsOptions().validateOnly(true)).all().get());
        say("listed", admin.listTopics().names().get().stream().filter(n -> n.startsWith(prefix)).sorted().toList());
        TopicDescription topic = admin.describeTopics(List.of(name)).allTopicNames().get().get(name);
        say("described", topic.partitions().stream()
                .map(p -> p.partition() + " leader " + p.leader().id() + " replicas " + p.replicas().size()).toList());
        say("described by id", admin.describeTopics(TopicCollection.ofTopicIds(List.of(topic.topicId())))
                .allTopicIds().get().get(topic.topicId()).name());
        attempt("described, unknown", () -> admin.describeTopics(List.of(prefix + "nope")).allTopicNames().get());
        say("nodes", admin.describeCluster().nodes().get().size());
        say("controller", admin.describeCluster().controller().get().id());

        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, name);
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        say("max.message.bytes", config.get("max.message.bytes").value() + " " + config.get("max.message.bytes").source());
        say("message.timestamp.type", config.get("message.timestamp.type").value() + " "
                + config.get("message.timestamp.type").isDefault());
        admin.incrementalAlterConfigs(Map.of(resource, List.of(
                new AlterConfigOp(new ConfigEntry("max.message.bytes", "3000"), AlterConfigOp.OpType.SET)))).all().get();
        say("altered", admin.describeConfigs(List.of(resource)).all().get().get(resource).get("max.message.bytes").value());
        attempt("altered badly", () -> admin.incrementalAlterConfigs(Map.of(resource, List.of(
                new AlterConfigOp(new ConfigEntry("no.such", "1"), AlterConfigOp.OpType.SET)))).all().get());

        admin.createPartitions(Map.of(name, NewPartitions.increaseTo(5))).all().get();
        attempt("fewer partitions", () -> admin.createPartitions(Map.of(name, NewPartitions.increaseTo(3))).all().get());
        attempt("too large", () -> {
            try (Producer<String, String> producer = producer(Map.of())) {
                return producer.send(new ProducerRecord<>(name, "x".repeat(4000))).get();
            }
        });
        admin.deleteTopics(List.of(name)).all().get();
        attempt("delete again", () -> admin.deleteTopics(List.of(name)).all().get());
    }

    static void records(Admin admin) throws Exception {
        String name = prefix + "records";
        create(admin, new NewTopic(name, 3, (short) 1));
        try (Producer<String, String> producer = producer(Map.of())) {
            ProducerRecord<String, String> record = new ProducerRecord<>(name, 1, T, "key", "value");
            record.headers().add("h", "1".getBytes()).add("empty", new byte[0]).add("null", null).add("h", "2".getBytes());
            say("sent", producer.send(record).get());
            producer.send(new ProducerRecord<>(name, 1, T + 1, null, "no key")).get();
            producer.send(new ProducerRecord<>(name, 1, T + 2, "no value", (String) null)).get();
            say("partitions", producer.partitionsFor(name).size());
        }
        for (ConsumerRecord<String, String> r : read(name, 1, "read_uncommitted")) {
            say("record", r.offset() + " " + r.key() + " " + r.value() + " " + r.timestamp() + " " + r.timestampType()
                    + " " + Stream.of(r.headers().toArray()).map(JavaClient::header).toList());
        }
        String stamped = prefix + "stamped";
        create(admin, new NewTopic(stamped, 1, (short) 1).configs(Map.of("message.timestamp.type", "LogAppendTime")));
        try (Producer<String, String> producer = producer(Map.of("compression.type", "zstd"))) {
            long answered = producer.send(new ProducerRecord<>(stamped, 0, T, null, "late")).get().timestamp();
            ConsumerRecord<String, String> r = read(stamped, 0, "read_uncommitted").get(0);
            say("append time", (r.timestampType() == TimestampType.LOG_APPEND_TIME) + " " + (r.timestamp() == answered)
                    + " " + (r.timestamp() > T));
            TopicPartition partition = new TopicPartition(stamped, 0);
            say("append time found", admin.listOffsets(Map.of(partition, OffsetSpec.forTimestamp(answered)))
                    .all().get().get(partition).offset());
        }
        attempt("time too far ahead", () -> {
            try (Producer<String, String> producer = producer(Map.of())) {
                long ahead = System.currentTimeMillis() + 7_200_000;
                return producer.send(new ProducerRecord<>(name, 0, ahead, null, "x")).get();
            }
        });
    }

    static String header(Header header) {
        return header.key() + "=" + (header.value() == null ? null : new String(header.value()));
    }

    static void compression(Admin admin) throws Exception {
        for (String codec : List.of("none", "gzip", "snappy", "lz4", "zstd")) {
            String name = prefix + "compressed-" + codec;
            create(admin, new NewTopic(name, 1, (short) 1));
            try (Producer<String, String> producer = producer(Map.of("compression.type", codec, "linger.ms", 1000))) {
                for (int i = 0; i < 200; i++) {
                    producer.send(new ProducerRecord<>(name, 0, T + i, "k" + i, "value ".repeat(30) + i));
                }
                producer.flush();
            }
            List<ConsumerRecord<String, String>> records = read(name, 0, "read_committed");
            TopicPartition partition = new TopicPartition(name, 0);
            say(codec, records.size() + " " + records.get(199).value().endsWith(" 199") + " "
                    + admin.listOffsets(Map.of(partition, OffsetSpec.forTimestamp(T + 77))).all().get().get(partition).offset());
        }
    }

    static void offsets(Admin admin) throws Exception {
        String name = prefix + "offsets";
        create(admin, new NewTopic(name, 1, (short) 1));
        TopicPartition partition = new TopicPartition(name, 0);
        say("latest in time, none", admin.listOffsets(Map.of(partition, OffsetSpec.maxTimestamp()))
                .all().get().get(partition).offset());
        try (Producer<String, String> producer = producer(Map.of())) {
            for (int i : new int[] {0, 5, 2, 9, 9, 3}) {
                producer.send(new ProducerRecord<>(name, 0, T + 1000 * i, null, "v" + i)).get();
            }
        }
        Map<String, OffsetSpec> specs = new LinkedHashMap<>();
        specs.put("earliest", OffsetSpec.earliest());
        specs.put("latest", OffsetSpec.latest());
        specs.put("latest in time", OffsetSpec.maxTimestamp());
        for (long at : new long[] {-1000, 0, 1, 2000, 5000, 5001, 9000, 9001}) {
            specs.put("since " + at, OffsetSpec.forTimestamp(T + at));
        }
        for (var spec : specs.entrySet()) {
            var found = admin.listOffsets(Map.of(partition, spec.getValue())).all().get().get(partition);
            say(spec.getKey(), found.offset() + " " + found.timestamp());
        }
        admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(3))).all().get();
        say("deleted before 3", read(name, 0, "read_uncommitted").stream().map(ConsumerRecord::offset).toList());
        say("since 0, deleted", admin.listOffsets(Map.of(partition, OffsetSpec.forTimestamp(T)))
                .all().get().get(partition).offset());
        attempt("deleted beyond the end",
                () -> admin.deleteRecords(Map.of(partition, RecordsToDelete.beforeOffset(100))).all().get());
        try (Consumer<String, String> consumer = consumer(Map.of("auto.offset.reset", "none"))) {
            consumer.assign(List.of(partition));
            consumer.seek(partition, 1);
            attempt("read what is deleted", () -> {
                while (true) {
                    consumer.poll(Duration.ofSeconds(1));
                }
            });
        }
    }

    static void groups(Admin admin) throws Exception {
        String name = prefix + "shared", group = prefix + "group";
        create(admin, new NewTopic(name, 2, (short) 1));
        try (Producer<String, String> producer = producer(Map.of())) {
            for (int i = 0; i < 20; i++) {
                producer.send(new ProducerRecord<>(name, i % 2, null, "v" + i));
            }
        }
        try (Consumer<String, String> consumer = consumer(Map.of("group.id", group, "client.id", "me"))) {
            consumer.subscribe(List.of(name));
            int seen = 0;
            while (seen < 20) {
                seen += consumer.poll(Duration.ofSeconds(1)).count();
            }
            consumer.commitSync();
            say("assigned", consumer.assignment().stream().map(TopicPartition::partition).sorted().toList());
            ConsumerGroupDescription described = admin.describeConsumerGroups(List.of(group)).all().get().get(group);
            say("group", described.groupState() + " " + described.partitionAssignor() + " " + described.members().size()
                    + " " + described.members().iterator().next().clientId());
            attempt("delete while it is used", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
        }
        say("committed", new TreeMap<>(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get()
                .entrySet().stream().collect(Collectors.toMap(e -> e.getKey().partition(), e -> e.getValue().offset()))));
        say("listed", admin.listGroups().all().get().stream().map(GroupListing::groupId)
                .filter(group::equals).toList());
        TopicPartition first = new TopicPartition(name, 0);
        admin.alterConsumerGroupOffsets(group, Map.of(first, new OffsetAndMetadata(4, "by hand"))).all().get();
        say("altered", admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(first).offset());
        try (Consumer<String, String> consumer = consumer(Map.of("group.id", group))) {
            consumer.assign(List.of(first));
            List<Long> offsets = new ArrayList<>();
            while (offsets.size() < 6) {
                consumer.poll(Duration.ofSeconds(1)).forEach(r -> offsets.add(r.offset()));
            }
            say("goes on from", offsets.get(0));
        }
        admin.deleteConsumerGroups(List.of(group)).all().get();
        attempt("delete again", () -> admin.deleteConsumerGroups(List.of(group)).all().get());
    }

    @SuppressWarnings("removal") // The metadata of a group without a consumer in it has no other form.
    static void transactions(Admin admin) throws Exception {
        String name = prefix + "transactions", id = prefix + "id", group = prefix + "with-transaction";
        create(admin, new NewTopic(name, 1, (short) 1));
        TopicPartition partition = new TopicPartition(name, 0);
        Producer<String, String> producer = producer(Map.of("transactional.id", id));
        producer.initTransactions();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(name, "c0"));
        producer.send(new ProducerRecord<>(name, "c1"));
        producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(42)), new ConsumerGroupMetadata(group));
        producer.commitTransaction();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(name, "a0")).get();
        producer.sendOffsetsToTransaction(Map.of(partition, new OffsetAndMetadata(77)), new ConsumerGroupMetadata(group));
        producer.abortTransaction();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(name, "c2"));
        producer.commitTransaction();
        producer.beginTransaction();
        producer.send(new ProducerRecord<>(name, "open")).get();
        say("committed", values(name, "read_committed"));
        say("all", values(name, "read_uncommitted"));
        for (IsolationLevel level : IsolationLevel.values()) {
            say("end, " + level, admin.listOffsets(Map.of(partition, OffsetSpec.latest()),
                    new ListOffsetsOptions(level)).all().get().get(partition).offset());
        }
        say("offsets", admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata().get().get(partition).offset());

        Producer<String, String> second = producer(Map.of("transactional.id", id));
        second.initTransactions();
        attempt("fenced", () -> {
            try {
                producer.send(new ProducerRecord<>(name, "zombie")).get();
                producer.commitTransaction();
                return "committed";
            } catch (ExecutionException e) {
                // Which of the two it is depends on what comes first.
                boolean known = e.getCause() instanceof org.apache.kafka.common.errors.ProducerFencedException
                        || e.getCause() instanceof org.apache.kafka.common.errors.InvalidProducerEpochException;
                return known ? "yes" : e.getCause();
            } catch (org.apache.kafka.common.errors.ProducerFencedException
                    | org.apache.kafka.common.errors.InvalidProducerEpochException e) {
                return "yes";
            }
        });
        producer.close(Duration.ZERO);
        second.beginTransaction();
        second.send(new ProducerRecord<>(name, "c3"));
        second.commitTransaction();
        second.close();
        say("after that", values(name, "read_committed"));
    }

    static List<String> values(String topic, String isolation) {
        return read(topic, 0, isolation).stream().map(ConsumerRecord::value).toList();
    }

    /** All records of a partition, until its end. */
    static List<ConsumerRecord<String, String>> read(String topic, int index, String isolation) {
        TopicPartition partition = new TopicPartition(topic, index);
        List<ConsumerRecord<String, String>> records = new ArrayList<>();
        try (Consumer<String, String> consumer = consumer(Map.of("isolation.level", isolation))) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                consumer.poll(Duration.ofSeconds(1)).forEach(records::add);
            }
        }
        return records;
    }

    static Producer<String, String> producer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(Map.of("bootstrap.servers", address));
        config.putAll(more);
        return new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
    }

    static Consumer<String, String> consumer(Map<String, Object> more) {
        Map<String, Object> config = new HashMap<>(
                Map.of("bootstrap.servers", address, "auto.offset.reset", "earliest", "enable.auto.commit", "false"));
        config.putAll(more);
        return new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer());
    }
}
