"""The lesson's broker: topics, messages, and what is told when they are not there."""

from client import Client, eventually

CLICKS = "\n".join(f'{{"user": "u{i % 3}", "n": {i}}}' for i in range(9))


def plain(executed, msg_type: str = "display_data") -> str:
    return "\n".join(content["data"]["text/plain"] for content in executed.contents(msg_type))


def completed(kernel: Client, code: str) -> list[str]:
    return kernel.request("complete_request", {"code": code, "cursor_pos": len(code)})["content"]["matches"]


def test_a_broker_for_lessons(kernel: Client):
    assert "%kafka up" in kernel.fails("%kafka topics")
    said = kernel.ok("%kafka up").text()
    assert "is up at 127.0.0.1:" in said and "in memory" in said
    assert "is up already" in kernel.ok("%kafka up").text()
    assert kernel.ok("%kafka create clicks --partitions 2").text() == "topic 'clicks': 2 partitions\n"
    assert "is there already" in kernel.fails("%kafka create clicks")
    kernel.ok("%kafka create clicks --quiet")
    produced = kernel.ok(f"%%produce clicks --key user\n{CLICKS}")
    last = produced.contents("update_display_data")[-1]
    assert last["transient"] == produced.contents("display_data")[0]["transient"]
    assert last["data"]["text/plain"].startswith("✔ produced 9 messages to 'clicks' (partition")
    listed = plain(kernel.ok("%kafka topics"))
    [line] = [line for line in listed.splitlines() if line.startswith("clicks")]
    assert line.split()[1:3] == ["2", "9"], listed
    assert completed(kernel, "%%produce cl") == ["clicks"]
    assert completed(kernel, "%%stream q --sink kafka:c") == ["kafka:clicks"]
    kernel.ok("%kafka delete clicks")
    assert "no topics yet" in plain(kernel.ok("%kafka topics"))
    assert "is down" in kernel.ok("%kafka down").text()
    assert "was not up" in kernel.ok("%kafka down").text()


def test_messages_are_sent_at_a_pace_until_the_broker_is_down(kernel: Client):
    kernel.ok("%kafka up")
    kernel.ok("%kafka create clicks")
    started = kernel.ok(f"%%produce clicks --every 5ms --repeat\n{CLICKS}")
    [shown] = started.contents("display_data")

    def more_than_once_round() -> bool:
        listed = plain(kernel.ok("%kafka topics"))
        return int(listed.splitlines()[1].split()[2]) > 9

    assert eventually(more_than_once_round)
    ended = kernel.ok("%kafka down")
    updates = [c for c in ended.contents("update_display_data") if c["transient"] == shown["transient"]]
    assert updates and "■ stopped" in updates[-1]["data"]["text/plain"]


def test_mistakes_say_what_to_do(kernel: Client):
    assert "%kafka up" in kernel.fails(f"%%produce clicks\n{CLICKS}")
    assert "HOST:PORT" in kernel.fails("%kafka use nowhere")
    kernel.ok("%kafka use 127.0.0.1:1")
    error = kernel.fails("%kafka topics")
    assert "KafkaException" in error and "is a broker listening on 127.0.0.1:1?" in error, error
    kernel.ok("%kafka up")
    assert "line 1 is not JSON" in kernel.fails("%%produce clicks\nann,1")
    assert "has no field 'usr'" in kernel.fails(f"%%produce clicks --key usr\n{CLICKS}")
    assert "cannot be the name of a topic" in kernel.fails("%kafka create 'a b'")
    assert "there is no topic 'nothing'" in kernel.fails("%kafka delete nothing")
