"""The command: ``python -m tests.benchmarks [--quick] [--json FILE] [parts...]``."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from mmgan.errors import MmganError

from .measure import Part, busy_warning, load_average, machine
from .subjects import Setup


def parts() -> dict:
    """Names of the parts and the functions that measure them; each gives a Part or several."""
    from .beside import beside
    from .cuda import gpu_sampling, gpu_training
    from .growth import preset_growth, sampling_growth, training_growth
    from .hostile import hostile
    from .page import alone, soak, visitors
    from .sampling import batching, latency
    from .shares import sampling_shares, training_shares
    from .training import training

    return {
        "latency": [latency],
        "batching": [batching],
        "training": [training],
        "growth": [sampling_growth, training_growth, preset_growth],
        "shares": [sampling_shares, training_shares],
        "cuda": [gpu_sampling, gpu_training],
        "beside": [beside],
        "page": [visitors, alone],
        "hostile": [hostile],
        "soak": [soak],
    }


def measure(setup: Setup, names: list[str], show=print) -> dict[str, list[Part]]:
    """Runs the named parts in order, showing each as soon as it is there."""
    found: dict[str, list[Part]] = {}
    for name in names:
        if name == "cuda" and not torch.cuda.is_available():
            show("6. On the GPU: there is no CUDA on this machine, so nothing was measured.\n")
            continue
        for function in parts()[name]:
            result = function(setup)
            for part in result if isinstance(result, list) else [result]:
                show(str(part))
                found.setdefault(name, []).append(part)
    return found


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measures mmgan's speed.")
    parser.add_argument(
        "names", nargs="*", metavar="PART", help=f"{', '.join(parts())}; all but the last two by default"
    )
    parser.add_argument("--quick", action="store_true", help="few rounds, to see that it works; believe no figure")
    parser.add_argument("--json", metavar="FILE", help="write everything that was measured there")
    parser.add_argument("--model", default="digits", help="model to sample from: a name, a folder or a Hub id")
    parser.add_argument("--text-encoder", metavar="FOLDER", help="another text encoder than the one that ships")
    parser.add_argument("--data", default="shapes", help="dataset to train on")
    parser.add_argument("--minutes", type=float, default=10, help="length of the soak (default 10)")
    parser.add_argument("--clients", type=int, default=30, help="visitors of the soak (default 30)")
    parser.add_argument("--threads", type=int, help="torch's threads; by default as many as training gets")
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in parts()]
    if unknown:
        parser.error(f"there is no part {unknown[0]!r}; choose from {', '.join(parts())}")
    if options.threads:
        torch.set_num_threads(options.threads)

    found = machine()
    print(
        f"{found['processor']}, {found['cores']} cores, {found['threads']} threads, load {found['load_average']}, "
        f"GPU: {found['gpu'] or 'none'}; torch {found['torch']}, mmgan {found['mmgan']}"
    )
    warning = busy_warning(found)
    print(f"{warning}\n" if warning else "")
    setup = Setup(options.model, options.text_encoder, options.data, options.quick)
    setup.minutes, setup.clients = options.minutes, options.clients
    try:
        results = measure(setup, options.names or [name for name in parts() if name not in ("hostile", "soak")])
    except MmganError as error:
        print(error, file=sys.stderr)
        return 2
    found["load_average_at_end"] = load_average()
    print(f"Load average at the end: {found['load_average_at_end']} (this benchmark's own work included).")
    if options.json:
        values = {name: {part.title: part.values for part in made} for name, made in results.items()}
        report = {"machine": found, "warning": warning, "quick": options.quick, "model": options.model,
                  "data": options.data, "parts": values}  # fmt: skip
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
