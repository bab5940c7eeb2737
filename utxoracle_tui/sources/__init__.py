"""Where blocks and readings come from, one client a protocol or format."""
