"""``mmgan evaluate``: a pipeline's samples measured against real data, with the real data's own score beside each."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from ..data import load_dataset
from ..data.base import Dataset, Prompt
from ..errors import MmganError
from .compare import Figures
from .plain import compare_images, compare_sounds
from .report import array_to_pil, format_report, sample_sheet, write_json
from .samples import Generated, generate, mels_of, real_images, real_sounds

MAX_SAMPLES = 1_000  # per prompt
IN_ALL = 2_000  # samples over all prompts, where their number per prompt is left open
PROMPTS_OF_A_FOLDER = 200  # prompts of a large folder that are asked for


def evaluate(
    pipeline, dataset_name: str, samples_per_prompt: int | None = None, seed: int = 0, progress: bool = True
) -> tuple[dict, Generated]:
    """Measures ``pipeline`` on the prompts of a dataset.

    Args:
        pipeline: a :class:`mmgan.pipeline.Pipeline`, or anything that answers as one does.
        dataset_name: "digits", "shapes", or a folder or zip.
        samples_per_prompt: None chooses 40 for the digits and about 2,000 in all elsewhere.
        progress: whether to show bars.

    Returns:
        A result of JSON values (``figures``: name -> generated, real, unit, note; ``tables``: name -> rows) and the
        samples it was measured on.

    Raises:
        DataError: the dataset is absent.
        CheckpointError: a judge is absent or damaged.
        MmganError: a count or seed out of range.
    """
    if samples_per_prompt is not None and not 1 <= samples_per_prompt <= MAX_SAMPLES:
        raise MmganError(f"Samples per prompt should be between 1 and {MAX_SAMPLES}, not {samples_per_prompt}.")
    if not 0 <= seed < 2**31:
        raise MmganError(f"The seed should be between 0 and {2**31 - 1}, not {seed}.")
    start = time.perf_counter()
    dataset = load_dataset(dataset_name)
    prompts = dataset.prompts()
    if dataset_name not in ("digits", "shapes"):
        chosen = np.random.default_rng(seed).permutation(len(prompts))[:PROMPTS_OF_A_FOLDER]
        prompts = [prompts[i] for i in sorted(chosen)]
    count = samples_per_prompt or max(1, round(IN_ALL / len(prompts)))
    generated = generate(pipeline, prompts, count, seed, progress)
    if dataset_name == "digits":
        from .digits import evaluate_digits

        figures, tables = evaluate_digits(
            pipeline, generated, dataset, load_dataset(dataset_name, "test"), seed, progress
        )
    elif dataset_name == "shapes":
        from .shapes import evaluate_shapes

        test = load_dataset(dataset_name, "test")
        figures, tables = evaluate_shapes(generated, dataset, test, seed, progress)
    else:
        figures, tables = evaluate_folder(dataset, generated, seed)
    result = {
        "dataset": dataset_name,
        "model": Path(getattr(pipeline, "folder", "model")).name,
        "prompts": len(prompts),
        "samples": len(generated.prompts),
        "seed": seed,
        "seconds": round(time.perf_counter() - start, 1),
        "figures": dict(figures),
        "tables": tables,
    }
    return result, generated


def evaluate_folder(dataset: Dataset, generated: Generated, seed: int) -> tuple[Figures, dict]:
    """A dataset without judge or rule: distances, diversity and memorisation in plain, averaged-down features."""
    figures, rng = Figures(), np.random.default_rng(seed)
    if dataset.num_images:
        chosen = rng.permutation(dataset.num_images)[: 2 * IN_ALL]
        compare_images(figures, generated, real_images(dataset, chosen, generated.images.values), seed)
    if dataset.num_sounds:
        chosen = rng.permutation(dataset.num_sounds)[: 2 * IN_ALL]
        compare_sounds(figures, generated, real_sounds(dataset, chosen, generated.audio), seed)
    return figures, {}


def contact_sheet(generated: Generated, path: str | Path, title: str, columns: int = 10, rows: int = 4) -> None:
    """Samples of as many concepts as there are columns, one column each."""
    by_prompt: dict[Prompt, list[int]] = {}
    for index, prompt in enumerate(generated.prompts):
        by_prompt.setdefault(prompt, []).append(index)
    first_of_concept: dict[str, Prompt] = {}
    for prompt in by_prompt:
        first_of_concept.setdefault(prompt.concept, prompt)
    prompts = list(first_of_concept.values())
    chosen = np.random.default_rng(0).permutation(len(prompts))[:columns]
    prompts = [prompts[i] for i in sorted(chosen)]
    indices = [by_prompt[p][row] for row in range(rows) for p in prompts if row < len(by_prompt[p])]
    images = [generated.images.values[i] for i in indices]
    sample_sheet(
        [array_to_pil(image) for image in images],
        mels_of(generated.sounds.values[indices], generated.audio),
        [generated.prompts[i].text for i in indices],
        path, columns=len(prompts), title=title,
    )  # fmt: skip


def run(
    model: str, data: str, json_path: str | Path | None = None, sheet_path: str | Path | None = None,
    samples: int | None = None, seed: int = 0, device: str = "auto",
) -> dict:  # fmt: skip
    """What ``mmgan evaluate MODEL --data NAME`` does: measures, prints the table, writes what was asked for.

    Raises:
        MmganError: the model, the dataset or a place to write cannot be used.
    """
    from ..pipeline import Pipeline

    result, generated = evaluate(Pipeline.from_pretrained(model, device=device), data, samples, seed)
    result["model"] = str(model)
    print(format_report(result))
    if json_path:
        write_json(result, json_path)
    if sheet_path:
        contact_sheet(generated, sheet_path, f"{model}: prompts of {data}, seed {seed}")
    return result
