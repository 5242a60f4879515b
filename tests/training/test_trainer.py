"""One step, however it is cut up, and what it does when something is missing or wrong."""

import copy
import dataclasses

import pytest
import torch
from small import Blobs, Encoder, config

from mmgan.config import EMBEDDING_DIM, LOSS_NAMES
from mmgan.errors import TrainingError
from mmgan.training.game import Scores, Slice
from mmgan.training.terms import CaptionMargin, CaptionMean, Reconstruction, TwinSpread
from mmgan.training.trainer import Trainer


def trainer(missing: str = "", **changes) -> Trainer:
    return Trainer(config(**changes), Blobs(missing), Encoder())


def weights(module: torch.nn.Module) -> torch.Tensor:
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


@pytest.mark.parametrize("loss", LOSS_NAMES)
def test_every_loss_trains_both_networks(loss):
    t = trainer(loss=loss, penalty_interval=1)
    before = weights(t.generator), weights(t.discriminators)
    terms = [t.step() for _ in range(2)][-1]
    assert "penalty" in terms and all(torch.isfinite(torch.tensor(v)) for v in terms.values())
    assert not torch.equal(before[0], weights(t.generator)) and not torch.equal(before[1], weights(t.discriminators))


def at(t: Trainer, part, counts=None, **known) -> Slice:
    """A slice of which a term looks at what is ``known``."""
    nothing = torch.zeros(len(part), EMBEDDING_DIM)
    codes = torch.zeros(len(part), t.config.model.latent_dim)
    given = {"captions": nothing, "caption": nothing, "wrong_caption": nothing, "latents": codes, "noise": codes}
    counts = counts or {name: torch.ones(len(part)) for name in t.game.counts(part)}
    return Slice(part, part, slice(0, len(part)), **(given | {"between": codes[:, 0], "counts": counts} | known))


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_optimizers(optimizer):
    t = trainer(optimizer=optimizer)
    before = weights(t.generator)
    t.step()
    assert not torch.equal(before, weights(t.generator))


def test_training_teaches_the_critics_to_tell_captions_apart():
    t = trainer(steps=60)
    first = t.step()["contrastive"]
    last = [t.step()["contrastive"] for _ in range(60)][-1]
    assert last < first / 2


def test_a_caption_margin_parts_the_styles_of_captions_that_lie_close_and_leaves_the_others():
    torch.manual_seed(0)
    t = trainer()
    size, part = EMBEDDING_DIM, t.loader.batch(0).slice(0, 8)
    caption = torch.nn.functional.normalize(torch.randn(8, size), dim=1)
    close = torch.nn.functional.normalize(caption + 0.04 * torch.randn(8, size) / size**0.5, dim=1)
    latents = torch.randn(8, t.config.model.latent_dim)

    def margin(wrong):
        return CaptionMargin().value(t.game, at(t, part, caption=caption, wrong_caption=wrong, latents=latents))

    others, before = margin(caption.flip(0)), margin(close)
    assert others == 0 and before > 1.0  # of 2, were the captions the same
    optimizer = torch.optim.Adam(t.generator.mapping.parameters(), lr=7e-4)
    for _ in range(300):
        optimizer.zero_grad()
        loss = margin(close)
        loss.backward()
        optimizer.step()
    assert loss < before / 4


def test_the_mean_of_what_is_generated_moves_to_the_mean_of_what_is_real_without_bias():
    torch.manual_seed(0)
    t = trainer()
    part = t.loader.batch(0)
    image, mel, spread = part.rows["image"], part.rows["audio"], t.game.spreads["image"]

    def mean(image, counts=None, **captions):
        return CaptionMean().value(t.game, at(t, part, counts, generated={"image": image, "audio": mel}, **captions))

    assert mean(image) == 0
    noise = torch.randn(200, *image.shape) * 0.1  # as different as rows of one caption may be
    same = [mean(image + n) for n in noise]
    assert torch.stack(same).mean().abs() < 0.01 * noise[0].square().sum() / spread / len(part)
    darker = mean(image - 0.1)
    torch.testing.assert_close(darker, torch.tensor(0.01 * image[0].numel() / spread))
    counts = {name: torch.ones(len(part)) for name in t.game.counts(part)} | {"image_twins": torch.zeros(len(part))}
    assert mean(image - 0.1, counts) == 0  # rows without a twin say nothing
    far = mean(image - 0.1, wrong_caption=torch.full((len(part), EMBEDDING_DIM), 0.1))
    torch.testing.assert_close(far, darker / 4)  # captions that cannot be mistaken for each other count less


