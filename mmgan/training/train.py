"""A training from start to honest end: data -> Trainer -> run folder, with a progress bar for the person who waits.

Under ``accelerate launch`` every process runs this; the first one writes, and tells the others when to stop.
"""

from __future__ import annotations

import dataclasses
import json
import signal
import sys
import time
import traceback
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import broadcast
from tqdm import tqdm

from ..checkpoint import load_model, load_training_state, optimizer_tensors, restore_optimizer, save_model
from ..config import PRESETS, ModelConfig, TrainingConfig, from_dict, to_dict
from ..data import load_dataset
from ..errors import MmganError, TrainingError
from ..evaluation.live import live_judge
from ..evaluation.report import sample_sheet
from ..text import TextEncoder
from .runs import Run
from .trainer import Trainer

SHEET_COLUMNS, SHEET_ROWS = 8, 2
JUDGED = 100  # samples that the live judge looks at
SHOWN = {"generator": "G", "discriminator": "D"}  # losses in the progress bar


def main(options) -> int:
    """``mmgan train``: options as :mod:`mmgan.cli` defines them. Returns the exit status."""
    out = Path(options.out)
    if options.resume:
        saved = Run.open(out).config
        config, data = (
            from_dict(TrainingConfig, saved.get("training", {}), "the run's config.json"),
            saved.get("data", ""),
        )
    else:
        data = options.data
        changes = {
            name: getattr(options, name)
            for name in ("loss", "batch_size", "seed", "steps", "minutes", "learning_rate", "gamma", "accumulate")
            if getattr(options, name, None) is not None
        }
        changes |= {"model": to_dict(PRESETS[options.preset])}
        config = from_dict(TrainingConfig, with_settings(changes, options.set), "the options")
    return train(config, data, out, resume=options.resume, device=options.device, text_encoder=options.text_encoder)


def with_settings(values: dict, settings: list[str]) -> dict:
    """``values`` with each "name=value" or "model.name=value" put in; the value is JSON, or else a plain word."""
    for setting in settings:
        name, equals, value = setting.partition("=")
        *path, last = name.split(".")
        place = values
        for part in path:
            place = place.get(part) if isinstance(place, dict) else None
        if not equals or not last or not isinstance(place, dict):
            raise TrainingError(f"--set {setting} should read NAME=VALUE, such as --set gamma=5.")
        try:
            place[last] = json.loads(value)
        except ValueError:
            place[last] = value
    return values


def train(
    config: TrainingConfig,
    data: str,
    out: str | Path,
    resume: bool = False,
    device: str = "auto",
    text_encoder: str | None = None,
    progress: bool = True,
) -> int:
    """Trains a model into the run folder ``out``; returns 0 when finished or stopped, 1 when it failed.

    Args:
        config: sizes, rates and weights; the dataset decides between grey and RGB.
        data: a dataset's name, a folder or a zip.
        resume: go on from the run's checkpoint, exactly where it was.
        text_encoder: see :meth:`mmgan.TextEncoder.from_pretrained`.

    Raises:
        MmganError: the run cannot start. Whatever happens later is in the run's status.
    """
    accelerator = Accelerator(cpu=device == "cpu" or not torch.cuda.is_available())
    dataset = load_dataset(data)
    config = dataclasses.replace(config, model=_fitted(config.model, dataset.image_channels))
    trainer = Trainer(config, dataset, TextEncoder.from_pretrained(text_encoder), accelerator)
    elapsed = restore(trainer, Path(out)) if resume else 0.0
    if not accelerator.is_main_process:
        return _Loop(trainer, None, elapsed, False).run()
    settings = {"training": to_dict(config), "data": data, "text_encoder": text_encoder}
    with Run.resume(out) if resume else Run.create(out, settings) as run:
        return _Loop(trainer, run, elapsed, progress).run()


def _fitted(model: ModelConfig, channels: int) -> ModelConfig:
    return dataclasses.replace(model, image_channels=channels)


def save(trainer: Trainer, run: Run, elapsed: float) -> None:
    """Writes the checkpoint: the model that samples, and all that an exact resume needs."""
    generator, discriminators = trainer.generator, trainer.discriminators
    save_model(
        run.checkpoint,
        trainer.ema,
        discriminators,
        info=model_info(trainer),
        tensors={
            "generator-raw": generator.state_dict(),
            "optimizer-generator": optimizer_tensors(trainer.optimizer_g, generator.named_parameters()),
            "optimizer-discriminator": optimizer_tensors(trainer.optimizer_d, discriminators.named_parameters()),
        },
        state={
            "step": trainer.step_count,
            "elapsed": elapsed,
            "augment_image": trainer.augment_image,
            "augment_audio": trainer.augment_audio,
        },
    )


