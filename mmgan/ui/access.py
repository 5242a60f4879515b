"""Who may start, stop, pause and delete runs: asked on the server for every such call, the API's included."""

from __future__ import annotations

import hmac
import secrets
import threading
import time

from ..errors import MmganError
from .settings import Settings
from .strings import say

FREE_GUESSES = 5  # wrong codes from one address before it has to wait
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0  # seconds; each further wrong code doubles the wait
MAX_KEYS = 1_000  # unlocked pages remembered
MAX_ADDRESSES = 10_000


class AccessError(MmganError):
    """The caller may not do this; the sentence says who may, and how."""


class Access:
    """With a teacher code its holder may; without one everybody on a loopback address, and nobody on a public one.

    A page that gave the right code once gets a key, random and kept in memory only, and shows that from then on, so
    that wrong guesses by others, who may share the teacher's address, never lock it out.
    """

    def __init__(self, settings: Settings):
        self._code = settings.teacher_code.encode() if settings.teacher_code else None
        self.closed = self._code is None and settings.public
        self._lock = threading.Lock()
        self._keys: dict[str, None] = {}
        self._wrong: dict[str, tuple[int, float]] = {}  # by address: how often, and when the next try is looked at

    @property
    def needs_code(self) -> bool:
        """Whether there is a teacher code."""
        return self._code is not None

    def check(self, code: str, address: str, language: str = "en") -> None:
        """Lets pass whoever may.

        Args:
            code: the teacher code, or a key from :meth:`unlock`.
            address: where the call comes from.

        Raises:
            AccessError: the code is missing or wrong, or there were too many wrong ones, or nobody may.
        """
        if self.closed:
            raise AccessError(say("train_code_closed", language))
        if self._code is None:
            return
        if not isinstance(code, str) or not code:
            raise AccessError(say("train_code_needed", language))
        if code in self._keys:
            return
        with self._lock:
            count, until = self._wrong.get(address, (0, 0.0))
            if (left := until - time.monotonic()) > 0:
                raise AccessError(say("train_code_wait", language, seconds=int(left) + 1))
            if hmac.compare_digest(code.encode(), self._code):  # takes as long wherever the two differ
                self._wrong.pop(address, None)
                return
            count += 1
            wait = 0.0 if count < FREE_GUESSES else min(LONGEST_WAIT, FIRST_WAIT * 2 ** (count - FREE_GUESSES))
            while len(self._wrong) >= MAX_ADDRESSES:
                self._wrong.pop(next(iter(self._wrong)))
            self._wrong[address] = count, time.monotonic() + wait
        raise AccessError(say("train_code_wrong", language))

    def unlock(self, code: str, address: str, language: str = "en") -> str:
        """A key for a page whose visitor knows the code.

        Raises:
            AccessError: see :meth:`check`.
        """
        self.check(code, address, language)
        key = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._keys) >= MAX_KEYS:
                self._keys.pop(next(iter(self._keys)))
            self._keys[key] = None
        return key

    def may(self, code: str) -> bool:
        """Whether ``code`` is a key that opens, or none is needed; wrong teacher codes are not tried here."""
        return not self.closed and (self._code is None or code in self._keys)
