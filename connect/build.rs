//! The service of Spark Connect as a trait: the crate with its messages has only the client's side.

use tonic_build::manual::{Builder, Method, Service};

/// Name here, name on the wire, whether each side streams, and the messages: a name stands for
/// `…Request` and `…Response`.
type Row = (
    &'static str,
    &'static str,
    bool,
    bool,
    &'static str,
    &'static str,
);

const METHODS: &[Row] = &[
    (
        "execute_plan",
        "ExecutePlan",
        false,
        true,
        "ExecutePlan",
        "ExecutePlan",
    ),
    (
        "analyze_plan",
        "AnalyzePlan",
        false,
        false,
        "AnalyzePlan",
        "AnalyzePlan",
    ),
    ("config", "Config", false, false, "Config", "Config"),
    (
        "add_artifacts",
        "AddArtifacts",
        true,
        false,
        "AddArtifacts",
        "AddArtifacts",
    ),
    (
        "artifact_status",
        "ArtifactStatus",
        false,
        false,
        "ArtifactStatuses",
        "ArtifactStatuses",
    ),
    (
        "interrupt",
        "Interrupt",
        false,
        false,
        "Interrupt",
        "Interrupt",
    ),
    (
        "reattach_execute",
        "ReattachExecute",
        false,
        true,
        "ReattachExecute",
        "ExecutePlan",
    ),
    (
        "release_execute",
        "ReleaseExecute",
        false,
        false,
        "ReleaseExecute",
        "ReleaseExecute",
    ),
    (
        "release_session",
        "ReleaseSession",
        false,
        false,
        "ReleaseSession",
        "ReleaseSession",
    ),
    (
        "fetch_error_details",
        "FetchErrorDetails",
        false,
        false,
        "FetchErrorDetails",
        "FetchErrorDetails",
    ),
    (
        "clone_session",
        "CloneSession",
        false,
        false,
        "CloneSession",
        "CloneSession",
    ),
];

fn main() {
    let mut service = Service::builder()
        .name("SparkConnectService")
        .package("spark.connect")
        .comment("What a client of Spark Connect asks for.");
    for (name, route, client_streams, server_streams, input, output) in METHODS {
        let mut method = Method::builder()
            .name(name)
            .route_name(route)
            .comment(format!("Spark Connect's `{route}`."))
            .input_type(match *name {
                "execute_plan" | "analyze_plan" => {
                    format!("tidebook_engine::connect::Deep<tidebook_engine::connect::proto::{input}Request>")
                }
                _ => format!("tidebook_engine::connect::proto::{input}Request"),
            })
            .output_type(format!("tidebook_engine::connect::proto::{output}Response"))
            .codec_path(match *name {
                "execute_plan" | "analyze_plan" => "crate::wire::PlanCodec",
                _ => "tonic_prost::ProstCodec",
            });
        if *client_streams {
            method = method.client_streaming();
        }
        if *server_streams {
            method = method.server_streaming();
        }
        service = service.method(method.build());
    }
    Builder::new()
        .build_client(false)
        .compile(&[service.build()]);
}
