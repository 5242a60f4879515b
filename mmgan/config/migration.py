"""Moves settings of earlier releases to their present places. Only this module knows old config files.

Until 0.1 a model's and a training's settings were flat ("image_size", "gamma"); since then they are in sections
("image": {"size": ...}, "losses": {"gamma": ...}).
"""

from __future__ import annotations

from collections.abc import Mapping

MODEL = {
    "image_size": "image.size", "image_channels": "image.channels", "image_patch": "image.patch",
    "image_widths": "image.widths", "latent_image": "image.latent",
    "audio_patch": "audio.patch", "audio_widths": "audio.widths", "latent_audio": "audio.latent",
}  # fmt: skip
EMBEDDING_DIM = 384  # models never had another width
MOST_ITERATIONS = 8  # of Griffin-Lim; larger numbers were accepted and did nothing


def migrate_name(name: str) -> str:
    """Where the setting ``name`` of an earlier release stands now; any other name as it is."""
    if name.startswith("model.") and name[6:] in MODEL:
        return f"model.{MODEL[name[6:]]}"
    return name


def migrate_model(values: Mapping) -> dict:
    """A model's settings in today's sections; present ones are only copied."""
    old = {name for name in values if name in MODEL}
    migrated = {name: value for name, value in values.items() if name not in old}
    if migrated.get("embedding_dim") == EMBEDDING_DIM:
        del migrated["embedding_dim"]
    sound = migrated.get("audio")
    if isinstance(sound, Mapping):
        migrated["audio"] = dict(sound)
        iterations = sound.get("griffin_lim_iterations")
        if type(iterations) is int and iterations > MOST_ITERATIONS:
            migrated["audio"]["griffin_lim_iterations"] = MOST_ITERATIONS
    if old:  # old files name every setting, and old models had both modalities, the picture first
        migrated = {"image": migrated.pop("image", {}), "audio": migrated.pop("audio", {}), **migrated}
        for name in old:
            _put(migrated, MODEL[name], values[name])
    return migrated


def migrate_training(values: Mapping, places: Mapping[str, str]) -> dict:
    """A training's settings in today's sections; ``places`` says where each stands ("gamma": "losses.gamma")."""
    migrated = {name: value for name, value in values.items() if name not in places}
    if migrated.get("weight_decay") == 0:  # AdamW was Adam, since nothing decayed
        del migrated["weight_decay"]
    for name, value in values.items():
        if name == "optimizer" and value == "adamw":
            value = "adam"
        if name in places:
            _put(migrated, places[name], value)
    return migrated


def _put(tree: dict, place: str, value) -> None:
    *path, last = place.split(".")
    for part in path:
        tree[part] = dict(tree[part]) if isinstance(tree.get(part), Mapping) else {}
        tree = tree[part]
    tree[last] = value
