"""The loop of a fine-tuning: a training's, that also looks at files never learned from, at each of its visits."""

from __future__ import annotations

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from ..checkpoint import load_model, save_model
from ..data import Dataset
from ..data.loader import Batch, Loader
from ..errors import MmganError
from ..evaluation.own import Measures, OwnMeasure, bank, caption_match, describe, some_captions
from ..evaluation.report import sample_sheet
from ..models import Discriminators
from .base import Base, base_modules
from .changes import changes
from .examples import SHEET, data_are_gone, forget_examples
from .loop import SHEET_COLUMNS, Loop
from .resuming import save
from .runs import Run
from .stopping import HeldOutEvidence
from .trainer import Trainer

ADAPT_STEPS = 20  # between two looks at overfitting, each of which costs about half a step
ADAPT_EXAMPLES = 15_000  # within so many, augmentation may go from nothing to everything
MOST_AUGMENTED = 0.8  # beyond which augmentation shows in the samples (Karras et al. 2020)
REMEMBERED = 0.8  # of the last looks: a few held-out rows say little at once
DISTANCE_WEIGHT = 2.0  # beside shares of captions and of variety; by 1, words were kept that were hardly learned
SIDES = ("image", "audio")


class FinetuneLoop(Loop):
    """See :class:`~mmgan.training.loop.Loop`.

    Args:
        base: what the trainer started from.
        held_out: files that are never learned from; None where there are too few.
        target: the overfitting that augmentation is to hold, 0..1; 0 leaves augmentation to the trainer.
    """

    def __init__(
        self, trainer: Trainer, run: Run | None, elapsed: float, progress: bool, base: Base, held_out: Dataset | None,
        target: float,
    ):  # fmt: skip
        super().__init__(trainer, run, elapsed, progress)
        self.base, self.target, self.judge = base, target, None
        self.verdict = self.ending = ""  # why to end now; why it ended
        self.compared: list[str] = []  # captions of the sheet's columns
        self.decided = False  # which weights are kept
        self.evidence = HeldOutEvidence()
        self.gaps = dict.fromkeys(SIDES, 0.0)
        self.measures: dict[str, Measures] = {}
        self.first: dict[str, Measures] = {}
        model = self.config.model
        self.held = None
        if held_out is not None:
            self.held = Loader(held_out, model.image_size, model.image_channels, model.audio, 16, self.config.seed)
        if run is None:
            return
        self.base_generator, critics = base_modules(base)
        if critics is None:
            torch.manual_seed(0)
            critics = Discriminators(base.config).eval().requires_grad_(False)
        counts = {"image": trainer.dataset.num_images, "audio": trainer.dataset.num_sounds}
        self.own = {kind: OwnMeasure(kind, critics, trainer.loader, self.held) for kind in SIDES if counts[kind]}
        self.captions = some_captions(trainer.dataset.concepts)
        self.embeddings = trainer.text_encoder.encode(self.captions)
        self._replay()

    def _replay(self) -> None:
        """What earlier visits of a resumed run found; whoever asks for something else is not held to their verdict."""
        asked, share = [change["step"] for change in changes(self.run_folder.folder)], 0.0
        for row in self.run_folder.metrics()[0]:
            row = {name: value for name, value in row.items() if isinstance(value, (int, float))}
            found = {kind: Measures.from_dict(row, kind) for kind in self.own if f"{kind}_copies" in row}
            if found and "step" in row:
                while asked and asked[0] < row["step"]:
                    asked.pop(0)
                    self.evidence.go_on(share)
                share = self._share_at(row["step"], row.get("seconds", 0.0))
                self._weigh(row["step"], share, found)
        if asked:
            self.evidence.go_on(share)
            self.verdict = ""

    # Augmentation -------------------------------------------------------------------------------------------------

    def _after_step(self, terms: dict[str, float]) -> None:
        if self.held and self.target and self.trainer.step_count % ADAPT_STEPS == 0:
            self._adapt()
        super()._after_step(terms)

    @torch.no_grad()
    def _adapt(self) -> None:
        """More augmentation where critics know training files from files of the same kind that they never saw.

        The share of the way from generated to learned rows by which held-out rows fall short: r_v of Karras et al.
        (2020, eq. 1), with critics' scores as they are.
        """
        trainer, step = self.trainer, self.trainer.step_count
        learned, unseen = trainer.loader.batch(step + 1), self.held.batch(step)
        latents = torch.randn(len(learned), self.config.model.latent_dim, generator=torch.Generator().manual_seed(step))
        embeddings = trainer.text_encoder.encode(learned.texts).to(trainer.device)
        made = trainer.objectives.generate(embeddings, latents.to(trainer.device))
        scores = [self._scores(batch) for batch in (learned, unseen)]
        fake = trainer.objectives.scores(list(made), embeddings).values.cpu()
        for column, kind in enumerate(SIDES):
            has = [getattr(batch, f"has_{kind}") for batch in (learned, unseen)]
            if not (has[0].any() and has[1].any()):
                continue
            real, held = (values[rows, column].mean() for values, rows in zip(scores, has, strict=True))
            way = float(real - fake[:, column].mean())
            gap = float((real - held) / way) if way > 1e-6 else 0.0
            self.gaps[kind] = REMEMBERED * self.gaps[kind] + (1 - REMEMBERED) * min(1.0, max(0.0, gap))
            change = ADAPT_STEPS * len(learned) / ADAPT_EXAMPLES
            p = getattr(trainer, f"augment_{kind}") + (change if self.gaps[kind] > self.target else -change)
            setattr(trainer, f"augment_{kind}", min(MOST_AUGMENTED, max(0.0, p)))

    def _scores(self, batch: Batch) -> Tensor:
        trainer = self.trainer
        embeddings = trainer.text_encoder.encode(batch.texts).to(trainer.device)
        batch = batch.to(trainer.device)
        return trainer.objectives.scores([batch.image, batch.mel], embeddings).values.cpu()

    # Visits -------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        super()._begin()
        if not self.first:
            self._judge()
        elif 0 < self.evidence.best_step == self.trainer.step_count:  # a kill may have come before they were written
            self._write_best(self.evidence.best_step)

    def _judge(self) -> None:
        """Sheets of samples, before beside after, and what files never seen say of them."""
        start, trainer, step = time.monotonic(), self.trainer, self.trainer.step_count
        if self.prompts and not self._stopping():
            image, mel = trainer.sample([p.text for p in self.prompts], self.latents)
            shown = list(range(0, len(self.prompts), max(1, len(self.prompts) // SHEET_COLUMNS)))[:SHEET_COLUMNS]
            self._compare(image[shown], mel[shown], shown)
            self.measures = self._measured(image, mel)
            share = self._share()
            better = not self.decided and self._weigh(step, share, self.measures)
            row = {"step": step, "seconds": self.elapsed, "share": share}
            row |= {f"overfitting_{kind}": self.gaps[kind] for kind in self.own if self.held}
            for kind, found in self.measures.items():
                row |= found.as_dict(kind)
            self.run_folder.log_metrics(row)
            if better:
                self._keep(step)
            self._say()
        self.judged_at, self.judge_cost = self._not_training_since(start)

    def _measured(self, image: Tensor, mel: Tensor) -> dict[str, Measures]:
        place = {caption: i for i, caption in enumerate(self.captions)}
        asked = torch.tensor([place.get(prompt.concept, -1) for prompt in self.prompts])
        known = asked >= 0
        found = {}
        for kind, rows in zip(SIDES, (image, mel), strict=True):
            if kind not in self.own:
                continue
            critic = getattr(self.trainer.discriminators, kind)
            measured = self.own[kind](rows, [prompt.concept for prompt in self.prompts])
            if known.any() and len(self.captions) > 1:
                match = caption_match(critic, rows[known], asked[known], self.embeddings)
                measured = measured.with_match(match, self._real_match(kind, critic, place))
            found[kind] = measured
        return found

    def _real_match(self, kind: str, critic, place: dict[str, int]) -> float | None:
        """The same of files: held out, where their captions are among those that are learned."""
        rows, _, concepts = bank(self.held, kind) if self.held else ([], [], [])
        known = [i for i, concept in enumerate(concepts) if concept in place]
        if not known:
            return None
        asked = torch.tensor([place[concepts[i]] for i in known])
        return caption_match(critic, rows[known], asked, self.embeddings)

    def _compare(self, image: Tensor, mel: Tensor, shown: Sequence[int]) -> None:
        """The ``SHEET``: the base's samples, the model's of the same codes and captions, nearest files."""
        captions = [self.prompts[i].text for i in shown]
        self.compared = captions
        embeddings = self.trainer.text_encoder.encode(captions)
        with torch.no_grad():
            before = self.base_generator(embeddings, self.latents[list(shown)])
        loader = self.trainer.loader
        blank, silence = torch.zeros_like(image), torch.full_like(mel, loader.silence)
        near_image = loader.images(self.own["image"].nearest_places(image)) if "image" in self.own else blank
        near_mel = loader.mels(self.own["audio"].nearest_places(mel)) if "audio" in self.own else silence
        rows = [(before[0].float(), before[1].float()), (image, mel), (near_image, near_mel)]
        labels = [f"{what}: {c}" for what in ("before", "after", "nearest of your files to") for c in captions]
        sample_sheet(
            torch.cat([row[0] for row in rows]), torch.cat([row[1] for row in rows]), labels,
            self.run_folder.folder / SHEET, len(captions),
        )  # fmt: skip
        if data_are_gone(self.run_folder):
            forget_examples(self.run_folder)

    # What follows from it -----------------------------------------------------------------------------------------

    def _weigh(self, step: int, share: float, found: dict[str, Measures]) -> bool:
        """Adds a visit to the evidence; whether it is the best so far."""
        if not self.first:
            self.first = found
        distances = [m.to_held_out for m in found.values() if m.to_held_out is not None]
        # With few files held out, chance takes a distance below 0 too; a lower one is nearer all the same.
        distance = criterion = _mean(distances)
        matches = [m.caption_match for m in found.values() if m.caption_match is not None]
        varieties = [min(1.0, m.variety) for m in found.values() if m.variety is not None]
        if distance is not None:
            criterion = DISTANCE_WEIGHT * distance
            criterion += 1 - _mean(matches) if matches else 0.0  # near the files, and under the right captions
            # A model that makes one thing for each caption comes near to few files soon, and would be kept.
            criterion += 1 - _mean(varieties) if varieties else 0.0
            # Near-copies come near to held-out files as well as anything, and are not what a person is here for.
            criterion += _mean([m.copies for m in found.values()])
        copies = max((m.copies for m in found.values()), default=0.0)
        nearer = max((m.nearer for m in found.values()), default=0.0)
        better = self.evidence.see(step, share, criterion, copies, nearer, distance)
        self.verdict = self.evidence.verdict(share)
        return better

    def _keep(self, step: int) -> None:
        """The weights of the best visit so far, which the end will bring back."""
        # First the checkpoint, or a resumed run would know nothing of the visit whose weights these are.
        save(self.trainer, self.run_folder, self.elapsed)
        self.saved_at = time.monotonic()
        self._write_best(step)

    def _write_best(self, step: int) -> None:
        save_model(self.run_folder.folder / "best", self.trainer.ema, info={"step": step})

    def _say(self) -> None:
        """The sentences for people, in the run's status."""
        kept = self.run_folder.status().get("finetune") or {}
        sentences = [s for kind, m in self.measures.items() for s in describe(kind, m, self.first.get(kind))]
        kept |= {
            "captions": self.compared,
            "sentences": sentences,
            "gauges": {kind: m.gauge for kind, m in self.measures.items()},
        }
        self.run_folder.set_status("running", step=self.trainer.step_count, finetune=kept)
        self.trainer.info = {"finetune": {"base": self.base.name, "sentences": sentences}}

    def _state(self) -> tuple[bool, float]:
        done, share = super()._state()
        if not self.run_folder:
            return done, share
        done = done or bool(self.verdict)
        if done and not self._stopping() and not self.left:
            self.ending, self.decided = self.verdict, True  # the last visit shows what is brought back
            self._bring_back_best()
        return done, share

    def _bring_back_best(self) -> None:
        """The average becomes the one that matched held-out files best, unless nothing was better than the last."""
        if not self.evidence.later:
            return
        try:
            best = load_model(self.run_folder.folder / "best")
        except MmganError:
            return
        if best.info.get("step") == self.evidence.best_step:
            self.trainer.ema.load_state_dict(best.generator.state_dict())
            kept = (
                f"Kept is what it was at step {self.evidence.best_step}, when it matched files that it never saw best."
            )
            self.ending = self.ending or kept

    def _end(self, state: str, reason: str, **more) -> int:
        if state == "finished" and self.run_folder:
            gauges = dict.fromkeys(measured.gauge for measured in self.measures.values())
            reason = " ".join([reason, *([self.ending] if self.ending else []), *gauges])
        return super()._end(state, reason, **more)


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None
