"""The program's own log: one file for all of its processes, an entry a line, without secrets."""
