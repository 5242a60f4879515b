"""Between a Trainer and the checkpoint of its run: all that an exact resume needs."""

from __future__ import annotations

from pathlib import Path

from ..config import ModelConfig
from ..errors import TrainingError
from ..models.checkpoint import Model, optimizer_tensors, restore_optimizer
from ..runs.run import Run
from .trainer import Trainer


def save(trainer: Trainer, run: Run, elapsed: float) -> None:
    """Writes the checkpoint: the model that samples, and all that an exact resume needs."""
    generator, discriminators = trainer.generator, trainer.discriminators
    Model(trainer.ema, discriminators, info=model_info(trainer)).save_pretrained(
        run.checkpoint,
        tensors={
            "generator-raw": generator.state_dict(),
            "optimizer-generator": optimizer_tensors(trainer.optimizer_g, generator.named_parameters()),
            "optimizer-discriminator": optimizer_tensors(trainer.optimizer_d, discriminators.named_parameters()),
        },
        state={
            "step": trainer.step_count,
            "examples": trainer.examples_seen,
            "elapsed": elapsed,
            **{f"augment_{name}": p for name, p in trainer.augment.items()},
        },
    )


def model_info(trainer: Trainer) -> dict:
    """What a model folder says of itself."""
    return {
        "name": trainer.dataset.name,
        "dataset": trainer.dataset.name,
        "steps": trainer.step_count,
        "examples_seen": trainer.examples_seen,
        "examples": trainer.dataset.examples,
        "captions": trainer.captions,
        **trainer.info,
    }


def warm_start(trainer: Trainer, source: str | Path) -> None:
    """Puts a model's weights into a trainer that has not trained yet; optimisers and steps begin anew.

    Raises:
        MmganError: there is no such model, its sizes differ, or its discriminators were not saved.
    """
    model, name = Model.from_pretrained(source, with_discriminators=True), Path(source).name  # a page shows no path
    if model.discriminators is None:
        raise TrainingError("training.no_discriminators", path=name)
    theirs, ours = (_colour(config) for config in (model.config, trainer.config.model))
    if None not in (theirs, ours) and theirs != ours:
        raise TrainingError("training.data_grey" if theirs else "training.data_colour", name=name)
    if model.config != trainer.config.model:
        raise TrainingError("training.other_sizes", path=name)
    for module in (trainer.generator, trainer.ema):
        module.load_state_dict(model.generator.state_dict())
    trainer.discriminators.load_state_dict(model.discriminators.state_dict())


def _colour(model: ModelConfig) -> bool | None:
    """Whether a model makes pictures in colour; None: it makes none."""
    return model.image.channels == 3 if "image" in model.modalities else None


def restore(trainer: Trainer, folder: Path) -> float:
    """Puts the trainer back where the run's checkpoint was; returns the seconds trained so far.

    Raises:
        MmganError: there is no checkpoint, or it does not fit the run's settings.
    """
    checkpoint = Run.open(folder).checkpoint
    model = Model.from_pretrained(checkpoint, with_discriminators=True)
    if model.config != trainer.config.model or model.discriminators is None:
        raise TrainingError("training.checkpoint_misfit", path=checkpoint)
    tensors, state = Model.load_training_state(checkpoint)
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
        trainer.examples_seen = int(state.get("examples", trainer.step_count * trainer.loader.batch_size))
        trainer.augment = {name: float(state[f"augment_{name}"]) for name in trainer.augment}
        return float(state["elapsed"])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise TrainingError("training.checkpoint_lacks", path=checkpoint) from error
