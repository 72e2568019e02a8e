"""A Jupyter client that speaks in cells: executes one and gives everything that came of it."""

import time
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator

# How long to wait for something before it is said not to happen; a test that passes waits for none of it.
TIMEOUT = 60


@dataclass
class Executed:
    """What came of one request, in order."""

    reply: dict[str, Any]
    messages: list[dict[str, Any]] = field(default_factory=list)

    @property
    def status(self) -> str:
        return self.reply["content"]["status"]

    @property
    def types(self) -> list[str]:
        """Types of the outputs, without status and input."""
        hidden = ("status", "execute_input")
        return [m["msg_type"] for m in self.messages if m["msg_type"] not in hidden]

    def contents(self, msg_type: str) -> list[dict[str, Any]]:
        return [m["content"] for m in self.messages if m["msg_type"] == msg_type]

    def text(self, stream: str = "stdout") -> str:
        return "".join(c["text"] for c in self.contents("stream") if c["name"] == stream)

    @property
    def error(self) -> str:
        """`ename: evalue` of the one error, and its hint."""
        [error] = self.contents("error")
        return "\n".join(error["traceback"])


class Client:
    def __init__(self, manager, channels, timeout: float = TIMEOUT):
        self.manager = manager
        self.channels = channels
        self.timeout = timeout

    def send(self, code: str, **options: Any) -> str:
        return self.channels.execute(code, **options)

    def execute(self, code: str, **options: Any) -> Executed:
        return self.collect(self.send(code, **options))

    def ok(self, code: str) -> Executed:
        executed = self.execute(code)
        assert executed.status == "ok", executed.error
        return executed

    def fails(self, code: str) -> str:
        executed = self.execute(code)
        assert executed.status == "error", executed.messages
        assert executed.types.count("error") == 1
        content = executed.reply["content"]
        assert content["ename"] and content["traceback"]
        return executed.error

    def collect(self, msg_id: str) -> Executed:
        """Waits for the reply to a request and for its `idle`."""
        executed = Executed(self.reply(msg_id))
        executed.messages = list(self.broadcasts(msg_id))
        return executed

    def reply(self, msg_id: str) -> dict[str, Any]:
        while True:
            reply = self.channels.get_shell_msg(timeout=self.timeout)
            if reply["parent_header"].get("msg_id") == msg_id:
                return reply

    def broadcasts(self, msg_id: str) -> Iterator[dict[str, Any]]:
        """What the request caused, up to its `idle`."""
        while True:
            message = self.channels.get_iopub_msg(timeout=self.timeout)
            if message["parent_header"].get("msg_id") != msg_id:
                continue
            yield message
            if message["content"].get("execution_state") == "idle":
                return

    def until(self, msg_id: str, wanted: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The first broadcast of a request that is wanted; the request may still run."""
        while True:
            message = self.channels.get_iopub_msg(timeout=self.timeout)
            if message["parent_header"].get("msg_id") == msg_id and wanted(message):
                return message

    def hears(self, wanted: str, heard: str = "") -> str:
        """What streams say after `heard`, whichever cell it belongs to, up to `wanted`."""
        while wanted not in heard:
            message = self.channels.get_iopub_msg(timeout=self.timeout)
            if message["msg_type"] == "stream":
                heard += message["content"]["text"]
        return heard

    def shown_at_last(self, display_id: str) -> str:
        """What a display shows when the kernel has said its last."""
        shown = ""
        while True:
            message = self.channels.get_iopub_msg(timeout=self.timeout)
            content = message["content"]
            if content.get("transient", {}).get("display_id") == display_id:
                shown = content["data"]["text/plain"]
            if message["msg_type"] == "shutdown_reply":
                return shown

    def request(self, msg_type: str, content: dict[str, Any], channel: str = "shell") -> dict[str, Any]:
        """Sends a request as it is, without the client library's help; gives the reply."""
        session = self.channels.session
        message = session.msg(msg_type, content)
        getattr(self.channels, f"{channel}_channel").send(message)
        msg_id = message["header"]["msg_id"]
        if channel == "shell":
            return self.reply(msg_id)
        while True:
            reply = self.channels.get_control_msg(timeout=self.timeout)
            if reply["parent_header"].get("msg_id") == msg_id:
                return reply


def eventually(attempt: Callable[[], Any]) -> Any:
    """The first result of `attempt` that is not false, within the time limit."""
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        result = attempt()
        if result:
            return result
    raise AssertionError("it did not happen in time")
