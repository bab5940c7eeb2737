"""The console: shows what the engine knows, and asks it for work."""