def test_samples_of_one_caption_are_to_differ_as_its_files_do_and_no_more():
    t = trainer(twin_spread_weight=1.0)
    part = t.loader.batch(0)
    counts = t.game.counts(part)

    def spread(rows, counts=counts):
        return TwinSpread().value(t.game, at(t, part, counts, generated=rows))

    alike = {name: rows.mean(0, keepdim=True).expand_as(rows) for name, rows in part.rows.items()}
    found = [spread(alike), spread(part.rows), spread({name: 9 * rows for name, rows in part.rows.items()})]
    twins = counts["image_twins"].mean() + counts["audio_twins"].mean()
    assert found[0] == pytest.approx(float(twins), rel=0.01) and found[0] > found[1] > found[2]
    alone = {name: torch.zeros_like(count) if "twins" in name else count for name, count in counts.items()}
    assert spread(alike, alone) == 0  # no twins
    assert trainer().game.twin_spreads == {"image": 0.0, "audio": 0.0}
    t.game.twin_spreads = {"image": 0.0, "audio": 0.0}  # as where no caption has two files
    assert t.step()["twin_spread"] == 0


@pytest.mark.parametrize("setting", ["caption_mean_weight", "caption_margin_weight", "twin_spread_weight"])
def test_a_wish_to_the_generator_alone_changes_it(setting):
    class Alike(Encoder):  # captions as near to each other as those of the same words
        def encode(self, prompts):
            return torch.nn.functional.normalize(torch.ones(384) + 0.02 * super().encode(prompts), dim=1)

    plain, wishing = (Trainer(config(**changes), Blobs(), Alike()) for changes in ({}, {setting: 5.0}))
    for t in (plain, wishing):
        t.step()
    assert not torch.equal(weights(plain.generator), weights(wishing.generator))
    assert torch.equal(weights(plain.discriminators), weights(wishing.discriminators))


def test_accumulated_slices_give_the_step_of_the_whole_batch():
    whole, cut = trainer(penalty_interval=1), trainer(penalty_interval=1, accumulate=4)
    for _ in range(3):
        a, b = ({k: v for k, v in t.step().items() if "sign" not in k} for t in (whole, cut))
        assert a == pytest.approx(b, abs=1e-3)
    # Adam divides by the gradient's size, which magnifies rounding where a gradient is nearly zero.
    assert (weights(whole.generator) - weights(cut.generator)).abs().quantile(0.99) < 1e-4


def test_a_batch_that_cannot_be_cut_evenly_is_refused():
    with pytest.raises(TrainingError, match="choose a batch size that 12 divides"):
        trainer(batch_size=16, accumulate=3)


@pytest.mark.parametrize(("missing", "network"), [("image", "image"), ("audio", "audio")])
def test_rows_without_a_side_train_what_they_have(missing, network):
    class OneSided(Blobs):
        def rows(self, rng, count):
            return [
                type(row)(
                    row.text, row.wrong_text, None if missing == "image" else row.image,
                    None if missing == "audio" else row.sound, row.concept,
                )
                for row in super().rows(rng, count)
            ]  # fmt: skip

    t = Trainer(config(penalty_interval=1), OneSided(), Encoder())
    absent, present = getattr(t.generator, network), getattr(t.generator, "audio" if network == "image" else "image")
    before = weights(absent), weights(present)
    t.step()
    assert torch.equal(before[0], weights(absent)) and not torch.equal(before[1], weights(present))
    critic = getattr(t.discriminators, network)
    assert all(p.grad is None or not p.grad.any() for p in critic.parameters())


@pytest.mark.parametrize("side", ["image", "audio"])
@pytest.mark.parametrize("loss", ["relativistic", "wasserstein"])  # R1 and R2; a gradient penalty
def test_what_the_data_lack_altogether_is_skipped_and_changes_nothing(side, loss):
    class Alone(Blobs):
        num_images, num_sounds = (0, 8) if side == "image" else (8, 0)

        def rows(self, rng, count):
            gone = {"image" if side == "image" else "sound": None}
            return [dataclasses.replace(row, **gone) for row in super().rows(rng, count)]

    def steps(whole: bool) -> tuple[Trainer, list[dict]]:
        t = Trainer(config(penalty_interval=1, loss=loss), Alone(), Encoder())
        t.game.present = ("image", "audio") if whole else t.game.present
        if not whole:
            for module in (getattr(t.generator, side), getattr(t.discriminators, side).stem):
                module.register_forward_hook(lambda *_: pytest.fail(f"{side} was computed"))
        return t, [t.step() for _ in range(3)]

    (all_of, told), (some, told_too) = steps(True), steps(False)
    torch.testing.assert_close(told, told_too)
    torch.testing.assert_close(weights(all_of.generator), weights(some.generator))
    torch.testing.assert_close(weights(all_of.discriminators), weights(some.discriminators))


