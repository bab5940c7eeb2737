"""A terminal console for people who run a Bitcoin node."""

__version__ = "0.1.0"
