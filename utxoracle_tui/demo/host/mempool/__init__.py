"""The simulated mempool backend: its exchange price, its view of the chain, and its odd replies."""
