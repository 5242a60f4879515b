"""What a tab of the page is: a record, and what it is given to work with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import gradio as gr
from starlette.routing import BaseRoute

from ..system.resources import ASSETS
from .server.flags import Flags
from .server.owner import owner_of
from .server.queueing import Share
from .server.quota import Quota
from .server.seeing import SeenSampler, Sight
from .server.turns import visitor_of

if TYPE_CHECKING:
    from .sample.sampler import Sampler
    from .train.desk import Desk


@dataclass(frozen=True)
class Studio:
    """What the tabs of one page share."""

    demo: gr.Blocks
    flags: Flags
    sampler: Sampler
    sight: Sight  # who sees which run
    desk: Desk  # starts runs and follows them
    quota: Quota
    share: Share  # shares of gradio's queue, and of what goes past it

    def seen(self, request: gr.Request | None) -> SeenSampler:
        """The sampler as the visitor of a request has it."""
        return SeenSampler(self.sampler, self.sight, owner_of(getattr(request, "cookies", None)), visitor_of(request))


def _no_routes(studio: Studio) -> list[BaseRoute]:
    return []


@dataclass(frozen=True)
class Tab:
    """A tab. Its title is the text ``tab_KEY``.

    Args:
        key: names its folder under ``assets/``, where ``tab.js`` begins it, and the address of its routes.
        build: adds its components to the surrounding ``gr.Blocks``.
        routes: gives what its scripts ask for, with paths as seen from ``/KEY``.
        folder: of its scripts and styles where it is not ``assets/KEY``.
        strings: texts that are not in the files of :mod:`mmgan.language`: language -> key -> text.
    """

    key: str
    build: Callable[[Studio], None]
    routes: Callable[[Studio], list[BaseRoute]] = _no_routes
    folder: Path | None = None
    strings: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def assets(self) -> Path:
        """The folder of its scripts and styles."""
        return self.folder or ASSETS / self.key
