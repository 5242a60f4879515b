"""What a run is asked for, checked before anything of it is made."""

from __future__ import annotations

import json
import re

from ..config import PRESETS, TrainingConfig, from_dict, to_dict
from ..cost import check_cost
from ..data.names import is_device
from ..errors import CheckpointError, TrainingError

MAX_NAME, MAX_SETTINGS, MAX_SETTING = 60, 80, 200  # characters of a name; settings of a start, characters of each
NAME = re.compile(r"[^\W_][\w .()+-]*", re.UNICODE)  # any alphabet; nothing that is special in a path


def preset_of(training: dict) -> str:
    """The preset whose sizes a run's settings have; "" where they are of none."""
    sizes = {key: value for key, value in training.get("model", {}).items() if key != "image_channels"}
    for name, preset in PRESETS.items():
        if sizes == {k: v for k, v in json.loads(json.dumps(to_dict(preset))).items() if k != "image_channels"}:
            return name
    return ""


def flat(values: dict, before: str = "") -> dict:
    """Values within values by their names with points: {"model": {"style_dim": 16}} -> {"model.style_dim": 16}."""
    found = {}
    for key, value in values.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {before + key: value}
    return found


def check_name(name: str) -> str:
    """``name`` without space around it.

    Raises:
        TrainingError: it cannot be a folder's name.
    """
    name = " ".join(str(name).split())
    if not name or len(name) > MAX_NAME or not NAME.fullmatch(name) or name.endswith(".") or is_device(name):
        raise TrainingError(
            f"Name the run with letters, digits, spaces, - and _, beginning with a letter or digit, up to {MAX_NAME}; "
            "con, nul and the like are Windows' own."
        )
    return name


def check_settings(preset: str, settings: dict) -> TrainingConfig:
    """What the training will be told.

    Raises:
        TrainingError: there is no such preset or setting, or its value is outside its limits.
    """
    from .begin import with_settings

    if len(settings) > MAX_SETTINGS or any(len(f"{key}={value}") > MAX_SETTING for key, value in settings.items()):
        raise TrainingError(f"Give at most {MAX_SETTINGS} settings, each of at most {MAX_SETTING} characters.")
    if preset not in PRESETS:
        raise TrainingError(f"There is no preset {preset!r}; choose one of {', '.join(PRESETS)}.")
    values = with_settings({"model": to_dict(PRESETS[preset])}, [f"{key}={value}" for key, value in settings.items()])
    try:
        config = from_dict(TrainingConfig, values, "the settings")
    except CheckpointError as error:
        sentence = str(error).partition("; take the file")[0]
        raise TrainingError(sentence.rstrip(".") + "; put it within its limits.") from error
    try:
        check_cost(config.model, "The model")
    except CheckpointError as error:
        raise TrainingError(str(error)) from error
    if config.batch_size % (4 * config.accumulate):
        raise TrainingError(
            f"A batch of {config.batch_size} cannot be cut into {config.accumulate} equal slices of whole fours; "
            f"choose a batch size that {4 * config.accumulate} divides."
        )
    return config
