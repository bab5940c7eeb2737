"""What is misconfigured in the stack: a look at it goes in, findings come out; one module for each matter."""
