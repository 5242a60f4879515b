"""The shapes: drawn and synthesised by a stated rule."""
