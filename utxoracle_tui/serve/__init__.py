"""What is served to other programs."""
