"""`python -m utxoracle_tui`: the same as the command `utxoracle-tui`."""

from utxoracle_tui.cli import entry

if __name__ == "__main__":
    entry()
