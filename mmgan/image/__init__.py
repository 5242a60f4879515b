"""Pictures: arrays <-> decoded pictures, as the networks see them."""
