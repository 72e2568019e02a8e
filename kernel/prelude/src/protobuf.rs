//! Writes the protobuf wire format: all that plans need of it, so that no code has to be generated.

/// Numbers, as varints.
const VARINT: u32 = 0;
/// Eight bytes, little endian.
const FIXED64: u32 = 1;
/// A length, then so many bytes.
const DELIMITED: u32 = 2;
/// Four bytes, little endian.
const FIXED32: u32 = 5;

/// A message under construction. Fields are written in the order of the calls; a repeated field is
/// written once per element. Nothing is left out because it has its default value: whether to write
/// a field is for the caller to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Message {
    bytes: Vec<u8>,
}

impl Message {
    /// A message without fields.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// The message as bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }

    /// An `int32`, `int64`, `uint32` or enum field.
    pub(crate) fn int(mut self, field: u32, value: impl Into<i64>) -> Self {
        self.key(field, VARINT);
        // A negative number is sign-extended to 64 bits, also in an int32 field.
        self.varint(value.into() as u64);
        self
    }

    /// A `bool` field.
    pub(crate) fn bool(self, field: u32, value: bool) -> Self {
        self.int(field, i64::from(value))
    }

    /// A `double` field.
    pub(crate) fn double(mut self, field: u32, value: f64) -> Self {
        self.key(field, FIXED64);
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// A `float` field.
    pub(crate) fn float(mut self, field: u32, value: f32) -> Self {
        self.key(field, FIXED32);
        self.bytes.extend(value.to_le_bytes());
        self
    }

    /// A `string` field.
    pub(crate) fn string(self, field: u32, value: impl AsRef<str>) -> Self {
        self.raw(field, value.as_ref().as_bytes())
    }

    /// One string per element.
    pub(crate) fn strings<S: AsRef<str>>(
        self,
        field: u32,
        values: impl IntoIterator<Item = S>,
    ) -> Self {
        values
            .into_iter()
            .fold(self, |message, value| message.string(field, value))
    }

    /// A `bytes` field, or a message that is already encoded.
    pub(crate) fn raw(mut self, field: u32, value: &[u8]) -> Self {
        self.key(field, DELIMITED);
        self.varint(value.len() as u64);
        self.bytes.extend_from_slice(value);
        self
    }

    /// A message field.
    pub(crate) fn message(self, field: u32, value: Message) -> Self {
        self.raw(field, &value.bytes)
    }

    /// One message per element.
    pub(crate) fn messages(self, field: u32, values: impl IntoIterator<Item = Message>) -> Self {
        values
            .into_iter()
            .fold(self, |message, value| message.message(field, value))
    }

    /// A `map<string, string>` field.
    pub(crate) fn map<'a>(
        self,
        field: u32,
        entries: impl IntoIterator<Item = (&'a String, &'a String)>,
    ) -> Self {
        let entry = |(key, value)| Message::new().string(1, key).string(2, value);
        self.messages(field, entries.into_iter().map(entry))
    }

    /// What `write` writes of a value, if there is one.
    pub(crate) fn maybe<T>(self, value: Option<T>, write: impl FnOnce(Self, T) -> Self) -> Self {
        match value {
            Some(value) => write(self, value),
            None => self,
        }
    }

    fn key(&mut self, field: u32, wire_type: u32) {
        self.varint(u64::from(field << 3 | wire_type));
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::Message;

    #[test]
    fn numbers_are_varints() {
        assert_eq!(Message::new().int(1, 150).into_bytes(), [0x08, 0x96, 0x01]);
        let minus_one = Message::new().int(1, -1).into_bytes();
        assert_eq!(minus_one.len(), 11, "a key and ten bytes");
        assert_eq!(
            Message::new().bool(16, true).into_bytes(),
            [0x80, 0x01, 0x01]
        );
    }

    #[test]
    fn strings_and_messages_carry_their_length() {
        let inner = Message::new().string(2, "testing");
        assert_eq!(inner.clone().into_bytes(), *b"\x12\x07testing");
        assert_eq!(
            Message::new().message(3, inner).into_bytes(),
            *b"\x1a\x09\x12\x07testing"
        );
    }

    #[test]
    fn floats_are_little_endian() {
        assert_eq!(
            Message::new().double(1, 1.0).into_bytes(),
            *b"\x09\0\0\0\0\0\0\xf0\x3f"
        );
        assert_eq!(
            Message::new().float(1, 1.0).into_bytes(),
            *b"\x0d\0\0\x80\x3f"
        );
    }
}
