"""``mmgan evaluate``: measures a pipeline's samples against real data, with the real data's own score beside each."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from ..data.base import Prompt
from ..data.registry import load_dataset, package_of
from ..errors import MmganError
from ..image.pictures import array_to_pil
from .report import format_report, sample_sheet, write_json
from .samples import Generated, generate, mels_of

MAX_SAMPLES = 1_000  # per prompt
IN_ALL = 2_000  # samples over all prompts where nobody says how many per prompt


def evaluate(
    pipeline, dataset_name: str, samples_per_prompt: int | None = None, seed: int = 0, progress: bool = True
) -> tuple[dict, Generated]:
    """Measures ``pipeline`` on the prompts of a dataset.

    Args:
        pipeline: a :class:`mmgan.sampling.pipeline.Pipeline`, or anything that answers as one does.
        dataset_name: one of :data:`mmgan.data.registry.DATASETS`, or a folder or zip.
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
        raise MmganError("evaluation.bad_samples", limit=MAX_SAMPLES, value=samples_per_prompt)
    if not 0 <= seed < 2**31:
        raise MmganError("evaluation.bad_seed", limit=2**31 - 1, value=seed)
    start = time.perf_counter()
    package, dataset = package_of(dataset_name), load_dataset(dataset_name)
    prompts = dataset.prompts()
    if package.most_prompts is not None:
        chosen = np.random.default_rng(seed).permutation(len(prompts))[: package.most_prompts]
        prompts = [prompts[i] for i in sorted(chosen)]
    count = samples_per_prompt or max(1, round(IN_ALL / len(prompts)))
    generated = generate(pipeline, prompts, count, seed, progress)
    figures, tables = package.evaluate(
        pipeline, generated, dataset, lambda: load_dataset(dataset_name, "test"), seed, progress
    )
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
    from ..sampling.pipeline import Pipeline

    result, generated = evaluate(Pipeline.from_pretrained(model, device=device), data, samples, seed)
    result["model"] = str(model)
    print(format_report(result))
    if json_path:
        write_json(result, json_path)
    if sheet_path:
        contact_sheet(generated, sheet_path, f"{model}: prompts of {data}, seed {seed}")
    return result
