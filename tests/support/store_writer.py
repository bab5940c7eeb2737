"""A process that writes observations into a store and says on stdout which ones are acknowledged.

`python -m tests.support.store_writer FOLDER FIRST COUNT`
"""

from __future__ import annotations

import sys
from pathlib import Path

from tests.support.records import START_S, observation
from utxoracle_tui.store.store import Store


def main() -> None:
    """Write, one at a time."""
    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    store = Store(folder, "main")
    for number in range(first, first + count):
        # two days, so that parts fill up and get neighbours
        store.observations.insert(observation(number, START_S + number % 2 * 86_400 + number * 0.01))
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
