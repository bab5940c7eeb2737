"""What the price chart shows: series of a span of time, what they say, and how they are thinned to columns."""
