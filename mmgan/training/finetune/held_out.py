"""What a fine-tuning does beside its steps: it measures itself on held-out files.

They decide how much to augment, which weights to keep and when to stop, and show whether the model copies.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ...data.loader import Batch, Loader
from ...errors import MmganError
from ...evaluation.memorisation import Measures, OwnMeasure, describe
from ...evaluation.report import sample_sheet
from ...language import NOTHING, Message
from ...models import Discriminators
from ...models.checkpoint import Model
from ...runs.changes import changes
from ...runs.run import Run
from ..callbacks import SHEET_COLUMNS, Look, judged
from ..forgetting import SHEET, forget_examples
from ..session import Callback, Session
from ..trainer import Trainer
from ..warm_start import Base, base_modules
from .stopping import HeldOutEvidence

ADAPT_STEPS = 20  # between two looks at overfitting, each of which costs about half a step
ADAPT_EXAMPLES = 15_000  # in which augmentation can go from 0 to 1
MOST_AUGMENTED = 0.8  # beyond which augmentation shows in the samples (Karras et al. 2020)
REMEMBERED = 0.8  # share kept of earlier looks: a few held-out rows say little
DISTANCE_WEIGHT = 2.0  # beside shares of captions and variety; at 1, models that had hardly learned words were kept


class AugmentByHeldOut(Callback):
    """Augments more while critics tell training files from held-out files of the same kind.

    Args:
        held: loader of the files that are never learned from.
        target: the overfitting that augmentation is to hold, 0..1.
    """

    def __init__(self, trainer: Trainer, held: Loader, target: float):
        self.trainer, self.held, self.target = trainer, held, target
        self.gaps = dict.fromkeys(trainer.config.model.modalities, 0.0)

    def after_step(self, session: Session, terms: dict[str, float]) -> None:
        if self.trainer.step_count % ADAPT_STEPS == 0:
            self.adapt()

    @torch.no_grad()
    def adapt(self) -> None:
        """The share of the way from generated to learned rows by which held-out rows fall short: r_v of Karras et al.
        (2020, eq. 1), with critics' scores as they are."""
        trainer, step = self.trainer, self.trainer.step_count
        learned, unseen = trainer.loader.batch(step + 1), self.held.batch(step)
        draw = torch.Generator().manual_seed(step)
        latents = torch.randn(len(learned), trainer.config.model.latent_dim, generator=draw)
        embeddings = trainer.text_encoder.encode(learned.texts).to(trainer.device)
        made = trainer.game.generate(embeddings, latents.to(trainer.device))
        fake = trainer.game.scores(made, embeddings).values
        scores = [self._scores(batch) for batch in (learned, unseen)]
        for name in trainer.game.present:
            has = [batch.has[name] for batch in (learned, unseen)]
            if not (has[0].any() and has[1].any()):
                continue
            real, held = (values[name][rows].mean() for values, rows in zip(scores, has, strict=True))
            way = float(real - fake[name].cpu().mean())
            gap = float((real - held) / way) if way > 1e-6 else 0.0
            self.gaps[name] = REMEMBERED * self.gaps[name] + (1 - REMEMBERED) * min(1.0, max(0.0, gap))
            change = ADAPT_STEPS * len(learned) / ADAPT_EXAMPLES
            p = trainer.augment[name] + (change if self.gaps[name] > self.target else -change)
            trainer.augment[name] = min(MOST_AUGMENTED, max(0.0, p))

    def _scores(self, batch: Batch) -> dict[str, Tensor]:
        trainer = self.trainer
        embeddings = trainer.text_encoder.encode(batch.texts).to(trainer.device)
        scores = trainer.game.scores(batch.to(trainer.device).rows, embeddings)
        return {name: value.cpu() for name, value in scores.values.items()}


