"""The simulated electrs: its index on disk, its log, its metrics, and what it serves once it is ready."""
