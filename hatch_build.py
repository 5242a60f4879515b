"""Puts ``pretrained/`` and ``assets/`` into wheels; they stay at the top of the repository
(mmgan/system/resources.py)."""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Ship(BuildHookInterface):
    def initialize(self, version: str, build_data: dict) -> None:
        if version != "editable":  # which uses the folders where they are
            build_data["force_include"] |= {name: f"mmgan/{name}" for name in ("pretrained", "assets")}
