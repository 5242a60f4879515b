"""The sampling path: what it promises about order, seeds, shapes and bad input, with a small untrained model."""

import hashlib
import threading

import numpy as np
import pytest
import torch

from mmgan.config import AudioModelConfig, ImageModelConfig, ModelConfig
from mmgan.errors import CheckpointError, MmganError, PromptError
from mmgan.models import Discriminators, Generator
from mmgan.models.checkpoint import Model
from mmgan.sampling import engine
from mmgan.sampling.engine import Engine
from mmgan.sampling.pipeline import Pipeline, sample_seeds

SMALL = ModelConfig(
    {
        "image": ImageModelConfig(size=16, latent=3, patch=2, widths=(16, 8)),
        "audio": AudioModelConfig(num_samples=4_096, latent=3, patch=4, widths=(16, 8)),
    },
    latent_shared=2, style_dim=32, critic_features=16,
)  # fmt: skip
PROMPTS = [f"a handwritten {n}" for n in range(16)]


class Encoder:
    """Unit vectors decided by the prompt."""

    def encode(self, prompts):
        rows = []
        for prompt in prompts:
            seed = int.from_bytes(hashlib.sha256(prompt.encode()).digest()[:4], "little")
            rows.append(torch.randn(384, generator=torch.Generator().manual_seed(seed)))
        return torch.nn.functional.normalize(torch.stack(rows), dim=1)


def lively(config):
    """A generator whose styles matter, unlike those of a fresh one, where FiLM is the identity."""
    torch.manual_seed(0)
    generator = Generator(config)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            if "affine.weight" in name:
                parameter.normal_(std=0.1)
    return generator


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "small"
    info = {"name": "little", "examples": ["a seven", 3, "an eight"]}
    Model(lively(SMALL), Discriminators(SMALL), info).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def pipe(folder):
    return Pipeline.from_pretrained(folder, device="cpu", text_encoder=Encoder())


def pixels(out) -> np.ndarray:
    return np.stack([np.asarray(image) for image in out.images])


def same(a, b) -> bool:
    return all(np.array_equal(x, y) for x, y in ((pixels(a), pixels(b)), (a.audio, b.audio), (a.mels, b.mels)))


class TestOutput:
    def test_one_prompt(self, pipe):
        out = pipe("a seven")
        assert [(i.mode, i.size) for i in out.images] == [("L", (16, 16))]
        assert out.audio.shape == (1, 4_096) and out.audio.dtype == np.float32 and np.abs(out.audio).max() <= 1
        assert out.mels.shape == (1, 64, 16) and out.mels.dtype == np.float32
        assert out.sampling_rate == 16_000 and out.prompts == ["a seven"] and out.seeds == [0]
        assert out.milliseconds.keys() == {"text", "generator", "vocoder"} and min(out.milliseconds.values()) >= 0
        assert out.device == "cpu" and out.notice is None

    def test_order_is_prompt_by_prompt(self, pipe):
        out = pipe(["one", "two"], num_samples=3, seed=5)
        assert out.prompts == ["one"] * 3 + ["two"] * 3 and out.seeds == sample_seeds(5, 3) * 2
        assert np.array_equal(pixels(out)[3:], pixels(pipe("two", num_samples=3, seed=5)))

    def test_colour(self, tmp_path):
        config = SMALL.with_channels(3)
        Model(lively(config)).save_pretrained(tmp_path / "m")
        out = Pipeline.from_pretrained(tmp_path / "m", text_encoder=Encoder(), device="cpu")("x")
        assert out.images[0].mode == "RGB" and len(np.unique(np.asarray(out.images[0]))) > 5

    def test_pixels_are_the_generators(self, pipe):
        z = pipe.latents(1, 3)
        with torch.no_grad():
            made = pipe.generator(pipe.embed("a"), z)
            image, mel = made["image"], made["audio"]
        out = pipe("a", seed=3)
        assert np.array_equal(pixels(out)[0], ((image[0, 0].clamp(-1, 1) + 1) * 127.5).round().numpy())
        assert np.allclose(out.mels[0], mel[0].numpy(), atol=1e-5)  # a pass of one row rounds differently


