"""The digits: handwriting and voices."""
