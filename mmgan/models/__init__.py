"""Generator, discriminators, and the layers they share."""

from .discriminator import Critic, Discriminators
from .generator import Generator

__all__ = ["Critic", "Discriminators", "Generator"]
