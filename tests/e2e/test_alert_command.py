"""`utxoracle-tui alert` as an operator runs it."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sys
from pathlib import Path

from tests.support.receiver import Receiver, receiving
from utxoracle_tui.store.records import Alert
from utxoracle_tui.store.store import Store


async def run(folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    environment = {name: value for name, value in os.environ.items() if "ALERT" not in name}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "utxoracle_tui", "--data-dir", str(folder), "alert", *arguments),
        env={**environment, "XDG_CONFIG_HOME": str(folder), **variables},
        cwd=folder,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_test_reaches_the_webhook_signed_and_the_command(tmp_path: Path) -> None:
    receiver = Receiver()
    heard = tmp_path / "heard.json"
    async with receiving(receiver):
        variables = {
            "ALERT_WEBHOOK_URL": receiver.url,
            "UTXORACLE_TUI_ALERTS_SECRET": "a key of one's own",
            "UTXORACLE_TUI_ALERTS_COMMAND": f"tee {heard}",
        }
        code, out, err = await run(tmp_path, "test", **variables)
    assert (code, out, err) == (0, "webhook: told\ncommand: told\n", "")
    ((headers, body),) = receiver.got
    signed = f"{headers['x-utxoracle-timestamp']}.".encode() + body
    expected = hmac.new(b"a key of one's own", signed, hashlib.sha256).hexdigest()
    assert headers["x-utxoracle-signature"] == f"sha256={expected}"
    assert json.loads(body)["event"] == "test"
    assert json.loads(heard.read_text())["message"] == "This is a test: alerts of utxoracle-tui reach you."


async def test_one_that_is_not_reached_is_said_without_its_address(tmp_path: Path) -> None:
    receiver = Receiver()
    async with receiving(receiver):
        pass
    code, out, _ = await run(tmp_path, "test", "--json", ALERT_WEBHOOK_URL=receiver.url)
    (sink,) = json.loads(out)["sinks"].items()
    assert code == 1
    assert sink == (
        "webhook",
        {"told": False, "error": f"The webhook at 127.0.0.1:{receiver.port} refuses the connection."},
    )


async def test_nobody_to_be_told(tmp_path: Path) -> None:
    code, _, err = await run(tmp_path, "test")
    assert code == 2
    assert err.startswith("utxoracle-tui: Nobody is told of alerts: set alerts.webhook_url or alerts.command")


async def test_listed_acknowledged_and_snoozed(tmp_path: Path) -> None:
    def alert(key: str, **more: float) -> Alert:
        return Alert(key=key, time_s=1_795_435_200.0, rule="disk", level="critical", message=f"{key}!", **more)  # type: ignore[arg-type]

    store = Store(tmp_path, "main")
    store.alerts.put([alert("disk./mnt/hdd.1795435200"), alert("disk./.1795435200", resolved_s=1_795_436_000.0)])
    code, out, _ = await run(tmp_path, "list")
    assert code == 0
    assert out.splitlines() == [
        "2026-11-23 12:00  OPEN          critical disk./mnt/hdd.1795435200!",
        "    disk./mnt/hdd.1795435200",
        "2026-11-23 12:00  over          critical disk./.1795435200!",
    ]
    code, out, _ = await run(tmp_path, "ack", "disk./mnt/hdd.1795435200")
    assert (code, out) == (0, "acknowledged: disk./mnt/hdd.1795435200!\n")
    assert store.alerts.newest(2)[0].acknowledged_s or store.alerts.newest(2)[1].acknowledged_s
    code, out, err = await run(tmp_path, "snooze", "disk./.1795435200")
    assert (code, out) == (2, "")
    assert "No alert disk./.1795435200 is open" in err
    # what no calendar has would have the list fail for ever
    for minutes in ("nan", "1e12"):
        code, _, err = await run(tmp_path, "snooze", "disk./mnt/hdd.1795435200", "--minutes", minutes)
        assert code == 2
        assert "--minutes takes a number above 0, and at most 10,080 (a week)" in err