class HeldOut(Look):
    """Sheets of samples before and after, and their measures against held-out files.

    Args:
        run: the run's folder, whose earlier looks a resumed run remembers.
        base: what the trainer started from.
        held: loader of files that are never learned from; None where there are too few.
        augmentation: follows the overfitting that they show, if augmentation is on.
    """

    def __init__(
        self, trainer: Trainer, run: Run, base: Base, held: Loader | None,
        augmentation: AugmentByHeldOut | None = None,
    ):  # fmt: skip
        super().__init__()
        self.trainer, self.run_folder, self.base, self.held = trainer, run, base, held
        self.augmentation = augmentation
        self.verdict = self.ending = NOTHING  # why to end now; why it ended
        self.compared: list[str] = []  # captions of the sheet's columns
        self.decided = False  # whether the weights to keep have been chosen
        self.evidence = HeldOutEvidence()
        self.measures: dict[str, Measures] = {}
        self.first: dict[str, Measures] = {}
        self.prompts, self.latents = judged(trainer)
        self.base_generator, critics = base_modules(base)
        if critics is None:
            torch.manual_seed(0)
            critics = Discriminators(base.config).eval().requires_grad_(False)
        self.own = {name: OwnMeasure(name, critics, trainer.loader, held) for name in trainer.game.present}

    def begin(self, session: Session) -> None:
        self._replay(session)
        if not self.first:
            self.look(session)
        elif 0 < self.evidence.best_step == self.trainer.step_count:  # a kill may have come before they were saved
            self._write_best(self.evidence.best_step)

    def _replay(self, session: Session) -> None:
        """Replays the findings of earlier looks of a resumed run; a change of settings voids their verdict."""
        asked, share = [change["step"] for change in changes(self.run_folder.folder)], 0.0
        for row in self.run_folder.metrics()[0]:
            row = {name: value for name, value in row.items() if isinstance(value, (int, float))}
            found = {name: Measures.from_dict(row, name) for name in self.own if f"{name}_copies" in row}
            if found and "step" in row:
                while asked and asked[0] < row["step"]:
                    asked.pop(0)
                    self.evidence.go_on(share)
                share = session.share_at(row["step"], row.get("seconds", 0.0))
                self._weigh(row["step"], share, found)
        if asked:
            self.evidence.go_on(share)
            self.verdict = NOTHING

    def see(self, session: Session) -> None:
        if not self.prompts or session.stopping():
            return
        trainer, step = self.trainer, self.trainer.step_count
        rows = trainer.sample([p.text for p in self.prompts], self.latents)
        shown = list(range(0, len(self.prompts), max(1, len(self.prompts) // SHEET_COLUMNS)))[:SHEET_COLUMNS]
        self._compare({name: made[shown] for name, made in rows.items()}, shown)
        self.measures = self._measured(rows)
        share = session.share()
        better = not self.decided and self._weigh(step, share, self.measures)
        row = {"step": step, "seconds": session.elapsed, "share": share}
        if self.held:
            gaps = self.augmentation.gaps if self.augmentation else dict.fromkeys(self.own, 0.0)
            row |= {f"overfitting_{name}": gaps[name] for name in self.own}
        for name, found in self.measures.items():
            row |= found.as_dict(name)
        self.run_folder.log_metrics(row)
        if better:
            session.save()  # first, or a resumed run would not know of this look
            self._write_best(step)
        self._say()

    def _measured(self, rows: dict[str, Tensor]) -> dict[str, Measures]:
        concepts = [prompt.concept for prompt in self.prompts]
        return {name: own(rows[name], concepts) for name, own in self.own.items()}

    def _compare(self, after: dict[str, Tensor], shown: Sequence[int]) -> None:
        """Draws the ``SHEET``: samples of the base and of the model with the same codes and captions, nearest files."""
        self.compared = captions = [self.prompts[i].text for i in shown]
        loader, embeddings = self.trainer.loader, self.trainer.text_encoder.encode(captions)
        with torch.no_grad():
            before = self.base_generator(embeddings, self.latents[list(shown)])
        near = {name: loader.blank(name, len(shown)) for name in after}
        near |= {name: loader.rows(name, own.nearest_places(after[name])) for name, own in self.own.items()}
        labels = [f"{what}: {c}" for what in ("before", "after", "nearest of your files to") for c in captions]
        image, mel = (torch.cat([rows[name].float() for rows in (before, after, near)]) for name in ("image", "audio"))
        sample_sheet(image, mel, labels, self.run_folder.folder / SHEET, len(captions))
        if self.run_folder.data_are_gone():
            forget_examples(self.run_folder)

    # What follows from it -----------------------------------------------------------------------------------------

    def _weigh(self, step: int, share: float, found: dict[str, Measures]) -> bool:
        """Adds a look to the evidence; returns whether it is the best so far."""
        if not self.first:
            self.first = found
        distances = [m.distance for m in found.values() if m.distance is not None]
        # With few files held out, a distance may by chance be below 0; lower is still nearer.
        distance = criterion = _mean(distances) if distances else None
        matches = [m.caption_match for m in found.values() if m.caption_match is not None]
        varieties = [min(1.0, m.variety) for m in found.values() if m.variety is not None]
        if distance is not None:
            criterion = DISTANCE_WEIGHT * distance
            criterion += 1 - _mean(matches) if matches else 0.0  # near the files, and under the right captions
            # A model that makes one thing for each caption soon comes near to few files, and would be kept.
            criterion += 1 - _mean(varieties) if varieties else 0.0
            # Near-copies come as near to held-out files as anything, and nobody wants them.
            criterion += _mean([m.copies for m in found.values()])
        self.evidence.trusted = distance is None or any(m.trusted for m in found.values())
        copies = max((m.copies for m in found.values()), default=0.0)
        nearer = max((m.nearer for m in found.values()), default=0.0)
        better = self.evidence.see(step, share, criterion, copies, nearer, distance)
        self.verdict = self.evidence.verdict(share)
        return better

    def _write_best(self, step: int) -> None:
        """Saves the weights of the best look so far, which are restored at the end."""
        Model(self.trainer.ema, info={"step": step}).save_pretrained(self.run_folder.folder / "best")

    def _say(self) -> None:
        """Writes what people are told into the run's status."""
        kept = self.run_folder.status().get("finetune") or {}
        sentences = [s for name, m in self.measures.items() for s in describe(name, m, self.first.get(name))]
        kept |= {
            "captions": self.compared,
            "sentences": sentences,
            "gauges": {name: m.gauge for name, m in self.measures.items()},
        }
        self.run_folder.set_status("running", step=self.trainer.step_count, finetune=kept)
        self.trainer.info = {"finetune": {"base": self.base.name, "sentences": [*map(str, sentences)]}}

    def enough(self, session: Session) -> bool:
        return bool(self.verdict)

    def conclude(self, session: Session) -> None:
        """The average becomes the one that matched held-out files best, unless nothing was better than the last."""
        self.ending, self.decided = self.verdict, True  # the last look shows the weights chosen here
        if not self.evidence.later:
            return
        try:
            best = Model.from_pretrained(self.run_folder.folder / "best")
        except MmganError:
            return
        if best.info.get("step") == self.evidence.best_step:
            self.trainer.ema.load_state_dict(best.generator.state_dict())
            self.ending = self.ending or Message("finetune.kept_best", step=self.evidence.best_step)

    def reasons(self) -> list[Message]:
        gauges = dict.fromkeys(measured.gauge for measured in self.measures.values())
        return [*([self.ending] if self.ending else []), *gauges]


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
