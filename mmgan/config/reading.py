"""Settings to JSON and back, each checked."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping

from ..errors import CheckpointError
from ..language import Message
from .migration import migrate_model, migrate_name, migrate_training
from .model import MODALITY_CONFIGS, ModelConfig
from .ranges import CHOICES, RANGE
from .training import NAMES, PARTS, SECTIONS, SETTINGS, TrainingConfig

FRESH = Message("config.take_fresh")


def to_dict(config) -> dict:
    """A section, or all of them, as plain JSON values."""
    values = {}
    for name in (setting.name for setting in dataclasses.fields(config)):
        value = getattr(config, name)
        if name == "modalities":
            values |= {modality: to_dict(section) for modality, section in value.items()}
        elif dataclasses.is_dataclass(value):
            values[name] = to_dict(value)
        else:
            values[name] = dict(value) if isinstance(value, Mapping) else value
    return values


def with_values(config, values: Mapping):
    """``config`` with some values put in, by a setting's own name ("gamma") or its place ("model.image.size").

    Raises:
        CheckpointError: see :func:`from_dict`.
    """
    tree = to_dict(config)
    for name, value in values.items():
        put(tree, name, value)
    return from_dict(type(config), tree, Message("config.the_settings"))


def put(tree: dict, name: str, value) -> bool:
    """Puts ``value`` into nested values; False where ``name`` leads through a value that has no parts.

    A name of an earlier release ("augment_image", "model.image_size") is understood as well.
    """
    name = migrate_name(name)
    *path, last = (SETTINGS[name][0] if name in SETTINGS and name not in tree else name).split(".")
    for part in path:
        if not isinstance(tree, dict) or not (part in tree or part in PARTS):
            return False
        tree = tree.setdefault(part, {})
    if not isinstance(tree, dict) or not last:
        return False
    tree[last] = value
    return True


def flat(values: Mapping) -> dict:
    """A training's nested values by the settings' own names, the model's by their places ("model.image.size")."""
    return {NAMES.get(place, place): value for place, value in _leaves(values, "")}


def _leaves(values: Mapping, before: str):
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield before + key, value


def from_dict(cls, values: dict, where: str | Message = "config.json"):
    """Builds ``cls`` from untrusted JSON values; absent fields keep their defaults.

    Raises:
        CheckpointError: an unknown field, a wrong type, or a value outside its range; the sentence names the field.
    """
    if not isinstance(values, dict):
        raise CheckpointError("config.no_object", where=where, advice=FRESH)
    values = _MIGRATIONS.get(cls, dict)(values)
    known = {f.name: f for f in dataclasses.fields(cls)}
    given = {}
    if cls is ModelConfig:
        known.pop("modalities")
        sections = {name: values.pop(name) for name in list(values) if name in MODALITY_CONFIGS}
        if sections:
            given["modalities"] = {
                name: from_dict(MODALITY_CONFIGS[name], section, _within(name, where))
                for name, section in sections.items()
            }
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise CheckpointError("config.unknown_setting", where=where, name=unknown[0])
    hints = typing.get_type_hints(cls)
    for name, value in values.items():
        # Sections of a training go unnamed: no two of them have a setting of the same name.
        place = where if hints[name] in SECTIONS.values() else _within(name, where)
        given[name] = _checked(known[name], hints[name], value, place)
    return cls(**given)


def sections(training: Mapping) -> dict:
    """A training's values from a file of any release, in today's sections."""
    values = migrate_training(training, {name: place for name, (place, _) in SETTINGS.items()})
    if isinstance(values.get("model"), dict):
        values["model"] = migrate_model(values["model"])
    return values


_MIGRATIONS = {ModelConfig: migrate_model, TrainingConfig: sections}


def _within(name: str, where: str | Message) -> Message:
    return Message("config.named", name=name, where=where)


def _checked(field_, hint, value, where):
    if dataclasses.is_dataclass(hint):
        return from_dict(hint, value, where)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, (list, tuple)) or not 1 <= len(value) <= 16:
            raise CheckpointError("config.bad_list", where=where, advice=FRESH)
        return tuple(_scalar(field_, typing.get_args(hint)[0], item, where) for item in value)
    if typing.get_origin(hint) is Mapping:
        if not isinstance(value, dict) or not set(value) <= set(MODALITY_CONFIGS):
            raise CheckpointError("config.bad_mapping", where=where, advice=FRESH)
        return {name: _scalar(field_, float, item, _within(name, where)) for name, item in value.items()}
    return _scalar(field_, hint, value, where)


def _scalar(field_, kind, value, where):
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else float("inf")
    if type(value) is not kind:
        raise CheckpointError("config.bad_type", where=where, type=kind.__name__, advice=FRESH)
    low, high = field_.metadata.get(RANGE, (None, None))
    if low is not None and not low <= value <= high:
        raise CheckpointError("config.outside", where=where, value=value, low=low, high=high, advice=FRESH)
    choices = field_.metadata.get(CHOICES)
    if choices and value not in choices:
        raise CheckpointError("config.not_one_of", where=where, value=value, known=", ".join(choices))
    return value
