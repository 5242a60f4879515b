"""What a run is asked for, checked before anything of it is made."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Mapping, Sequence

from ..config import PRESETS, ModelConfig, TrainingConfig, from_dict, put, to_dict
from ..data.folder.names import is_device
from ..errors import CheckpointError, TrainingError
from ..language import Message
from ..models.cost import check_cost

MAX_NAME, MAX_SETTINGS, MAX_SETTING = 60, 80, 200  # characters of a name; settings of a start, characters of each
OPTIONS = Message("config.the_options")
NAME = re.compile(r"[^\W_][\w .()+-]*", re.UNICODE)  # any alphabet; nothing that is special in a path


def preset_of(training: dict) -> str:
    """The preset with the sizes of a run's settings, in grey or colour; "" if there is none."""
    try:
        model = from_dict(ModelConfig, training.get("model", {}))
    except CheckpointError:
        return ""
    return next((name for name, preset in PRESETS.items() if model.with_channels(1) == preset.with_channels(1)), "")


def check_name(name: str) -> str:
    """``name`` without space around it.

    Raises:
        TrainingError: it cannot be a folder's name.
    """
    name = " ".join(str(name).split())
    if not name or len(name) > MAX_NAME or not NAME.fullmatch(name) or name.endswith(".") or is_device(name):
        raise TrainingError("runs.bad_name", limit=MAX_NAME)
    return name


def configured(
    config: TrainingConfig, values: Mapping, settings: Sequence[str] = (), where: Message = OPTIONS
) -> TrainingConfig:
    """``config`` with values by name, and then each "name=value", put in.

    Raises:
        TrainingError: a setting does not read like that.
        CheckpointError: there is no such setting, or its value is outside its range.
    """
    tree = to_dict(config)
    for name, value in values.items():
        put(tree, name, value)
    return from_dict(TrainingConfig, with_settings(tree, settings), where)


def with_settings(values: dict, settings: Sequence[str]) -> dict:
    """Nested ``values`` with each "name=value" put in ("gamma=5", "model.image.size=64"); the value is JSON, or else a
    plain word."""
    for setting in settings:
        name, equals, value = setting.partition("=")
        with contextlib.suppress(ValueError):  # no JSON: a plain word
            value = json.loads(value)
        if not equals or not put(values, name, value):
            raise TrainingError("training.bad_setting", setting=setting)
    return values


def check_settings(preset: str, settings: dict) -> TrainingConfig:
    """What the training will be told.

    Raises:
        TrainingError: there is no such preset or setting, or its value is outside its range.
    """
    if len(settings) > MAX_SETTINGS or any(len(f"{key}={value}") > MAX_SETTING for key, value in settings.items()):
        raise TrainingError("runs.too_many_settings", count=MAX_SETTINGS, limit=MAX_SETTING)
    if preset not in PRESETS:
        raise TrainingError("runs.no_preset", name=preset, known=", ".join(PRESETS))
    try:
        given = [f"{key}={value}" for key, value in settings.items()]
        config = configured(TrainingConfig(model=PRESETS[preset]), {}, given, Message("config.the_settings"))
    except CheckpointError as error:
        raise TrainingError(error.message.with_values(advice=Message("config.put_within"))) from error
    try:
        check_cost(config.model, Message("models.the_model_begins"))
    except CheckpointError as error:
        raise TrainingError(error.message) from error
    batch, slices = config.optimization.batch_size, config.optimization.accumulate
    if batch % (4 * slices):
        raise TrainingError("runs.bad_slices", size=batch, slices=slices, divisor=4 * slices)
    return config
