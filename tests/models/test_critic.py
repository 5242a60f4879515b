"""What every critic says of a description, whatever modality it is of."""

import math

import pytest
import torch

from mmgan.config import EMBEDDING_DIM, ModelConfig
from mmgan.models.critic import LOG_VARIANCE, Critic

ROWS, CAPTIONS, WIDTH = 3, 5, 8


class Plain(Critic):
    def __init__(self, config):
        super().__init__()
        self.add_heads(config, config.image)

    def features(self, x):
        return x


@pytest.fixture
def critic():
    torch.manual_seed(0)
    return Plain(ModelConfig(critic_features=WIDTH, latent_shared=4))


@pytest.fixture
def rows():
    draw = torch.Generator().manual_seed(1)
    captions = torch.nn.functional.normalize(torch.randn(CAPTIONS, EMBEDDING_DIM, generator=draw), dim=1)
    return torch.randn(ROWS, WIDTH, generator=draw), captions


def test_similarities_are_cosines_of_every_row_with_every_caption(critic, rows):
    features, captions = rows
    found = critic.similarity(features, captions)
    assert found.shape == (ROWS, CAPTIONS) and found.abs().max() <= 1 + 1e-6 and found.std() > 0.05
    torch.testing.assert_close(critic.similarity(7 * features, captions), found)
    own = critic.row_similarity(features, captions[:ROWS])
    torch.testing.assert_close(own, found.diagonal()[:ROWS])
    with torch.no_grad():  # both layers the same look: a row that is its caption's image lies beside it
        critic.beside_caption.weight.copy_(torch.eye(WIDTH))
    beside = critic.caption(captions * math.sqrt(EMBEDDING_DIM))
    torch.testing.assert_close(critic.similarity(beside, captions).diagonal(), torch.ones(CAPTIONS))


def test_a_score_is_a_look_at_the_row_and_its_product_with_the_caption(critic, rows):
    features, captions = rows
    score = critic.score(features, captions[:ROWS])
    assert score.shape == (ROWS,)
    torch.testing.assert_close(critic.score(features, torch.zeros(ROWS, EMBEDDING_DIM)), critic.real(features)[:, 0])
    product = (critic.caption(captions[:ROWS] * math.sqrt(EMBEDDING_DIM)) * features).sum(1)
    torch.testing.assert_close(score - critic.real(features)[:, 0], product / math.sqrt(WIDTH))


def test_latents_that_are_read_back_are_never_too_sure(critic, rows):
    mean, log_variance = critic.latents(1e4 * rows[0])
    assert mean.shape == log_variance.shape == (ROWS, 4 + ModelConfig().image.latent)
    assert mean.abs().max() > 10 and log_variance.abs().max() <= LOG_VARIANCE
    assert log_variance.min() < -0.9 * LOG_VARIANCE and log_variance.max() > 0.9 * LOG_VARIANCE
    small = critic.latents(1e-3 * rows[0])
    both = torch.cat(small, 1)
    torch.testing.assert_close(both, critic.posterior(1e-3 * rows[0]), rtol=1e-3, atol=1e-6)
