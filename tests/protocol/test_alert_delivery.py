"""Alerts on their way: nothing lost, nothing blocked, in order, whatever the receiver does."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import hmac
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.support.receiver import SILENT, Receiver, receiving
from utxoracle_tui.alerts.delivery import Delivery
from utxoracle_tui.alerts.outbox import MOST_WAITING, Outbox
from utxoracle_tui.alerts.payload import Told, request_of
from utxoracle_tui.alerts.sinks import Command, NotTold, Sink, Webhook
from utxoracle_tui.sources.http import Backoff
from utxoracle_tui.store.records import Alert

TIME_S = 1_795_435_200.0


def told(number: int, event: str = "raised") -> Told:
    alert = Alert(
        key=f"source.node.{number}",
        time_s=TIME_S,
        rule="source",
        level="critical",
        message=f"Bitcoin Core is down ({number}). <&>",
        values={"source": "node"},
    )
    return Told(event, alert, "pi", "main", TIME_S + number)  # type: ignore[arg-type]


class Quick(Webhook):
    """One that does not wait for minutes."""

    again = Backoff(first_s=0.02, most_s=0.05)


def quick(receiver: Receiver, answer_s: float = 5.0) -> Webhook:
    return Quick(receiver.url, "json", None, answer_s=answer_s)


@asynccontextmanager
async def delivering(folder: Path, *sinks: Sink) -> AsyncIterator[Delivery]:
    delivery = Delivery(sinks, folder)
    delivery.release()
    task = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def numbers(receiver: Receiver) -> list[int]:
    return [int(json.loads(body)["key"].rpartition(".")[2]) for _, body in receiver.got]


async def add(delivery: Delivery, *many: int) -> None:
    for number in many:
        await delivery.add(told(number))
    delivery.release()


async def test_a_receiver_that_is_down_gets_all_of_it_in_order_when_it_is_back(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiving(receiver):
        pass
    async with delivering(tmp_path, quick(receiver)) as delivery:
        await add(delivery, 1, 2, 3)
        async with asyncio.timeout(10):
            while not delivery.troubles:
                await asyncio.sleep(0.01)
        (trouble,) = delivery.troubles
        assert trouble.startswith(f"The webhook at 127.0.0.1:{receiver.port} refuses the connection. ")
        assert "s3cret" not in trouble
        async with receiving(receiver):
            await add(delivery, 4)
            await receiver.until(4)
        assert numbers(receiver) == [1, 2, 3, 4]
        async with asyncio.timeout(10):
            while delivery.troubles:
                await asyncio.sleep(0.01)


@pytest.mark.parametrize("answers", [[500, 503, 429, 404], [SILENT, 500, SILENT]])
async def test_a_receiver_that_fails_or_never_answers_is_tried_again(tmp_path: Path, answers: list[int]) -> None:
    receiver = Receiver(answers=list(answers))
    async with receiving(receiver), delivering(tmp_path, quick(receiver, answer_s=0.2)) as delivery:
        await add(delivery, 1, 2)
        await receiver.until(2)
    assert numbers(receiver) == [1, 2]
    assert receiver.tries == len(answers) + 2


async def test_what_was_not_told_is_told_by_the_next_process(tmp_path: Path) -> None:
    receiver = Receiver(answers=[500] * 10_000)
    async with receiving(receiver):
        async with delivering(tmp_path, quick(receiver)) as delivery:
            await add(delivery, 1, 2, 3)
            async with asyncio.timeout(10):
                while not receiver.tries:
                    await asyncio.sleep(0.01)
        receiver.answers.clear()
        async with delivering(tmp_path, quick(receiver)) as again:
            assert [left.alert.key for left in await again.waiting()] == [f"source.node.{n}" for n in (1, 2, 3)]
            await receiver.until(3)
            async with asyncio.timeout(10):
                # what was told is forgotten a moment later
                while list(tmp_path.rglob("*.json")):
                    await asyncio.sleep(0.01)
    assert numbers(receiver) == [1, 2, 3]


async def test_one_sink_does_not_hold_up_another(tmp_path: Path) -> None:
    receiver = Receiver(answers=[SILENT])
    out = tmp_path / "out.txt"
    script = f"import os, sys; open({str(out)!r}, 'a').write(os.environ['ALERT_MESSAGE'] + sys.stdin.read() + chr(10))"
    command = Command(f'{sys.executable} -c "{script}"')
    async with receiving(receiver), delivering(tmp_path / "box", quick(receiver, answer_s=30), command) as delivery:
        await add(delivery, 1, 2)
        async with asyncio.timeout(20):
            while not out.exists() or len(out.read_text().splitlines()) < 2:
                await asyncio.sleep(0.02)
        assert numbers(receiver) == []
    first, second = out.read_text().splitlines()
    assert first.startswith("Bitcoin Core is down (1). <&>{")
    assert json.loads(second.partition("<&>")[2])["key"] == "source.node.2"


async def test_a_command_that_fails_hangs_or_is_not_there() -> None:
    for line, sentence in (
        (f"{sys.executable} -c \"import sys; sys.exit('no way')\"", "ended with 1: no way."),
        ("/no/such/command --now", "can't be run: No such file or directory."),
        ('echo "unbalanced', "can't be read: No closing quotation."),
    ):
        with pytest.raises(NotTold) as failed:
            await Command(line).tell(told(1))
        assert sentence in failed.value.sentence
    with pytest.raises(NotTold, match=r"was ended after 0\.3 s"):
        await Command(f'{sys.executable} -c "import time; time.sleep(60)"', limit_s=0.3).tell(told(1))


def test_a_full_disk_keeps_it_in_memory_and_a_damaged_file_holds_up_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    box = Outbox(blocked)
    box.add(told(1))
    assert len(box) == 1
    found = box.first()
    assert found is not None
    assert found[0] == told(1)
    box.remove(found[1])
    assert box.first() is None
    whole = Outbox(tmp_path / "box")
    for number in (1, 2):
        whole.add(told(number))
    next(iter(sorted((tmp_path / "box").iterdir()))).write_text("{torn")
    found = Outbox(tmp_path / "box").first()
    assert found is not None
    assert found[0] == told(2)


async def test_a_disk_that_is_read_only_by_now_has_nobody_told_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def refused(path: Path, missing_ok: bool = False) -> None:
        if tmp_path in path.parents:
            raise OSError(errno.EROFS, "Read-only file system")
        unlink(path, missing_ok=missing_ok)

    receiver = Receiver()
    async with receiving(receiver), delivering(tmp_path, quick(receiver)) as delivery:
        await add(delivery, 1)
        monkeypatch.setattr(Path, "unlink", refused)
        await receiver.until(1)
        await add(delivery, 2)
        await receiver.until(2)
        await asyncio.sleep(0.3)
        monkeypatch.undo()
    assert numbers(receiver) == [1, 2]


def test_what_waits_in_memory_keeps_its_turn_and_is_written_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = Outbox(tmp_path / "box")

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("utxoracle_tui.alerts.outbox.durable.replace_file", full)
        box.add(told(1))
        assert box.first() == (told(1), 1)
        assert list(tmp_path.rglob("*.json")) == []
    box.add(told(2))
    # another process finds both
    assert Outbox(tmp_path / "box").all() == [told(1), told(2)]


class Odd(Webhook):
    """One that fails in a way that nobody foresaw."""

    name = "odd"

    async def tell(self, told: Told) -> None:
        raise RuntimeError(self._url)


async def test_a_sink_with_a_fault_ends_nothing_and_keeps_its_address_to_itself(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = Receiver()
    async with receiving(receiver):
        odd = Odd(receiver.url, "json", None)
        async with delivering(tmp_path, odd, quick(receiver)) as delivery:
            await add(delivery, 1)
            await receiver.until(1)
            await add(delivery, 2)
            await receiver.until(2)
            (trouble,) = delivery.troubles
    assert trouble.startswith("The odd could not be told: RuntimeError.")
    assert "s3cret" not in caplog.text + trouble


async def test_an_address_that_nothing_can_be_sent_to() -> None:
    with pytest.raises(NotTold, match=r"^The address in alerts\.webhook_url can't be used\.$"):
        await Webhook("http://xn--a/s3cret", "json", None).tell(told(1))


async def test_what_is_given_up_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    receiver = Receiver()
    async with receiving(receiver):
        pass
    folder = tmp_path / "webhook"
    folder.mkdir()
    for number in range(MOST_WAITING):
        (folder / f"{number + 1:012}.json").write_text("{}")
    delivery = Delivery([quick(receiver)], tmp_path)
    await delivery.add(told(1))
    assert "the oldest alert for the webhook was given up: 1000 newer ones wait" in caplog.text


def test_a_queue_is_bounded(tmp_path: Path) -> None:
    box = Outbox(tmp_path)
    for number in range(MOST_WAITING + 3):
        # what fsync costs is no matter here
        (tmp_path / f"{number + 1:012}.json").write_text("{}")
    box.add(told(1))
    assert (len(box), box.dropped) == (MOST_WAITING, 4)


@pytest.mark.parametrize("shape", ["json", "slack", "discord", "ntfy"])
async def test_the_shapes_and_the_signature(shape: str) -> None:
    receiver = Receiver()
    async with receiving(receiver):
        await Webhook(receiver.url, shape, "the key").tell(told(7))  # type: ignore[arg-type]
    ((headers, body),) = receiver.got
    assert headers[":request"] == "POST /hook/s3cret-path HTTP/1.1"
    signed = headers["x-utxoracle-timestamp"].encode() + b"." + body
    assert headers["x-utxoracle-signature"] == "sha256=" + hmac.new(b"the key", signed, hashlib.sha256).hexdigest()
    sentence = "▲ critical · pi (main): Bitcoin Core is down (7). <&>"
    if shape == "json":
        document = json.loads(body)
        assert {key: document[key] for key in ("event", "rule", "level", "message", "values", "host")} == {
            "event": "raised",
            "rule": "source",
            "level": "critical",
            "message": "Bitcoin Core is down (7). <&>",
            "values": {"source": "node"},
            "host": "pi",
        }
        assert document["time"] == "2026-11-23T12:00:07Z"
    elif shape == "slack":
        assert json.loads(body) == {"text": sentence.replace("<&>", "&lt;&amp;&gt;")}
    elif shape == "discord":
        assert json.loads(body) == {"content": sentence, "allowed_mentions": {"parse": []}}
    else:
        assert body.decode() == sentence
        assert (headers["title"], headers["priority"]) == ("utxoracle-tui: source raised", "5")


def test_without_a_key_nothing_is_signed() -> None:
    assert not [name for name in request_of(told(1), "json", None, TIME_S).headers if name.startswith("X-")]
