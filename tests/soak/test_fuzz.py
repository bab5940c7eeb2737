"""A hundred thousand damaged blocks: each ends in the typed error or in a result, soon, and alike in every scanner.

By hand: `pytest -m soak tests/soak/test_fuzz.py`. Blocks are cut from real ones and are small, so that most of the
damage hits something that counts.
"""

from __future__ import annotations

import faulthandler
import random
import resource
from collections import Counter
from collections.abc import Iterator
from functools import cache

import pytest

from tests.support.chain_folder import block_files, height_in_name
from tests.support.mutations import Damage, cut_small, sound_pieces
from tests.support.parity_checks import FIXTURES
from tests.support.scanners import SCANNER_NAMES, scanner_named
from tests.support.second_opinion import assert_read_alike
from utxoracle_core import BlockDigest, BlockError, digest_block
from utxoracle_core.coinbase import read_height
from utxoracle_core.scan import Scanner

MUTATIONS = 100_000
SHARDS = 20
WHOLE_BLOCK_MUTATIONS = 300
HANG_S = 60
"""No block takes a thousandth of this; it is for the traceback of what hangs."""


@cache
def scans() -> dict[str, Scanner]:
    return {name: scanner_named(name) for name in SCANNER_NAMES}


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """Ends the process with a traceback when one shard makes no progress at all."""
    yield
    faulthandler.cancel_dump_traceback_later()


def digest_or_kind(raw: bytes, height: int, scan: Scanner) -> BlockDigest | tuple[str, int]:
    try:
        return digest_block(raw, height, check_witness=True, scan=scan)
    except BlockError as error:
        assert error.block == str(height)
        assert error.expected
        return error.kind, error.offset_bytes


@pytest.mark.soak
@pytest.mark.parametrize("shard", range(SHARDS))
def test_damaged_small_blocks(shard: int) -> None:
    draw = random.Random(f"fuzz {shard}")
    paths = sorted(block_files(FIXTURES / "mainnet").values())
    path = paths[shard % len(paths)]
    (piece,) = sound_pieces([path.read_bytes()])
    ends: Counter[str | None] = Counter()
    for _ in range(MUTATIONS // SHARDS // 50):
        raw = cut_small(*piece, draw, draw.choice((600, 2_000, 8_000)))
        assert assert_read_alike(raw, scans()) is None
        damage = Damage(raw, draw)
        for _ in range(50):
            damaged = damage.one()
            faulthandler.dump_traceback_later(HANG_S, exit=True)
            kind = assert_read_alike(damaged, scans())
            ends[kind] += 1
            # the whole check ends in one of the two ways as well; the header no longer fits, so never in a digest
            found = {name: digest_or_kind(damaged, height_in_name(path.name), scan) for name, scan in scans().items()}
            kinds = set(found.values())
            assert len(kinds) == 1, found
            assert isinstance(kinds.pop(), tuple)
            try:
                read_height(damaged)
            except BlockError as error:
                assert 0 <= error.offset_bytes <= len(damaged) + 36
    assert sum(ends.values()) == MUTATIONS // SHARDS
    assert set(ends) >= {None, "truncated", "encoding", "trailing", "coinbase", "empty"}


@pytest.mark.soak
def test_damaged_whole_blocks() -> None:
    draw = random.Random("whole")
    for path in block_files(FIXTURES / "mainnet").values():
        raw, height = path.read_bytes(), height_in_name(path.name)
        damage = Damage(raw, draw)
        for _ in range(WHOLE_BLOCK_MUTATIONS // 5):
            damaged = damage.one()
            faulthandler.dump_traceback_later(HANG_S, exit=True)
            kinds = {str(digest_or_kind(damaged, height, scan)) for scan in scans().values()}
            assert len(kinds) == 1


@pytest.mark.soak
def test_memory_stays_where_it_was() -> None:
    """Counts that announce everything under the sun allocate nothing of the kind."""
    draw = random.Random("memory")
    (path,) = (path for path in block_files(FIXTURES / "mainnet").values() if path.name.startswith("553724"))
    piece = sound_pieces([path.read_bytes()])[0]
    damage = Damage(cut_small(*piece, draw, 8_000), draw)
    for _ in range(200):
        assert_read_alike(damage.one(), scans())
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(2_000):
        assert_read_alike(damage.one(), scans())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 20_000
