"""A simulated node host, for trying the console and for its tests."""
