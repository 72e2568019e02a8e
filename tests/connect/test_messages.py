"""Every message of Spark Connect is answered or refused by its name: messages.md says which."""

import uuid
from pathlib import Path

import grpc
import pyspark.sql.connect.proto as proto
import pytest
from pyspark.sql.connect.proto.base_pb2_grpc import SparkConnectServiceStub

PAGE = Path(__file__).parent / "messages.md"


class Door:
    """Sends messages as they are."""

    def __init__(self, address):
        self.stub = SparkConnectServiceStub(grpc.insecure_channel(address.removeprefix("sc://")))
        self.asked = {"session_id": str(uuid.uuid4()), "user_context": proto.UserContext(user_id="test")}

    def execute(self, plan):
        return self.says(lambda: list(self.stub.ExecutePlan(proto.ExecutePlanRequest(plan=plan, **self.asked), timeout=20)))

    def analyze(self, kind, question):
        request = proto.AnalyzePlanRequest(**self.asked)
        getattr(request, kind).CopyFrom(question)
        return self.says(lambda: self.stub.AnalyzePlan(request, timeout=20))

    def says(self, ask):
        """What is wrong with the message, or nothing."""
        try:
            ask()
        except grpc.RpcError as error:
            assert error.code() != grpc.StatusCode.UNIMPLEMENTED, error
            return error.details()
        return ""


def kinds(message, oneof):
    return [field for field in message.DESCRIPTOR.oneofs_by_name[oneof].fields if field.name not in ("extension", "unknown")]


def numbers():
    return proto.Relation(range=proto.Range(end=3, step=1))


def filled(message):
    """The message with what it works on, as far as it has a place for it."""
    for field in message.DESCRIPTOR.fields:
        if field.message_type is proto.Relation.DESCRIPTOR and not field.is_repeated:
            getattr(message, field.name).CopyFrom(numbers())
        elif field.message_type is proto.Plan.DESCRIPTOR and not field.is_repeated:
            getattr(message, field.name).CopyFrom(proto.Plan(root=numbers()))
    return message


def with_kind(message, field):
    part = getattr(message, field.name)
    part.SetInParent()
    filled(part)
    # These are refused as long as they do not say which kind of themselves they are.
    if field.name == "subquery_expression":
        part.subquery_type = proto.SubqueryExpression.SUBQUERY_TYPE_SCALAR
    if field.name == "register_function":
        part.function_name = "f"
        part.python_udf.eval_type = 100
        part.python_udf.output_type.integer.SetInParent()
    return message


def answers(door):
    """For every kind of message its name, and what is wrong with it."""
    relations = {
        field.name: door.execute(proto.Plan(root=with_kind(proto.Relation(), field)))
        for field in kinds(proto.Relation, "rel_type")
    }
    expressions = {}
    for field in kinds(proto.Expression, "expr_type"):
        project = proto.Project(input=numbers(), expressions=[with_kind(proto.Expression(), field)])
        expressions[field.name] = door.execute(proto.Plan(root=proto.Relation(project=project)))
    commands = {
        field.name: door.execute(proto.Plan(command=with_kind(proto.Command(), field)))
        for field in kinds(proto.Command, "command_type")
    }
    analyses = {}
    for field in kinds(proto.AnalyzePlanRequest, "analyze"):
        question = with_kind(proto.AnalyzePlanRequest(), field)
        analyses[field.name] = door.analyze(field.name, getattr(question, field.name))
    return {"relations": relations, "expressions": expressions, "commands": commands, "analyses": analyses}


def is_refused(said):
    return "not supported" in said


def page(found):
    lines = ["# Messages of Spark Connect", "", "What the door answers, and what it refuses by name.", ""]
    lines += ["| | done | refused | refused are |", "|---|---|---|---|"]
    for what, answers in found.items():
        refused = [name for name, said in answers.items() if is_refused(said)]
        names = ", ".join(f"`{name}`" for name in refused)
        lines.append(f"| {what} | {len(answers) - len(refused)} of {len(answers)} | {len(refused)} | {names} |")
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def found(server):
    return answers(Door(server.address))


def test_the_page_says_what_is_there(found):
    assert page(found) == PAGE.read_text()


def test_what_is_refused_says_why(found):
    for answers in found.values():
        for name, said in answers.items():
            assert "panicked" not in said and "INTERNAL_ERROR" not in said, (name, said)
