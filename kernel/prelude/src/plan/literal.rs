//! Literals as the message `spark.connect.Expression.Literal`.

use crate::protobuf::Message;
use crate::row::Value;
use crate::types::DataType;

/// The message of a literal.
pub(crate) fn message(value: &Value) -> Message {
    let literal = Message::new();
    match value {
        Value::Null => literal.message(1, DataType::Null.to_message()),
        Value::Binary(bytes) => literal.raw(2, bytes),
        Value::Bool(value) => literal.bool(3, *value),
        Value::Byte(value) => literal.int(4, *value),
        Value::Short(value) => literal.int(5, *value),
        Value::Integer(value) => literal.int(6, *value),
        Value::Long(value) => literal.int(7, *value),
        Value::Float(value) => literal.float(10, *value),
        Value::Double(value) => literal.double(11, *value),
        Value::Decimal {
            value,
            precision,
            scale,
        } => {
            let decimal = Message::new()
                .string(1, value)
                .maybe(*precision, |decimal, precision| decimal.int(2, precision))
                .maybe(*scale, |decimal, scale| decimal.int(3, scale));
            literal.message(12, decimal)
        }
        Value::String(value) => literal.string(13, value),
        Value::Date(days) => literal.int(16, *days),
        Value::Timestamp(micros) => literal.int(17, *micros),
        Value::List(items) => {
            literal.message(22, Message::new().messages(2, items.iter().map(message)))
        }
        Value::Map(map) => {
            let keys = map.keys().map(|key| Message::new().string(13, key));
            let pairs = Message::new().messages(3, keys);
            literal.message(23, pairs.messages(4, map.values().map(message)))
        }
        Value::Struct(fields) => {
            let values = fields.iter().map(|(_, value)| message(value));
            literal.message(24, Message::new().messages(2, values))
        }
    }
}
