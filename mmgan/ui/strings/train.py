"""The Train tab's texts: key -> (English, Simplified Chinese)."""

TEXTS: dict[str, tuple[str, str]] = {}