def model_info(trainer: Trainer) -> dict:
    """What a model folder says of itself."""
    return {
        "name": trainer.dataset.name,
        "dataset": trainer.dataset.name,
        "steps": trainer.step_count,
        "examples_seen": trainer.step_count * trainer.config.batch_size,
        "examples": trainer.dataset.examples,
        "captions": trainer.captions,
    }


def restore(trainer: Trainer, folder: Path) -> float:
    """Puts the trainer back where the run's checkpoint was; returns the seconds trained so far.

    Raises:
        MmganError: there is no checkpoint, or it does not fit the run's settings.
    """
    checkpoint = Run.open(folder).checkpoint
    model = load_model(checkpoint, with_discriminators=True)
    if model.config != trainer.config.model or model.discriminators is None:
        raise TrainingError(f"The checkpoint in {checkpoint} does not fit the run's config.json; start a new run.")
    tensors, state = load_training_state(checkpoint)
    try:
        trainer.ema.load_state_dict(model.generator.state_dict())
        trainer.discriminators.load_state_dict(model.discriminators.state_dict())
        trainer.generator.load_state_dict(tensors["generator-raw"])
        for optimizer, module, name in (
            (trainer.optimizer_g, trainer.generator, "optimizer-generator"),
            (trainer.optimizer_d, trainer.discriminators, "optimizer-discriminator"),
        ):
            restore_optimizer(optimizer, module.named_parameters(), tensors[name])
        trainer.step_count = int(state["step"])
        trainer.augment_image, trainer.augment_audio = float(state["augment_image"]), float(state["augment_audio"])
        return float(state["elapsed"])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise TrainingError(f"The checkpoint in {checkpoint} lacks what resuming needs; start a new run.") from error


