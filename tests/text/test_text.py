"""The text encoder that ships: what it gives, what it refuses, and that its folder is whole."""

import json
import shutil
import subprocess
import sys
import threading

import pytest
import torch
from safetensors.torch import load_file, save_file

from mmgan.errors import CheckpointError, PromptError
from mmgan.system.resources import PRETRAINED
from mmgan.text import encoder as text
from mmgan.text.encoder import TextEncoder, check_prompt, is_prompt, normalise_prompt

SHIPPED = PRETRAINED / "text-encoder"
WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.fixture(scope="module")
def encoder():
    return TextEncoder.from_pretrained()


@pytest.fixture
def fresh(encoder):
    """The same weights with an empty cache."""
    return TextEncoder(encoder.model, encoder.tokenizer)


@pytest.fixture
def folder(tmp_path):
    """A copy of the shipped folder, to be damaged."""
    return shutil.copytree(SHIPPED, tmp_path / "encoder")


def one_sentence(error) -> bool:
    return "\n" not in str(error) and str(error).count(". ") == 0 and str(error).endswith(".")


def test_embeddings_are_unit_vectors_in_order(encoder):
    prompts = ["a large red star on blue", "seven", "数字七", "🐶", "שלום עולם", "seven"]
    embeddings = encoder.encode(prompts)
    assert embeddings.shape == (6, 384) and embeddings.dtype == torch.float32 and embeddings.device.type == "cpu"
    assert torch.allclose(embeddings.norm(dim=1), torch.ones(6), atol=1e-5)
    assert torch.equal(embeddings[1], embeddings[5])
    assert torch.equal(encoder.encode("seven")[0], embeddings[1])


def test_no_prompts_give_no_rows(encoder):
    assert encoder.encode([]).shape == (0, 384)


def test_the_same_prompt_gives_the_same_numbers(encoder, fresh):
    prompts = ["a thin three leaning left", "三"]
    assert torch.equal(encoder.encode(prompts), encoder.encode(prompts))
    assert torch.equal(fresh.encode(prompts), TextEncoder(fresh.model, fresh.tokenizer).encode(prompts))


def test_company_in_the_batch_changes_nothing(encoder, fresh):
    prompts = ["7", "a picture of a small green circle on a white background, and how it sounds", "心形", "word " * 60]
    prompts += [f"a handwritten {word}" for word in ("one", "two", "three", "four", "five", "six", "seven")]
    others = [f"a spoken {word}" for word in ("one", "two", "three", "four", "five", "six", "seven")]
    others += ["two", "心", "a picture of a large green circle on a black background, or how it sounds", "words " * 60]
    alone = torch.cat([TextEncoder(encoder.model, encoder.tokenizer).encode([prompt]) for prompt in prompts])
    assert torch.equal(fresh.encode(prompts), alone)
    fresh.encode(others)  # of the same sizes, so that now they have proved themselves or not
    fresh._cache.clear()
    assert torch.equal(fresh.encode(prompts), alone)


def test_a_model_that_rounds_differently_in_company_is_asked_for_one_at_a_time(fresh, monkeypatch):
    forward, sizes = fresh._forward, []

    def rounding(batch):
        sizes.append(len(batch))
        return forward(batch) * (1 + 1e-6 * (len(batch) > 1))

    prompts = ["one", "two", "three", "four"]
    alone = torch.cat([TextEncoder(fresh.model, fresh.tokenizer).encode([prompt]) for prompt in prompts])
    monkeypatch.setattr(fresh, "_forward", rounding)
    for _ in range(2):
        fresh._cache.clear()
        assert torch.equal(fresh.encode(prompts), alone)
    assert sizes == [4] + [1] * 4 + [1] * 4  # tried once


def test_each_prompt_is_encoded_once(fresh, monkeypatch):
    seen = []
    embed = fresh._embed
    monkeypatch.setattr(fresh, "_embed", lambda prompts: seen.extend(prompts) or embed(prompts))
    first = fresh.encode(["one", "two", "one"])
    assert torch.equal(fresh.encode(["two", " one "]), first[[1, 0]])
    assert seen == ["one", "two"]


def test_the_cache_forgets_what_was_longest_unused(fresh, monkeypatch):
    monkeypatch.setattr(text, "CACHE_ENTRIES", 2)
    fresh.encode(["one", "two"])
    fresh.encode(["one"])
    assert fresh.encode(["one", "two", "three", "four"]).shape == (4, 384)
    assert list(fresh._cache) == ["three", "four"]


def test_what_a_caller_does_to_a_result_stays_with_the_caller(fresh):
    expected = fresh.encode("one").clone()
    fresh.encode("one").zero_()
    assert torch.equal(fresh.encode("one"), expected)


