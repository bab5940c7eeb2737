"""The UTXOracle v9.1 price method: raw block bytes in, a window price out.

Pure and usable without the console. Blocks are digested one by one (`digest_block`), digests are put together
into a window (`assemble`), and the window is priced (`price_window`). Which blocks a day or a block window is made
of is found from header times alone (`select_day`, `select_last`).

Besides, a price for every block, by rules of its own (`block_prices`, `BlockPriceRun`).
"""

from utxoracle_core.block_ladder import Contender
from utxoracle_core.block_price import (
    BLOCK_METHOD,
    RUN_BLOCKS,
    STALE_AFTER_S,
    BlockPricer,
    BlockPriceRun,
    BlockReading,
    Gap,
    RunEnd,
    block_prices,
    gap_at,
    reading_age_s,
)
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
    "BLOCK_METHOD",
    "METHOD",
    "RUN_BLOCKS",
    "STALE_AFTER_S",
    "BlockDigest",
    "BlockError",
    "BlockPriceRun",
    "BlockPricer",
    "BlockReading",
    "Contender",
    "DaySelection",
    "DigestError",
    "Gap",
    "HeightRange",
    "MissingHeaderTime",
    "Outcome",
    "RunEnd",
    "UTXOracleCalculator",
    "WindowOutputs",
    "WindowPrice",
    "WindowRefused",
    "assemble",
    "block_prices",
    "digest_block",
    "digest_from_bytes",
    "digest_to_bytes",
    "gap_at",
    "price_window",
    "reading_age_s",
    "select_day",
    "select_last",
]
