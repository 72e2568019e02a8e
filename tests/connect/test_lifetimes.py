"""What a server keeps of clients that do not come back, and for how long."""

import itertools
import time
import uuid

import grpc
import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc
from pyspark.sql.connect.session import SparkSession


class Raw:
    """A client that speaks in messages, under one session."""

    def __init__(self, address: str):
        channel = grpc.insecure_channel(address.removeprefix("sc://"), [("grpc.max_receive_message_length", -1)])
        self.stub = base_pb2_grpc.SparkConnectServiceStub(channel)
        self.session = str(uuid.uuid4())

    def execute(self, sql: str):
        """Begins an operation that can be taken up again; its id and its responses."""
        operation = str(uuid.uuid4())
        request = base_pb2.ExecutePlanRequest(session_id=self.session, operation_id=operation)
        request.plan.root.sql.query = sql
        request.request_options.add().reattach_options.reattachable = True
        return operation, self.stub.ExecutePlan(request)

    def reattach(self, operation: str, after: str | None = None):
        request = base_pb2.ReattachExecuteRequest(session_id=self.session, operation_id=operation)
        if after is not None:
            request.last_response_id = after
        return self.stub.ReattachExecute(request)


def refusal(responses) -> str:
    """What the server says when it is asked for responses that it does not have."""
    with pytest.raises(grpc.RpcError) as error:
        list(responses)
    return error.value.details()


def until(happens) -> None:
    """Tries ever later, for a request is what keeps things alive."""
    for attempt in itertools.count():
        time.sleep(0.2 * 2**attempt)
        if happens():
            return
        assert attempt < 7, "it did not happen"


def is_forgotten(spark) -> bool:
    try:
        spark.range(1).collect()
        return False
    except SparkConnectGrpcException as error:
        assert "SESSION_CHANGED" in str(error)
        return True


def test_a_session_without_requests_is_forgotten_unless_a_query_runs_in_it(serve):
    server = serve("--session-timeout", "300ms")
    idle, running = (SparkSession.builder.remote(server.address).create() for _ in range(2))
    idle.range(3).createTempView("three")
    query = running.readStream.format("rate").load().writeStream.format("noop").queryName("ticks").start()
    until(lambda: is_forgotten(idle))
    assert [found.name for found in running.streams.active] == ["ticks"]
    query.stop()
    until(lambda: is_forgotten(running))


def test_an_operation_that_nobody_reads_is_ended_and_forgotten(serve):
    raw = Raw(serve("--detached-timeout", "300ms").address)
    operation, responses = raw.execute("SELECT id FROM range(100000)")
    next(responses)
    responses.cancel()

    def is_gone() -> bool:
        try:
            reading = raw.reattach(operation)
            next(reading)
            reading.cancel()
            return False
        except grpc.RpcError as error:
            assert "OPERATION_NOT_FOUND" in error.details()
            return True

    until(is_gone)
    # Others go on.
    assert len(list(raw.execute("SELECT 1")[1])) > 1


def test_responses_that_were_sent_long_ago_are_not_kept(server):
    raw = Raw(server.address)
    operation, responses = raw.execute("SELECT id, repeat('x', 100) AS text FROM range(300000)")
    seen = list(responses)
    assert sum(response.ByteSize() for response in seen) > 20_000_000
    last = [response.response_id for response in raw.reattach(operation, seen[-3].response_id)]
    assert last == [response.response_id for response in seen[-2:]]
    assert "POSITION_NOT_AVAILABLE" in refusal(raw.reattach(operation, seen[0].response_id))
    assert "POSITION_NOT_AVAILABLE" in refusal(raw.reattach(operation))


def test_what_was_released_is_gone_and_the_rest_is_there(server):
    raw = Raw(server.address)
    operation, responses = raw.execute("SELECT id FROM range(1000)")
    seen = [response.response_id for response in responses]
    release = base_pb2.ReleaseExecuteRequest(session_id=raw.session, operation_id=operation)
    release.release_until.response_id = seen[0]
    raw.stub.ReleaseExecute(release)
    assert [response.response_id for response in raw.reattach(operation, seen[0])] == seen[1:]
    release = base_pb2.ReleaseExecuteRequest(session_id=raw.session, operation_id=operation)
    release.release_all.SetInParent()
    raw.stub.ReleaseExecute(release)
    assert "OPERATION_NOT_FOUND" in refusal(raw.reattach(operation))


def test_two_clients_of_one_session_see_the_same(server):
    session = str(uuid.uuid4())
    one, other = (
        SparkSession.builder.remote(f"{server.address}/;session_id={session};user_id=u").create() for _ in range(2)
    )
    one.range(5).createTempView("five")
    assert other.table("five").count() == 5
    other.sql("SET spark.sql.session.timeZone = Asia/Taipei")
    assert one.conf.get("spark.sql.session.timeZone") == "Asia/Taipei"


def test_a_message_that_is_too_large_is_refused_and_the_connection_goes_on(server):
    raw = Raw(server.address)
    said = refusal(raw.execute("SELECT '" + "x" * (130 << 20) + "'")[1])
    assert "too large" in said, said
    assert len(list(raw.execute("SELECT 1")[1])) > 1


def test_a_session_needs_an_id_that_is_one(server):
    raw = Raw(server.address)
    raw.session = "mine"
    assert "INVALID_HANDLE" in refusal(raw.execute("SELECT 1")[1])


def test_fields_that_are_not_known_are_passed_over(server):
    raw = Raw(server.address)
    request = base_pb2.ExecutePlanRequest(session_id=raw.session)
    request.plan.root.sql.query = "SELECT 1"
    # Field 999, a text.
    unknown = request.SerializeToString() + bytes([0xBA, 0x3E, 3]) + b"new"
    request.ParseFromString(unknown)
    assert request.SerializeToString() == unknown, "it is sent"
    assert len(list(raw.stub.ExecutePlan(request))) > 1
