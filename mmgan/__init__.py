"""mmgan: one sentence gives a picture and a sound that belong together."""

__version__ = "0.1.0"
__all__ = ["Pipeline", "TextEncoder", "__version__"]


def __getattr__(name: str):
    # Lazy, so that `import mmgan` costs nothing and needs neither torch nor the network.
    if name == "Pipeline":
        from .pipeline import Pipeline

        return Pipeline
    if name == "TextEncoder":
        from .text import TextEncoder

        return TextEncoder
    raise AttributeError(f"module 'mmgan' has no attribute {name!r}")
