"""A simulated node host on loopback: the real protocols over real sockets, on a generated chain."""
