"""The logs of the program and of the stack, read as they are written, and merged by time."""
