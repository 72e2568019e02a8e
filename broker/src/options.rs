//! What a broker is started with.

/// How a broker is to be; the default is what a lesson needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerOptions {
    /// The port of 127.0.0.1 to listen on; 0 takes a free one.
    pub port: u16,
    /// How many bytes topics, offsets and members may take; what is beyond is refused.
    pub memory_limit: usize,
    /// The largest batch of records that is taken, unless a topic has its own `max.message.bytes`.
    pub max_message_bytes: usize,
    /// Whether a producer that asks for a topic that does not exist gets it, as from Kafka.
    pub auto_create_topics: bool,
    /// How many partitions a topic has if nobody says how many.
    pub default_partitions: i32,
}

impl Default for BrokerOptions {
    fn default() -> Self {
        Self {
            port: 0,
            memory_limit: 256 << 20,
            // Kafka's: a MiB and the header of a batch of the first format.
            max_message_bytes: (1 << 20) + 12,
            auto_create_topics: true,
            default_partitions: 1,
        }
    }
}