class _Loop:
    """Steps until the end, and what happens between steps. ``run`` is None on all processes but the first."""

    def __init__(self, trainer: Trainer, run: Run | None, elapsed: float, progress: bool):
        self.trainer, self.run_folder, self.elapsed = trainer, run, elapsed
        self.config = trainer.config
        self.started = time.monotonic() - elapsed
        self.bar = tqdm(
            total=round(self.config.minutes * 60) if self.config.minutes else self.config.steps,
            initial=round(elapsed) if self.config.minutes else trainer.step_count,
            unit="s" if self.config.minutes else "step",
            bar_format="{percentage:3.0f}%|{bar}| {elapsed}<{remaining} {postfix}",
            dynamic_ncols=True, disable=not progress or run is None, file=sys.stderr,
        )  # fmt: skip
        self.judge = live_judge(trainer.dataset.name) if run else None
        prompts = trainer.dataset.prompts() or []
        self.prompts = [prompts[i * len(prompts) // JUDGED] for i in range(JUDGED)] if prompts else []
        self.latents = torch.randn(
            JUDGED, self.config.model.latent_dim, generator=torch.Generator().manual_seed(self.config.seed)
        )
        self.interrupted = False
        self.saved_at = self.sampled_at = self.counted_at = self.started + elapsed
        self.counted_step = trainer.step_count
        self.sums: dict[str, float] = {}
        self.accuracy: dict[str, float] = {}

    def run(self) -> int:
        previous = self._catch_signals()
        try:
            return self._steps()
        except torch.OutOfMemoryError:
            half = max(2, self.config.batch_size // 2)
            return self._end("out_of_memory", f"The memory was too small; try a batch size of {half}.", batch_size=half)
        except MmganError as error:
            return self._end("failed", str(error))
        except Exception as error:
            if self.run_folder:
                self.run_folder.log(traceback.format_exc())
            return self._end(
                "failed", f"Training failed at step {self.trainer.step_count} ({error}); the log has the details."
            )
        finally:
            self.bar.close()
            for number, handler in previous.items():
                signal.signal(number, handler)

    def _steps(self) -> int:
        if self.run_folder:
            self.run_folder.set_status("running", step=self.trainer.step_count)
            self._sample()
        while True:
            done, self.trainer.progress = self._agree(*self._state())
            if done:
                break
            terms = self.trainer.step()
            self.elapsed = time.monotonic() - self.started
            if self.run_folder:
                self._after_step(terms)
        if not self.run_folder:
            return 0
        self._sample()
        self._save()
        stopped = self.interrupted or self.run_folder.stop_requested()
        return self._end("stopped" if stopped else "finished", f"Saved at step {self.trainer.step_count}.")

    def _state(self) -> tuple[bool, float]:
        """Whether to end now, and the share that is done."""
        if not self.run_folder:
            return False, 0.0
        c = self.config
        share = self.elapsed / (60 * c.minutes) if c.minutes else self.trainer.step_count / c.steps
        return self.interrupted or share >= 1 or self.run_folder.stop_requested(), share

    def _agree(self, done: bool, share: float) -> tuple[bool, float]:
        """What the first process says, on every process."""
        accelerator = self.trainer.accelerator
        if accelerator.num_processes == 1:
            return done, share
        values = broadcast(torch.tensor([float(done), share], dtype=torch.float64, device=accelerator.device))
        return bool(values[0]), float(values[1])

    def _after_step(self, terms: dict[str, float]) -> None:
        c, step, now = self.config, self.trainer.step_count, time.monotonic()
        for name, value in terms.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        count = step - self.counted_step
        if count >= c.metric_steps:
            means = {name: value / count for name, value in self.sums.items()}
            means["penalty"] = means.get("penalty", 0.0) * c.penalty_interval  # computed every so many steps only
            speed = count * c.batch_size / (now - self.counted_at)
            self.run_folder.log_metrics({"step": step, "seconds": self.elapsed, "pairs_per_second": speed, **means})
            self.run_folder.set_status("running", step=step)
            self.sums, self.counted_step, self.counted_at = {}, step, now
            self._show(means, speed)
        if now - self.sampled_at >= c.sample_seconds:
            self._sample()
            self.sampled_at = time.monotonic()
            self.counted_at += self.sampled_at - now  # sampling is no part of the speed of training
        if now - self.saved_at >= c.checkpoint_seconds:
            self._save()

    def _show(self, means: dict[str, float], speed: float) -> None:
        self.bar.n = min(self.bar.total, int(self.elapsed) if self.config.minutes else self.trainer.step_count)
        losses = " ".join(f"{short} {means[name]:.2f}" for name, short in SHOWN.items())
        judged = " ".join(f"{name.removesuffix('_accuracy')} {value:.0%}" for name, value in self.accuracy.items())
        self.bar.set_postfix_str(f"step {self.trainer.step_count} {losses} {speed:.0f} pairs/s {judged}", refresh=True)

    def _sample(self) -> None:
        """A sheet of the same latent codes at every visit, and what the live judge says of them."""
        if not self.prompts:
            return
        trainer, step = self.trainer, self.trainer.step_count
        image, mel = trainer.sample([p.text for p in self.prompts], self.latents)
        shown = range(0, JUDGED, JUDGED // (SHEET_COLUMNS * SHEET_ROWS))[: SHEET_COLUMNS * SHEET_ROWS]
        captions = [self.prompts[i].text for i in shown]
        sample_sheet(image[list(shown)], mel[list(shown)], captions, self.run_folder.sample_path(step), SHEET_COLUMNS)
        if self.judge:
            self.accuracy = self.judge(image, mel, [p.concept for p in self.prompts])
            self.run_folder.log_metrics({"step": step, "seconds": self.elapsed, **self.accuracy})

    def _save(self) -> None:
        start = time.monotonic()
        save(self.trainer, self.run_folder, self.elapsed)
        self.saved_at = time.monotonic()
        self.counted_at += self.saved_at - start

    def _end(self, state: str, reason: str, **more) -> int:
        if self.run_folder:
            self.run_folder.set_status(state, step=self.trainer.step_count, reason=reason, **more)
            self.run_folder.log(f"{state}: {reason}")
            self.bar.close()
            print(f"{state}: {reason} {self.run_folder.folder}", file=sys.stderr)
        return 0 if state in ("finished", "stopped") else 1

    def _catch_signals(self) -> dict:
        """Ctrl-C and a polite kill save and stop at the next step instead of losing work."""

        def stop(*_):
            self.interrupted = True

        try:
            return {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
        except ValueError:  # not in the main thread, where Python delivers none
            return {}
