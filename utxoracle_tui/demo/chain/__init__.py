"""Generated Bitcoin chains: really serialised, hash-linked and mined blocks that pay at a known price.

The same spec gives the same bytes on any machine. The price is in nothing but the amounts paid, so whoever
wants to know it has to find it there.
"""

from utxoracle_tui.demo.chain.builder import ChainSpec, GeneratedBlock, blocks, write_folder
from utxoracle_tui.demo.chain.economy import Mix
from utxoracle_tui.demo.chain.prices import Constant, Linear, PricePath, Walk
from utxoracle_tui.demo.chain.times import Every, MainnetTimes, day_times, midnight_s

__all__ = [
    "ChainSpec",
    "Constant",
    "Every",
    "GeneratedBlock",
    "Linear",
    "MainnetTimes",
    "Mix",
    "PricePath",
    "Walk",
    "blocks",
    "day_times",
    "midnight_s",
    "write_folder",
]