def test_threads_can_share_an_encoder(fresh):
    prompts = [f"the number {i}" for i in range(8)]
    found = [None] * 4

    def ask(i):
        found[i] = fresh.encode(prompts)

    threads = [threading.Thread(target=ask, args=(i,)) for i in range(4)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert all(torch.equal(found[0], other) for other in found)


@pytest.mark.parametrize(
    "bad", ["", "  \n\t", "\x00", "\x00\x07 ", "\u200b", "\u202e\u202c", "a" * 10_000, "是" * 1_001]
)
def test_prompts_that_say_nothing_or_too_much_are_refused(encoder, bad):
    with pytest.raises(PromptError) as caught:
        encoder.encode(["seven", bad])
    assert one_sentence(caught.value)
    assert ("1,000" in str(caught.value)) == (len(bad) > 1_000)


@pytest.mark.parametrize("bad", [None, 7, b"seven"])
def test_prompts_that_are_not_text_are_refused(bad):
    with pytest.raises(PromptError, match="string"):
        check_prompt(bad)
    assert not is_prompt(bad) and is_prompt("seven")


def test_prompts_that_are_not_worth_remembering_are_not(fresh):
    assert torch.equal(fresh.embed_once(["seven"]), fresh.encode("seven"))
    cached = len(fresh._cache)
    fresh.embed_once(["eight", "nine"])
    assert len(fresh._cache) == cached


@pytest.mark.parametrize(
    "good",
    [
        "🐶",
        "👩🏽‍🚀",
        "\u202eשלום",
        "مرحبا",
        "seven\x00",
        "a" * 1_000,
        "word " * 199,
        "\ud800 seven",
        "?",
        "七",
        "Ünïcödé",
        "𓀀",
    ],
)
def test_prompts_that_can_be_read_are_read(encoder, good):
    assert torch.isfinite(encoder.encode([good])).all()


def test_normalising_keeps_what_is_said(encoder):
    assert normalise_prompt(" a\x00 cafe\u0301 \n\t in\u00a0red\ud800 ") == "a café in red"
    assert normalise_prompt("👩🏽‍🚀") == "👩🏽‍🚀"  # the joiner between the two is no control character
    assert torch.equal(encoder.encode("A  handwritten\nSEVEN"), encoder.encode("A handwritten SEVEN"))


def test_a_handwritten_seven_is_a_seven(encoder):
    prompt, seven, four = encoder.encode(["a handwritten seven", "the digit 7", "the digit 4"])
    assert prompt @ seven > prompt @ four + 0.05


@pytest.mark.parametrize("template", ["the digit {}", "a picture of the number {}"])
def test_chinese_digits_are_next_to_the_english_ones(encoder, template):
    chinese = encoder.encode([f"数字{c}" for c in "零一二三四五六七八九"])
    english = encoder.encode([template.format(word) for word in WORDS])
    assert (chinese @ english.T).argmax(1).tolist() == list(range(10))


def test_colours_sizes_and_shapes_stay_apart_in_both_languages(encoder):
    english = ["a red star", "a blue star", "a red circle", "a large red star", "a small red star"]
    chinese = ["红色的星星", "蓝色的星星", "红色的圆形", "一个大红色星星", "一个小红色星星"]
    assert (encoder.encode(chinese) @ encoder.encode(english).T).argmax(1).tolist() == list(range(5))


def test_the_folder_is_small_and_whole():
    assert sum(path.stat().st_size for path in SHIPPED.iterdir()) <= 12 * 2**20
    assert {path.suffix for path in SHIPPED.iterdir()} <= {".json", ".safetensors", ".md"}
    assert (SHIPPED / "README.md").read_text(encoding="utf-8").startswith("---\n")
    weights = load_file(SHIPPED / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float16}


def test_transformers_alone_can_load_it(encoder, monkeypatch):
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.AutoTokenizer.from_pretrained(SHIPPED, local_files_only=True)
    model = transformers.AutoModel.from_pretrained(SHIPPED, local_files_only=True, dtype=torch.float32).eval()
    tokens = tokenizer(["a handwritten seven"], return_tensors="pt")
    with torch.no_grad():
        mean = model(**tokens).last_hidden_state.mean(1)
    expected = encoder.encode("a handwritten seven")
    assert torch.allclose(torch.nn.functional.normalize(mean, dim=1), expected, atol=2e-6)


def _truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:100_000])


def _lose_a_tensor(folder):
    tensors = load_file(folder / "model.safetensors")
    tensors.pop("embeddings.word_embeddings.weight")
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


def _pickle_instead(folder):
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")


def _configure(**changes):
    def change(folder):
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


@pytest.mark.parametrize(
    "damage",
    [
        _truncate,
        _lose_a_tensor,
        _pickle_instead,
        _configure(num_hidden_layers=3),
        _configure(embedding_size=64),
        _configure(model_type="no such model"),
        lambda folder: (folder / "config.json").unlink(),
        lambda folder: (folder / "config.json").write_text("{"),
        lambda folder: (folder / "model.safetensors").unlink(),
        lambda folder: (folder / "tokenizer.json").write_text("[]"),
        lambda folder: (folder / "tokenizer.json").unlink(),
        shutil.rmtree,
    ],
)
def test_a_damaged_folder_is_told_in_one_sentence(folder, damage):
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        TextEncoder.from_pretrained(folder)
    assert one_sentence(caught.value) and "fresh copy" in str(caught.value)


def test_another_embedding_size_is_refused(tmp_path, encoder):
    from transformers import ElectraConfig, ElectraModel

    sizes = {"embedding_size": 16, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ElectraModel(ElectraConfig(vocab_size=len(encoder.tokenizer), intermediate_size=32, **sizes)).save_pretrained(
        tmp_path
    )
    encoder.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(CheckpointError, match="384"):
        TextEncoder.from_pretrained(tmp_path)


def test_what_ships_takes_prompts_in_one_forward(encoder):
    assert encoder._packed


def test_importing_the_module_imports_no_transformers():
    code = "import sys, mmgan.text.encoder; sys.exit('transformers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
