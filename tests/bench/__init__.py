"""Checks and measurements that are started as modules: `python -m tests.bench.NAME`."""
