"""Measurements of speed; ``python -m tests.benchmarks`` runs them, pytest only checks that they work."""
