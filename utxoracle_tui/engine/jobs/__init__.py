"""Persistent work over many windows: what is asked for, worked off, watched and steered."""
