"""What a fine-tuning is made of: a base in other colours, frozen layers, and what captions forbid."""

import io

import numpy as np
import pytest
import torch
from PIL import Image
from small import MODEL
from test_finetune import base, encoder  # noqa: F401 (fixtures)

from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.models.modalities.augment import Allowed, Plan, augment_image, augment_mel
from mmgan.projects.projects import Projects
from mmgan.training.finetune import command as finetune
from mmgan.training.finetune.caption_rules import allowed_by, notes
from mmgan.training.warm_start import fit, freeze_early, load_base


def test_a_grey_base_makes_and_judges_the_same_in_colour(base):  # noqa: F811
    model = Model.from_pretrained(base, with_discriminators=True)
    fitted = fit(model, 3)
    colour, critics = Generator(fitted.config).eval(), Discriminators(fitted.config).eval()
    colour.load_state_dict(fitted.generator), critics.load_state_dict(fitted.critics)
    embedding = torch.nn.functional.normalize(torch.randn(4, 384), dim=1)
    latents = torch.randn(4, MODEL.latent_dim)
    with torch.no_grad():
        in_grey, in_colour = model.generator(embedding, latents), colour(embedding, latents)
        grey, rgb = in_grey["image"], in_colour["image"]
        torch.testing.assert_close(rgb, grey.expand(-1, 3, -1, -1))
        torch.testing.assert_close(in_grey["audio"], in_colour["audio"])
        torch.testing.assert_close(critics.image.features(rgb), model.discriminators.image.features(grey))
    assert fit(model, 1).config == MODEL and not fit(model, 1).notes
    model.generator, model.discriminators = colour, critics
    back = fit(model, 1)  # and grey again, as it was
    assert back.config == MODEL
    for name, value in Model.from_pretrained(base).generator.state_dict().items():
        torch.testing.assert_close(back.generator[name], value)
    for name, value in Model.from_pretrained(base, with_discriminators=True).discriminators.state_dict().items():
        torch.testing.assert_close(back.critics[name], value)


def test_a_base_without_critics_and_larger_pictures_are_said(tmp_path):
    Model(Generator(MODEL), None, {"name": "bare"}).save_pretrained(tmp_path / "bare")
    big = Projects(tmp_path / "p").create("big")
    noise = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)).save(noise, "PNG")
    big.add_recordings({"x.png": noise.getvalue()}, "noise")
    loaded = load_base(str(tmp_path / "bare"), finetune.load_own(str(big.folder))[0])
    assert loaded.critics is None and any("without its critics" in str(note) for note in loaded.notes)
    assert any("16 x 16" in str(note) for note in loaded.notes)


def test_early_critic_layers_stay_and_the_rest_learns():
    critics = Discriminators(MODEL)
    frozen = freeze_early(critics)
    still = [name for name, p in critics.named_parameters() if not p.requires_grad]
    assert len(still) == frozen and {name.split(".")[1] for name in still} == {"stem", "stages"}
    assert critics.image.stages[-1].convs[0].weight.requires_grad and critics.joint.out.weight.requires_grad


@pytest.mark.parametrize(
    ("captions", "expected"),
    [
        (["a dog", "a cat"], Allowed(flip=True)),
        (["a red dog", "a cat"], Allowed(flip=True, colour=False)),
        (["一只红色的狗"], Allowed(flip=True, colour=False)),
        (["a handwritten seven"], Allowed()),
        (["sign 7"], Allowed()),
        (["a dog on the left"], Allowed(place=False)),
        (["a loud high bell"], Allowed(flip=True, gain=False, pitch=False)),
        (["Tired children"], Allowed(flip=True)),
    ],
)
def test_captions_limit_augmentation(captions, expected):
    assert allowed_by(captions, colour_pictures=True) == expected
    assert not allowed_by(captions, colour_pictures=False).flip
    assert (notes(expected) == []) == (expected.colour and expected.place and expected.gain and expected.pitch)


def test_what_is_not_allowed_does_not_happen():
    image, mel = torch.randn(64, 3, 16, 16), torch.rand(64, 64, 16)
    plan = Plan.draw(64, torch.Generator().manual_seed(0))
    kept = augment_image(image, plan, 0.8, Allowed(colour=False, place=False))
    changed = (kept != image).flatten(1).float().mean(1)
    assert changed.max() < 0.2 and (kept[kept != image] == 0).all()  # blanked squares only
    flipped = augment_image(image, plan, 0.0, Allowed(flip=True))
    mirrored = (flipped == image.flip(3)).flatten(1).all(1)
    assert 20 < mirrored.sum() < 44 and ((flipped == image).flatten(1).all(1) | mirrored).all()
    assert torch.equal(augment_image(image, plan, 0.0), image)
    quiet = augment_mel(mel, plan, 0.8, Allowed(gain=False, pitch=False))
    assert set(quiet.unique().tolist()) <= {*mel.unique().tolist(), -1.0}  # moved in time or blanked
