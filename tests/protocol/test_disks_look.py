"""Which file systems hold what, of folders that are there, and of folders that are not."""

from __future__ import annotations

from pathlib import Path

from utxoracle_tui.engine.stack.disks import DisksEye
from utxoracle_tui.engine.stack.reading import Heard
from utxoracle_tui.sources.host import Host


async def test_folders_that_are_not_there_yet_lie_where_the_one_above_does(tmp_path: Path) -> None:
    folders = {
        "node": tmp_path / "bitcoin" / "blocks",
        "electrs": tmp_path / "electrs",
        "blocks": tmp_path / "bitcoin" / "blocks",
        "console": tmp_path,
    }
    heard = await DisksEye(folders, Host()).look(Heard())
    assert heard.trouble is None
    assert heard.detail is not None
    assert heard.detail.troubles == ()
    (disk,) = heard.detail.disks
    assert sorted(disk.holds) == ["blocks", "console", "electrs", "node"]
