"""A training run as a folder and a process; nothing here needs torch."""
