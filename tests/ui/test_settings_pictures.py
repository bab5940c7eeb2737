"""Pictures of the settings at the sizes that terminals have."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from tests.ui.test_dashboard_pictures import Shown, _still_clock, console  # noqa: F401  (a fixture)
from tests.ui.test_window_detail_pictures import SIZES, SnapCompare
from utxoracle_tui.config.changing import SettingsPlace, SettingsRead
from utxoracle_tui.config.inputs import Flags
from utxoracle_tui.config.load import Loaded
from utxoracle_tui.config.provenance import DEFAULT, Origin, Source, Value
from utxoracle_tui.config.redaction import Secret
from utxoracle_tui.config.schema import schema
from utxoracle_tui.config.settings import Settings
from utxoracle_tui.ui import settings_words
from utxoracle_tui.ui.node_console import NodeConsole
from utxoracle_tui.ui.screens.settings import SettingRows

FILE = Path("/home/op/.config/utxoracle-tui/config.toml")
SECTIONS = {"node", "mempool", "electrs", "containers", "price"}
STARTED = Loaded(
    Settings(), {key: Value(setting.default, DEFAULT) for key, setting in schema().items()}, notes=(), node_files=None
)
GIVEN = {
    "node.url": Value("http://127.0.0.1:8332", Origin(Source.BITCOIN_CONF, "/home/op/.bitcoin/bitcoin.conf", 4)),
    "node.user": Value("console", Origin(Source.FILE, str(FILE), 3)),
    "node.password": Value(Secret("never to be seen"), Origin(Source.FILE, str(FILE), 4)),
    "node.max_in_flight": Value(8, Origin(Source.FILE, str(FILE), 6)),
    "node.datadir": Value(Path("/srv/bitcoin"), Origin(Source.ENVIRONMENT, "BITCOIN_DATADIR")),
    "mempool.api_url": Value("http://10.0.0.2:8999", Origin(Source.DOTENV, "/srv/stack/.env", 7)),
}


class StillPlace(SettingsPlace):
    """Settings that are as they are."""

    def read(self, before: Loaded | None = None) -> SettingsRead:
        in_file = {key: value.origin for key, value in GIVEN.items() if value.origin.source is Source.FILE}
        in_file["node.datadir"] = Origin(Source.FILE, str(FILE), 5)
        return SettingsRead(replace(STARTED, values={**STARTED.values, **GIVEN}), in_file)


def shown() -> NodeConsole:
    app = console(Shown())
    return NodeConsole(replace(app.parts, settings=StillPlace(Flags(FILE), {}, Path("/"), STARTED)))


def down(rows: int) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def run(pilot: Pilot[None]) -> None:
        pilot.app.animation_level = "none"
        await pilot.press("O")
        while not any(table.row is not None for table in pilot.app.screen.query(SettingRows)):
            await pilot.pause(0.01)
        await pilot.press(*["j"] * rows)
        for _ in range(3):
            await pilot.pause()

    return run


@pytest.fixture(autouse=True)
def _some_sections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new setting elsewhere changes no picture."""
    some = {key: setting for key, setting in schema().items() if setting.section in SECTIONS}
    monkeypatch.setattr(settings_words, "schema", lambda: some)


@pytest.mark.parametrize(("size", "key"), zip(SIZES, ("node.max_in_flight", "node.datadir"), strict=True))
def test_settings(snap_compare: SnapCompare, size: tuple[int, int], key: str) -> None:
    """One that counts from the next start, and one that something stronger decides."""
    assert snap_compare(shown(), terminal_size=size, run_before=down(list(schema()).index(key)))
