"""Prompts: their embedding, which words mattered, and whether a model knows such prompts."""
