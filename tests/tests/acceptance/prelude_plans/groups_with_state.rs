//! A function of groups is registered before its plan is made, so this needs a kernel, whose name
//! comes from the environment: the test runs itself again beside one that does whatever is asked.

use std::os::unix::net::UnixListener;
use std::process::Command;

use tidebook::prelude::*;
use tidebook::wire::{self, SOCKET};
use tidebook_engine::connect::proto;
use tidebook_engine::connect::proto::common_inline_user_defined_function::Function;
use tidebook_engine::connect::proto::relation::RelType;

use super::support::{attribute, events, expression, root};

#[test]
fn they_are_functions_with_a_type() {
    if std::env::var_os(SOCKET).is_none() {
        return beside_a_kernel("prelude_plans::groups_with_state::they_are_functions_with_a_type");
    }
    let frame = events().group_by(["u"]).flat_map_groups_with_state(
        OutputMode::Append,
        GroupStateTimeout::ProcessingTimeTimeout,
        "u STRING, n BIGINT",
        |_: String, _: Vec<serde_json::Value>, _: &mut GroupState<i64>| Vec::<(String, i64)>::new(),
    );
    let RelType::GroupMap(group) = root(&frame.unwrap()).rel_type.unwrap() else {
        panic!("a function of groups is a GroupMap");
    };
    let function = group.func.unwrap();
    let id = function.function_name.clone();
    let Some(Function::ScalarScalaUdf(known)) = function.function else {
        panic!("{function:?}");
    };
    assert!(
        id.starts_with("groups-") && known.payload == id.as_bytes(),
        "{id}"
    );
    assert!(matches!(
        known.output_type.unwrap().kind,
        Some(proto::data_type::Kind::Struct(_))
    ));
    assert_eq!(group.grouping_expressions, [expression(attribute("u"))]);
    assert_eq!(group.is_map_groups_with_state, Some(false));
    assert_eq!(group.output_mode.as_deref(), Some("append"));
    assert_eq!(group.timeout_conf.as_deref(), Some("ProcessingTimeTimeout"));
}

fn beside_a_kernel(test: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kernel");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                wire::receive::<wire::Hello>(&mut stream).unwrap();
                while let Ok(Some(_)) = wire::receive::<wire::Request>(&mut stream) {
                    let done = wire::Reply::Done(serde_json::json!({}));
                    wire::send(&mut stream, &done, &[]).unwrap();
                }
            });
        }
    });
    let mut itself = Command::new(std::env::current_exe().unwrap());
    let output = itself
        .args(["--exact", test])
        .env(SOCKET, path)
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && printed.contains("1 passed"),
        "{printed}"
    );
}
