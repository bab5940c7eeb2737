"""What several tests lean on. What the core is judged by in here shares no code with it."""
