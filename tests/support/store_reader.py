"""A process that reads a store over and over, and fails at the first state that nobody wrote.

`python -m tests.support.store_reader FOLDER`; ends when its stdin does, and says how often it read.
"""

from __future__ import annotations

import select
import sys
from pathlib import Path

from tests.support.records import START_S, observation
from utxoracle_tui.store.store import Store


def main() -> None:
    """Read until told to stop."""
    store = Store(Path(sys.argv[1]), "main")
    reads = most = 0
    while not select.select([sys.stdin], [], [], 0)[0]:
        found = store.observations.between(0, 2e9)
        keys = [record.key for record in found]
        assert len(set(keys)) == len(keys), "a record was seen twice"
        assert len(found) >= most, f"{most} records were there, and now {len(found)}"
        for record in found[:: max(len(found) // 50, 1)]:
            number = int(record.key.rpartition("-")[2], 16)
            assert record == observation(number, START_S + number % 2 * 86_400 + number * 0.01)
        assert not store.notices.all(), store.notices.all()
        most = len(found)
        reads += 1
    sys.stdout.write(f"{reads} {most}\n")


if __name__ == "__main__":
    main()
