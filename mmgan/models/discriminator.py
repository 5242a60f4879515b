"""A discriminator for each modality, the joint critic that judges what belongs together, and twin critics for variety.

The joint critic reads the descriptions of all modalities and the caption; a twin critic reads two descriptions of one.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from ..config import EMBEDDING_DIM, ModelConfig
from .critic import Critic
from .layers import MLP, linear, standard
from .modalities import MODALITIES

__all__ = ["Critic", "Discriminators"]


class Discriminators(nn.Module):
    """The critics of all modalities, the joint critic and the twin critics, for one optimiser."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        width = config.critic_features
        for name, section in config.modalities.items():
            self.add_module(name, MODALITIES[name].critic(config, section))
        self.joint = MLP((len(config.modalities) + 1) * width, width, 1)
        for name in config.modalities:
            self.add_module(f"{name}_twins", MLP(3 * width, width, 1))
        self.joint_caption = linear(EMBEDDING_DIM, width, bias=False)

    def critics(self) -> dict[str, Critic]:
        """Each modality's own critic by name."""
        return {name: getattr(self, name) for name in self.config.modalities}

    def features(self, rows: dict[str, Tensor]) -> dict[str, Tensor]:
        """Rows by modality -> their descriptions, each [B, F]."""
        return {name: getattr(self, name).features(x) for name, x in rows.items()}

    def joint_score(self, features: dict[str, Tensor], embedding: Tensor) -> Tensor:
        """Do these rows and this caption belong together, and are they real? -> [B]."""
        seen = [features[name] for name in self.config.modalities]
        return self.joint(torch.cat([*seen, self.joint_caption(standard(embedding))], dim=1)).squeeze(1)

    def twin_scores(self, features: dict[str, Tensor], embedding: Tensor) -> dict[str, Tensor]:
        """Are rows 0 and 1, 2 and 3, ... two real ones? -> [B] by modality, the same for both twins.

        Two samples of one concept judged together (PacGAN, Lin et al. 2018): a generator that always makes its best
        seven is found out at once, while a critic that sees one at a time does not mind.
        """
        other = torch.arange(len(embedding), device=embedding.device) ^ 1
        caption = self.joint_caption(standard(embedding))
        caption = (caption + caption[other]) / math.sqrt(2)
        scores = {}
        for name, description in features.items():
            twin = description[other]
            seen = torch.cat([(description + twin) / math.sqrt(2), (description - twin).abs(), caption], dim=1)
            scores[name] = getattr(self, f"{name}_twins")(seen).squeeze(1)
        return scores
