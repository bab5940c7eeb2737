"""Watching the whole stack: node, electrs, mempool backend, exchange price, containers and disks, each by itself."""
