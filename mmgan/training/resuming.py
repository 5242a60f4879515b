"""Between a Trainer and the checkpoint of its run: all that an exact resume needs."""

from __future__ import annotations

from pathlib import Path

from ..checkpoint import load_model, load_training_state, optimizer_tensors, restore_optimizer, save_model
from ..errors import TrainingError
from .runs import Run
from .trainer import Trainer


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
            "examples": trainer.examples_seen,
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
    model, name = load_model(source, with_discriminators=True), Path(source).name  # a page shows no path
    if model.discriminators is None:
        raise TrainingError(f"{name} has no discriminators, without which training cannot go on; take another model.")
    colour = model.config.image_channels == 3
    if colour != (trainer.config.model.image_channels == 3):
        raise TrainingError(
            f"{name} makes colour pictures and the data are grey; take other data, or start from another model."
            if colour
            else f"{name} makes grey pictures and the data are in colour; take other data, or start from another model."
        )
    if model.config != trainer.config.model:
        raise TrainingError(f"{name} has other sizes than the settings or the data ask for; take another model.")
    for module in (trainer.generator, trainer.ema):
        module.load_state_dict(model.generator.state_dict())
    trainer.discriminators.load_state_dict(model.discriminators.state_dict())


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
        trainer.examples_seen = int(state.get("examples", trainer.step_count * trainer.config.batch_size))
        trainer.augment_image, trainer.augment_audio = float(state["augment_image"]), float(state["augment_audio"])
        return float(state["elapsed"])
    except (KeyError, RuntimeError, TypeError, ValueError) as error:
        raise TrainingError(f"The checkpoint in {checkpoint} lacks what resuming needs; start a new run.") from error
