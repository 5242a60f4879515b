"""mmgan: one sentence gives a picture and a sound that belong together."""

import getpass
import os

__version__ = "0.1.0"
__all__ = ["Pipeline", "TextEncoder", "__version__"]


def __getattr__(name: str):
    # Lazy, so that `import mmgan` costs nothing and needs neither torch nor the network.
    if name == "Pipeline":
        from .sampling.pipeline import Pipeline

        return Pipeline
    if name == "TextEncoder":
        from .text.encoder import TextEncoder

        return TextEncoder
    raise AttributeError(f"module 'mmgan' has no attribute {name!r}")


def _place_torchs_cache() -> None:
    """torch names its cache after the user, and fails for one without a name, as there are in containers."""
    try:
        getpass.getuser()
    except (KeyError, OSError):  # OSError from Python 3.13 on
        import tempfile

        folder = os.path.join(tempfile.gettempdir(), f"torchinductor_{os.getuid()}")
        os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", folder)


_place_torchs_cache()
