"""The UTXOracle v9.1 price method: raw block bytes in, a window price out.

Pure and usable without the console. Blocks are digested one by one (`digest_block`), digests are put together
into a window (`assemble`), and the window is priced (`price_window`). Which blocks a day or a block window is made
of is found from header times alone (`select_day`, `select_last`).
"""

from utxoracle_core.compat import UTXOracleCalculator
from utxoracle_core.digest import BlockDigest, digest_block, digest_from_bytes, digest_to_bytes
from utxoracle_core.errors import BlockError, DigestError
from utxoracle_core.price import METHOD, Outcome, WindowPrice, price_window
from utxoracle_core.selection import (
    DaySelection,
    HeightRange,
    MissingHeaderTime,
    WindowRefused,
    select_day,
    select_last,
)
from utxoracle_core.window import WindowOutputs, assemble

__all__ = [
    "METHOD",
    "BlockDigest",
    "BlockError",
    "DaySelection",
    "DigestError",
    "HeightRange",
    "MissingHeaderTime",
    "Outcome",
    "UTXOracleCalculator",
    "WindowOutputs",
    "WindowPrice",
    "WindowRefused",
    "assemble",
    "digest_block",
    "digest_from_bytes",
    "digest_to_bytes",
    "price_window",
    "select_day",
    "select_last",
]
