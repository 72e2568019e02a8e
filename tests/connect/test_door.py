"""Who comes in by the door, and what it does with those who behave strangely."""

import subprocess
import threading
import time
import uuid

import grpc
import pytest
from pyspark.errors.exceptions.connect import SparkConnectGrpcException
from pyspark.sql.connect.proto import base_pb2, base_pb2_grpc, relations_pb2
from pyspark.sql.connect.session import SparkSession

from conftest import PROGRAM


def stub(server):
    channel = grpc.insecure_channel(server.address.removeprefix("sc://"))
    return base_pb2_grpc.SparkConnectServiceStub(channel)


def nested(depth):
    relation = relations_pb2.Relation()
    relation.range.end = 1
    relation.range.step = 1
    text = relation.SerializeToString()
    for _ in range(depth):
        # Relation.limit (field 7) holds its input (field 1); protobuf's own writer would not go so deep.
        inner = b"\x0a" + length(text) + text + b"\x10\x01"
        text = b"\x42" + length(inner) + inner
    return text


def length(text):
    count, out = len(text), b""
    while count > 0x7F:
        out += bytes([count & 0x7F | 0x80])
        count >>= 7
    return out + bytes([count])


def request(plan_of_relation, session):
    plan = b"\x0a" + length(plan_of_relation) + plan_of_relation
    return b"\x0a" + length(session) + session + b"\x1a" + length(plan) + plan


def test_a_token_opens_and_nothing_else(serve):
    server = serve(TIDEBOOK_TOKEN="open-sesame")
    assert "open-sesame" not in server.first_line
    opened = SparkSession.builder.remote(f"{server.address}/;token=open-sesame").create()
    assert opened.range(3).count() == 3
    opened.stop()
    with pytest.raises(grpc.RpcError) as refused:
        stub(server).Config(base_pb2.ConfigRequest(session_id=str(uuid.uuid4())))
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    wrong = (("authorization", "Bearer open-sesamE"),)
    with pytest.raises(grpc.RpcError) as refused:
        stub(server).Config(base_pb2.ConfigRequest(session_id=str(uuid.uuid4())), metadata=wrong)
    assert refused.value.code() == grpc.StatusCode.UNAUTHENTICATED
    asked = base_pb2.ConfigRequest(session_id=str(uuid.uuid4()))
    asked.operation.get_option.keys.append("spark.sql.session.timeZone")
    right = (("authorization", "Bearer open-sesame"),)
    assert stub(server).Config(asked, metadata=right).pairs[0].value == "UTC"


def test_other_addresses_need_a_token():
    ended = subprocess.run([PROGRAM, "serve", "--host", "0.0.0.0"], capture_output=True, text=True, timeout=20)
    assert ended.returncode != 0
    assert "--token" in ended.stderr


def test_a_port_in_use_is_named(server):
    port = server.address.rsplit(":", 1)[1]
    ended = subprocess.run([PROGRAM, "serve", "--port", port], capture_output=True, text=True, timeout=20)
    assert ended.returncode != 0
    assert port in ended.stderr


def test_a_session_id_is_a_uuid(server):
    with pytest.raises(grpc.RpcError, match="INVALID_HANDLE.FORMAT"):
        stub(server).Config(base_pb2.ConfigRequest(session_id="me"))


@pytest.mark.parametrize("depth", [1_000, 10_000])
def test_deep_plans_are_answered(server, depth):
    channel = grpc.insecure_channel(server.address.removeprefix("sc://"))
    call = channel.unary_stream(
        "/spark.connect.SparkConnectService/ExecutePlan",
        request_serializer=lambda text: text,
        response_deserializer=lambda text: text,
    )
    session = str(uuid.uuid4()).encode()
    if depth == 1_000:
        assert list(call(request(nested(depth), session)))
    else:
        with pytest.raises(grpc.RpcError, match="levels deep"):
            list(call(request(nested(depth), session)))
    # It is still there.
    again = list(call(request(nested(0), session)))
    assert again


def test_an_operation_is_interrupted(server, spark):
    failed = []
    query = spark.readStream.format("rate").load().writeStream.format("memory").queryName("r").start()

    def wait():
        try:
            query.awaitTermination()
        except Exception as error:
            failed.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    until = time.monotonic() + 20
    while not spark.interruptAll() and time.monotonic() < until:
        pass
    waiting.join(20)
    assert not waiting.is_alive()
    assert failed and "OPERATION_CANCELED" in str(failed[0])
    assert query.isActive
    query.stop()


def test_a_query_outlives_a_client_that_vanishes(server):
    session = str(uuid.uuid4())
    one = SparkSession.builder.remote(f"{server.address}/;session_id={session}").create()
    one.readStream.format("rate").load().writeStream.format("memory").queryName("stays").start()
    one.client._channel.close()
    other = SparkSession.builder.remote(f"{server.address}/;session_id={session}").create()
    assert [query.name for query in other.streams.active] == ["stays"]
    other.streams.active[0].stop()
    other.stop()


def test_sessions_do_not_see_each_other(server):
    one, other = (SparkSession.builder.remote(server.address).create() for _ in range(2))
    one.range(1).createOrReplaceTempView("mine")
    assert one.catalog.tableExists("mine") and not other.catalog.tableExists("mine")
    released = base_pb2.ReleaseSessionRequest(session_id=one.session_id)
    released.user_context.user_id = one.client._user_id or ""
    stub(server).ReleaseSession(released)
    with pytest.raises(SparkConnectGrpcException, match="SESSION_CLOSED"):
        one.range(1).collect()
    other.stop()
