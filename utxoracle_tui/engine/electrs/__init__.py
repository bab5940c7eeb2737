"""Where electrs is in its first sync: readings in, state out, and the watcher that gathers the readings."""
