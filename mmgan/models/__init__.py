"""Generator, discriminators, and the layers they share, loaded on first use: a model's config is read without torch."""

from importlib import import_module

_PLACES = {"Critic": "discriminator", "Discriminators": "discriminator", "Generator": "generator"}
__all__ = ["Critic", "Discriminators", "Generator"]


def __getattr__(name: str):
    if name in _PLACES:
        return getattr(import_module(f".{_PLACES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
