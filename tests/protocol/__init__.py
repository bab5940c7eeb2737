"""Clients against real sockets: recorded replies, and servers that misbehave."""
