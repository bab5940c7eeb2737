"""Orders the work: which blocks, digested where, priced when. Knows nothing of screens."""
