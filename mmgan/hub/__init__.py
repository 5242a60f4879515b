"""Folders of settings and weights: here, and on the Hugging Face Hub."""