def test_partly_paired_rows_train_both_sides():
    t = trainer(missing="audio")
    before = weights(t.generator.image), weights(t.generator.audio)
    t.step()
    assert not torch.equal(before[0], weights(t.generator.image)) and not torch.equal(
        before[1], weights(t.generator.audio)
    )


def test_nan_stops_before_it_reaches_the_weights():
    t = trainer()
    t.step()
    with torch.no_grad():
        t.discriminators.joint.out.bias.fill_(float("nan"))
    before = weights(t.generator)
    with pytest.raises(TrainingError, match="at step 1; the last good checkpoint is kept"):
        t.step()
    assert torch.equal(before, weights(t.generator)) and t.step_count == 1


def test_average_follows_the_generator():
    t = trainer(ema_images=1e6)
    start = weights(t.ema)
    for _ in range(3):
        t.step()
    moved, gap = (weights(t.ema) - start).norm(), (weights(t.generator) - weights(t.ema)).norm()
    assert moved > 0 and gap > 0
    copied = copy.deepcopy(t)
    copied.config = config(ema_images=1e-6)
    copied._average_weights(8)
    torch.testing.assert_close(weights(copied.ema), weights(copied.generator))


def test_augmentation_adapts_towards_its_target():
    t = trainer(augment_target=0.6, augment_image=0.5, augment_audio=0.5)
    t._adapt_augmentation({"sign_image": 0.9, "sign_audio": 0.1}, 500)
    assert t.augment == pytest.approx({"image": 0.51, "audio": 0.49})


def test_the_rate_falls_along_a_cosine():
    t = trainer(learning_rate=1e-3, final_rate=0.1)
    rates = []
    for t.progress in (0.0, 0.5, 1.0):
        t._set_rate()
        rates.append(t.optimizer_g.param_groups[0]["lr"])
    assert rates == pytest.approx([1e-3, 5.5e-4, 1e-4])


def test_gamma_falls_by_equal_factors_until_half_of_the_training():
    t = trainer(gamma=8.0, gamma_final=0.01)
    weights = []
    for t.progress in (0.0, 0.25, 0.5, 1.0):
        weights.append(t._penalty_weight())
    assert weights == pytest.approx([8.0, 0.8, 0.08, 0.08])


def test_rows_are_rebuilt_only_at_first():
    t = trainer(reconstruction_share=0.5)
    assert t.step()["reconstruction"] > 0
    t.progress = 0.5
    assert t.step()["reconstruction"] == 0


def test_rebuilding_alone_brings_pictures_and_sounds_nearer_to_the_data():
    t = trainer(
        reconstruction_weight=100.0, reconstruction_share=1e6, joint_weight=0.0, twin_weight=0.0,
        generator_contrastive_weight=0.0,
    )  # fmt: skip
    first = t.step()["reconstruction"]
    last = [t.step()["reconstruction"] for _ in range(60)][-1]
    assert last < first / 2


def test_a_row_without_a_side_leaves_its_latents_to_the_prior():
    t = trainer()
    scores = Scores({"image": torch.randn(2, 16), "audio": torch.randn(2, 16)}, {})
    counts = {"image": torch.tensor([1.0, 0.0]), "audio": torch.zeros(2)}
    middle, log_variance = Reconstruction().posterior(t.game, scores, counts)
    shared, image, audio = (x.detach() for x in middle.split([4, 4, 4], dim=1))
    assert shared[0].any() and image[0].any() and not audio[0].any() and not middle[1].any()
    assert (log_variance[0, :4] < 0).all() and not log_variance[1].any()  # what is said of it narrows the prior


def test_samples_come_from_the_average_and_repeat():
    t = trainer()
    latents = torch.randn(2, t.config.model.latent_dim)
    made = t.sample(["a bright square", "a dark square"], latents)
    assert made["image"].shape == (2, 1, 16, 16) and made["audio"].shape == (2, 64, 16)
    assert torch.equal(made["image"], t.sample(["a bright square", "a dark square"], latents)["image"])
