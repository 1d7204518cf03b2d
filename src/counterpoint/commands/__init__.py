"""One verb a file: its options, and `run(words)`, which returns an exit code (None for 0)."""
