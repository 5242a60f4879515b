"""Decides from held-out files when a fine-tuning has learned what it can."""

from __future__ import annotations

from dataclasses import dataclass

from ...language import NOTHING, Message

PATIENCE = 5  # visits in a row of which none was better or closer
PATIENCE_SHARE = 0.2  # and at least this share of the time asked for
LEAST_SHARE = 0.25  # share of the time asked for before which nothing is ended
BETTER = 0.02  # a visit is better if lower by this share of the best, or by this much if the best is below 1
FITTED = 0.4  # it has learned once samples lie nearer to the learned files than this share of new files do
MOSTLY = 0.5  # share of samples that are near-copies
COPYING_VISITS = 2  # in a row in which most samples are copies


@dataclass
class HeldOutEvidence:
    """Follows what visits say of a model, and its distance to held-out files alone.

    ``best`` is the lowest value of the criterion, at ``best_step``, whose weights are the ones worth keeping.
    """

    best: float | None = None
    best_step: int = 0
    closest: float | None = None
    better_share: float = 0.0  # share of the time asked for at the last visit that was better or closer than all before
    since: int = 0  # visits since then in which the model was FITTED
    later: bool = False  # whether there were visits after the best one
    trusted: bool = True  # whether enough files are held out to end a training by them
    copying: int = 0  # visits in a row with mostly copies

    def see(
        self, step: int, share: float, criterion: float | None, copies: float, nearer: float = 0.5,
        distance: float | None = None,
    ) -> bool:  # fmt: skip
        """A visit at ``share`` (0..1) of the time asked for; returns whether it is the best so far.

        Args:
            criterion: by which weights are chosen, lower is better; None where no files are held out: the last visit
                that does not copy is the best.
            copies: share of samples that are near-copies of training files.
            nearer: see :class:`~mmgan.evaluation.memorisation.Measures`; while it is low, no patience is lost.
            distance: to the held-out files, a part of the criterion; while it falls, learning goes on, though other
                parts get worse meanwhile.
        """
        if step == 0:  # the base itself is no result
            return False
        self.copying = self.copying + 1 if copies >= MOSTLY else 0
        better = copies < MOSTLY if criterion is None else _lower(criterion, self.best)
        closer = distance is not None and _lower(distance, self.closest)
        if better:
            self.best, self.best_step = criterion, step
        if closer:
            self.closest = distance
        if better or closer:
            self.better_share, self.since = share, 0
        else:
            self.since += nearer >= FITTED
        self.later = not better
        return better

    def go_on(self, share: float) -> None:
        """Begins the patience anew, at ``share``, for somebody asked to go on; the best weights so far are kept."""
        self.since = self.copying = 0
        self.better_share = share

    def verdict(self, share: float) -> Message:
        """Why learning should end now; a false one to go on."""
        if share < LEAST_SHARE:
            return NOTHING
        if self.copying >= COPYING_VISITS:
            copied = Message("finetune.copied_at", step=self.best_step)
            return copied if self.best_step else Message("finetune.copied")
        if (
            self.trusted
            and self.best is not None
            and self.since >= PATIENCE
            and share - self.better_share >= PATIENCE_SHARE
        ):
            return Message("finetune.best_at", step=self.best_step)
        return NOTHING


def _lower(value: float, before: float | None) -> bool:
    return before is None or value < before - BETTER * min(1.0, abs(before))
