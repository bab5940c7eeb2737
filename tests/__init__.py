"""The tests: unit, screens, end to end, soak runs, and benches that are started as modules."""
