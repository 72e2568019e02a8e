//! Commands: plans that are done instead of computed.

use crate::protobuf::Message;

/// The message `spark.connect.Plan` whose command is the field `field` of `command_type`.
pub(crate) fn plan(field: u32, kind: Message) -> Vec<u8> {
    let command = Message::new().message(field, kind);
    Message::new().message(2, command).into_bytes()
}

/// `CreateDataFrameViewCommand`.
pub(crate) fn create_view(input: &[u8], name: &str, replace: bool, global: bool) -> Vec<u8> {
    let view = Message::new().raw(1, input).string(2, name);
    plan(3, view.bool(3, global).bool(4, replace))
}
