"""A model as other people get it: in a zip or from the Hugging Face Hub."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from ..data.folder.sources import MODEL_FILES
from ..hub import remote
from ..hub.pretrained import CARD
from ..models.checkpoint import Model
from ..system.files import write_file

SHEET = "samples.png"


def write_shareable(source: str | Path, folder: Path, half: bool = True) -> None:
    """Writes what others need of a model into ``folder``: weights, config, card, thumbnails; no training state."""
    from ..evaluation.report import sample_sheet
    from ..sampling.pipeline import Pipeline

    model = Model.from_pretrained(source, with_discriminators=True)
    model.save_pretrained(folder, half=half)
    pipe = Pipeline.from_pretrained(folder, device="cpu")
    prompts = model.prompts
    out = pipe(prompts, num_samples=1, seed=0)
    sample_sheet(out.images, out.mels, prompts, folder / SHEET, columns=4)
    card = model.folder / CARD
    text = card.read_text(encoding="utf-8") if card.is_file() else model.card()
    if SHEET not in text:
        text = text.rstrip() + f"\n\n## Samples\n\n![{len(prompts)} samples, pictures over their sounds]({SHEET})\n"
    write_file(folder / CARD, text.encode())


def push_to_hub(source: str | Path, repo_id: str, token: str | None = None, private: bool = True) -> str:
    """Uploads a model by its name, folder or run, with its card, as :func:`mmgan.hub.remote.upload` does."""
    return remote.upload(partial(write_shareable, source), repo_id, MODEL_FILES, token, private)