class TestSameSeed:
    def test_a_prompt_alone_and_among_sixteen(self, pipe):
        """Bit for bit: Griffin-Lim turns a rounding error in a mel into another waveform."""
        together = pipe(PROMPTS, num_samples=2, seed=7)
        for place in (0, 9, 15):
            alone = pipe(PROMPTS[place], num_samples=2, seed=7)
            rows = slice(2 * place, 2 * place + 2)
            assert np.array_equal(pixels(together)[rows], pixels(alone))
            assert np.array_equal(together.audio[rows], alone.audio)
            assert np.array_equal(together.mels[rows], alone.mels)

    def test_a_sample_again_by_its_own_seed(self, pipe):
        out = pipe("a seven", num_samples=4, seed=11)
        again = pipe("a seven", seed=out.seeds[2])
        assert np.array_equal(pixels(out)[2:3], pixels(again)) and np.array_equal(out.audio[2:3], again.audio)

    def test_fewer_samples_are_the_first_ones(self, pipe):
        assert torch.equal(pipe.latents(9, 4)[:3], pipe.latents(3, 4))

    def test_other_seeds_other_latents(self, pipe):
        rows = torch.cat([pipe.latents(8, seed) for seed in (0, 1, 2, 2**32 - 1)])
        assert len(rows.unique(dim=0)) == 32
        assert abs(float(torch.corrcoef(rows).triu(1).mean())) < 0.1

    def test_the_mixing_is_pinned(self):
        assert sample_seeds(0, 3) == [0, 3964924996, 3141116543]

    def test_the_same_hand_whatever_the_prompt(self, pipe):
        latents = pipe.latents(2, 3)
        assert same(pipe(["a", "b"], num_samples=2, seed=3), pipe(["a", "b"], num_samples=2, latents=latents))

    def test_from_many_threads(self, pipe):
        alone, results = pipe("a seven", seed=1), [None] * 8

        def ask(place):
            results[place] = pipe(["x", "a seven"] if place % 2 else "a seven", seed=1)

        threads = [threading.Thread(target=ask, args=(place,)) for place in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(np.array_equal(alone.audio[0], out.audio[-1]) for out in results)

    def test_rows_of_a_padded_pass(self, pipe, monkeypatch):
        """As on CUDA: passes of a fixed number of rows, the last one padded."""
        monkeypatch.setitem(engine.ROWS, "cpu", 8)
        together = pipe(PROMPTS[:11], seed=2)
        assert len(together.images) == len(together.audio) == len(together.mels) == 11
        assert same(pipe(PROMPTS[4], seed=2), pipe([PROMPTS[4]], seed=2))
        assert np.allclose(together.mels[9], pipe(PROMPTS[9], seed=2).mels[0], atol=1e-4)


class TestLatentsAndEmbeddings:
    def test_one_prompt_takes_as_many_samples_as_latents(self, pipe):
        z = pipe.latents(5, 0)
        out = pipe("a", latents=z.numpy())
        assert len(out.images) == 5 and out.seeds == [None] * 5
        assert np.array_equal(pixels(out), pixels(pipe("a", num_samples=5)))

    def test_one_row_for_each_result(self, pipe):
        z = torch.cat([pipe.latents(2, 0), pipe.latents(2, 1)])
        out = pipe(["a", "b"], num_samples=2, latents=z)
        assert np.array_equal(pixels(out)[2:], pixels(pipe("b", num_samples=2, seed=1)))

    def test_embeddings_instead_of_prompts(self, pipe):
        e = pipe.embed(["a", "b"])
        out = pipe(embeddings=e, num_samples=2, seed=4)
        assert out.prompts == ["", "", "", ""] and same(out, pipe(["a", "b"], num_samples=2, seed=4))
        assert pipe(["x", "y"], embeddings=e).prompts == ["x", "y"]

    def test_interpolation(self, pipe):
        weights = torch.linspace(0, 1, 5)[:, None]
        e, z = pipe.embed(["a", "b"]), pipe.latents(2, 0)
        path = pipe(embeddings=e[:1].lerp(e[1:], weights), latents=z[:1].lerp(z[1:], weights))
        assert len(path.images) == 5
        assert np.array_equal(path.mels[:1], pipe("a").mels)

    def test_truncation_scales_the_latents(self, pipe):
        assert same(pipe("a", truncation=0.0), pipe("a", latents=torch.zeros(1, SMALL.latent_dim)))
        assert same(pipe("a", truncation=0.5), pipe("a", latents=pipe.latents(1, 0), truncation=0.5))
        assert not same(pipe("a", truncation=0.5), pipe("a"))

    def test_the_callers_arrays_stay_as_they_were(self, pipe):
        z = np.ones((1, SMALL.latent_dim), np.float64)
        pipe("a", latents=z, truncation=0.5)
        assert (z == 1).all()


Z, E = torch.zeros(3, SMALL.latent_dim), torch.zeros(3, 384)
BAD = {
    "nothing": {"prompt": None},
    "empty": {"prompt": ""},
    "blank": {"prompt": " \n\x00"},
    "one of them empty": {"prompt": ["a", ""]},
    "no prompts": {"prompt": []},
    "not text": {"prompt": [3]},
    "a number": {"prompt": 3},
    "too long": {"prompt": "x" * 10_000},
    "none": {"num_samples": 0},
    "too many": {"num_samples": 65},
    "half": {"num_samples": 1.5},
    "as text": {"num_samples": "4"},
    "yes": {"num_samples": True},
    "too many in all": {"prompt": ["a"] * 20, "num_samples": 64},
    "too many prompts": {"prompt": ["a"] * 2_000},
    "negative seed": {"seed": -1},
    "large seed": {"seed": 2**32},
    "no seed": {"seed": None},
    "enormous seed": {"seed": 10**5_000},
    "truncation": {"truncation": 1.01},
    "truncation not a number": {"truncation": float("nan")},
    "enormous truncation": {"truncation": 10**400},
    "truncation as text": {"truncation": "much"},
    "latents too narrow": {"latents": Z[:, 1:]},
    "latents flat": {"latents": Z[0]},
    "no latents": {"latents": Z[:0]},
    "latents for nobody": {"prompt": ["a", "b"], "latents": Z},
    "latents as text": {"latents": "zero"},
    "ragged latents": {"latents": [[1.0], [1.0, 2.0]]},
    "infinite latents": {"latents": Z + float("inf")},
    "embeddings too narrow": {"prompt": None, "embeddings": E[:, 1:]},
    "embeddings not of the prompts": {"prompt": ["a", "b"], "embeddings": E},
    "too many embeddings": {"prompt": None, "embeddings": torch.zeros(1_025, 384)},
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gives_one_sentence(pipe, name):
    with pytest.raises(PromptError) as info:
        pipe(**{"prompt": "a", **BAD[name]})
    text = str(info.value)
    assert text.endswith(".") and "\n" not in text and len(text) < 200


def test_numpy_numbers_are_numbers(pipe):
    assert same(pipe("a", num_samples=np.int64(2), seed=np.uint32(3), truncation=np.float32(1)), pipe("a", 2, 3))


class TestModel:
    def test_what_it_says_of_itself(self, pipe):
        assert pipe.name == "little" and pipe.examples == ["a seven", "an eight"] and pipe.config == SMALL

    def test_save_pretrained_takes_the_discriminators_along(self, pipe, tmp_path):
        pipe.save_pretrained(tmp_path / "copy")
        model = Model.from_pretrained(tmp_path / "copy", with_discriminators=True)
        assert model.discriminators is not None and model.info == pipe.info
        assert same(Pipeline(model, "cpu", Encoder())("a"), pipe("a"))

    def test_half_weights_run_as_float32(self, pipe, tmp_path):
        pipe.save_pretrained(tmp_path / "half", half=True)
        half = Pipeline.from_pretrained(tmp_path / "half", device="cpu", text_encoder=Encoder())
        assert {p.dtype for p in half.generator.parameters()} == {torch.float32}
        assert np.abs(pixels(half("a")).astype(int) - pixels(pipe("a"))).max() <= 2

    def test_a_missing_encoder_is_missed_at_first_use_only(self, folder, tmp_path):
        pipe = Pipeline.from_pretrained(folder, device="cpu", text_encoder=tmp_path / "nowhere")
        assert pipe(embeddings=E).audio.shape[0] == 3
        with pytest.raises(CheckpointError):
            pipe("a")

    def test_sampling_leaves_audio_usable_for_training(self, pipe):
        from mmgan.audio import mel as audio

        audio.filterbank.cache_clear()
        pipe("a")
        waveform = torch.randn(1, 4_096, requires_grad=True)
        audio.log_mel(waveform, SMALL.audio).sum().backward()
        assert waveform.grad is not None


class TestDevice:
    @pytest.mark.parametrize("device", ["gpu", "tpu:0", "", "cuda:x"])
    def test_no_such_device(self, folder, device):
        with pytest.raises(MmganError, match="device"):
            Pipeline.from_pretrained(folder, device=device)

    def test_cuda_by_name_where_there_is_none(self, folder, monkeypatch):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        with pytest.raises(MmganError, match="CUDA"):
            Pipeline.from_pretrained(folder, device="cuda")

    def test_cuda_that_fails_at_the_start(self, folder, pipe, monkeypatch):
        self.break_cuda(monkeypatch)
        with pytest.warns(UserWarning, match="driver"):
            fallen = Pipeline.from_pretrained(folder, device="auto", text_encoder=Encoder())
        out = fallen("a")
        assert out.device == "cpu" and "driver is too old" in str(out.notice) and same(out, pipe("a"))
        with pytest.raises(MmganError, match="driver is too old"):
            Pipeline.from_pretrained(folder, device="cuda")

    def test_cuda_that_fails_later(self, folder, pipe, monkeypatch):
        self.break_cuda(monkeypatch)
        fallen = Pipeline.from_pretrained(folder, device="cpu", text_encoder=Encoder())
        fallen.engine.device, fallen.engine._may_fall_back = torch.device("cuda"), True
        with pytest.warns(UserWarning) as seen:
            outs = [fallen("a"), fallen("a")]
        assert len(seen) == 1 and all(out.notice and same(out, pipe("a")) for out in outs)

    @staticmethod
    def break_cuda(monkeypatch):
        """CUDA that says it is there and then is not."""
        run = Engine._run

        def fail(self, embeddings, latents, device):
            if device.type == "cuda":
                raise torch.OutOfMemoryError("The driver is too old.\nStack of C++ frames")
            return run(self, embeddings, latents, device)

        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(Engine, "_run", fail)
        to = Generator.to
        monkeypatch.setattr(Generator, "to", lambda self, *a, **k: self if "cuda" in str(a) else to(self, *a, **k))

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
    def test_on_cuda_a_prompt_alone_and_among_others(self, folder):
        pipe = Pipeline.from_pretrained(folder, device="cuda", text_encoder=Encoder())
        together, alone = pipe(PROMPTS, num_samples=3, seed=7), pipe(PROMPTS[15], num_samples=3, seed=7)
        assert pipe.device.type == "cuda" and pipe.engine._recorded is not None
        assert np.array_equal(pixels(together)[45:], pixels(alone))
        assert np.array_equal(together.audio[45:], alone.audio)
