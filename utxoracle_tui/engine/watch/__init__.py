"""The engine without a screen: what `utxoracle-tui watch` runs, and how others see that it runs."""
