"""Who may start, stop, pause and delete runs: checked on the server for every such call, also of the API."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import threading
import time

from ...errors import MmganError
from .flags import Flags

FREE_GUESSES = 5  # wrong codes from one address before it has to wait
FIRST_WAIT, LONGEST_WAIT = 2.0, 300.0  # seconds; each further wrong code doubles the wait
ONE_PLACE = 64  # first bits of an IPv6 address, which its holder cannot choose
MAX_KEYS = 1_000  # unlocked pages that are remembered
MAX_ADDRESSES = 10_000


class AccessError(MmganError):
    """The caller may not do this; the sentence says who may, and how."""


def is_local(address: str) -> bool:
    """Whether a caller's ``address`` is of this machine."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:  # no address: the caller is behind a server that was not named to us
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback


class Guesses:
    """Counts wrong guesses at a secret by address: after ``free`` of them each doubles the wait for the next."""

    def __init__(self, free: int = FREE_GUESSES):
        self.free = free
        self.known: dict[str, tuple[int, float]] = {}  # wrong codes so far, and when the next one is looked at
        self._lock = threading.Lock()

    def claim(self, address: str) -> float:
        """0 where a guess may be looked at, which then counts as wrong until :meth:`right`; else seconds to wait.

        A guess counts before it is looked at; otherwise many made at the same moment would all be free.
        """
        place, now = _place(address), time.monotonic()
        with self._lock:
            count, until = self.known.get(place, (0, 0.0))
            if until > now:
                return until - now
            count += 1
            wait = 0.0 if count < self.free else min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(count - self.free, 30))
            while len(self.known) >= MAX_ADDRESSES:
                self.known.pop(next(iter(self.known)))
            self.known[place] = count, now + wait
        return 0.0

    def right(self, address: str) -> None:
        """The guess that was claimed last was right."""
        with self._lock:
            self.known.pop(_place(address), None)


def _place(address: str) -> str:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if parsed.version == 4 else str(ipaddress.ip_network((int(parsed), ONE_PLACE), strict=False))


class Access:
    """With a teacher code its holder may; without one everybody on a loopback address, and nobody on a public one, nor
    whoever reaches a loopback address through another server.

    A page that gave the right code once gets a key, random and kept in memory only, and shows that from then on, so
    that wrong guesses by others, who may share the teacher's address, never lock it out.
    """

    def __init__(self, flags: Flags):
        self._code = flags.teacher_code.encode() if flags.teacher_code else None
        self.closed = self._code is None and flags.public
        self._lock = threading.Lock()
        self._keys: dict[str, None] = {}
        self._guesses = Guesses()
        self._wrong = self._guesses.known

    @property
    def needs_code(self) -> bool:
        """Whether there is a teacher code."""
        return self._code is not None

    def check(self, code: str, address: str) -> None:
        """Returns where the caller may.

        Args:
            code: the teacher code, or a key from :meth:`unlock`.
            address: where the call comes from, as :class:`mmgan.ui.server.door.Door` knows it.

        Raises:
            AccessError: the code is missing or wrong, or there were too many wrong ones, or nobody may.
        """
        if self.closed:
            raise AccessError("train_code_closed")
        if self._code is None:
            if not is_local(address):
                raise AccessError("train_code_proxy")
            return
        if not isinstance(code, str) or not code:
            raise AccessError("train_code_needed")
        if code in self._keys:
            return
        if wait := self._guesses.claim(address):
            raise AccessError("train_code_wait", seconds=int(wait) + 1)
        given = code.encode("utf-8", "surrogatepass")
        if hmac.compare_digest(given, self._code):  # takes equally long wherever the two differ
            self._guesses.right(address)
            return
        raise AccessError("train_code_wrong")

    def unlock(self, code: str, address: str) -> str:
        """A key for a page whose visitor knows the code.

        Raises:
            AccessError: see :meth:`check`.
        """
        self.check(code, address)
        key = secrets.token_urlsafe(32)
        with self._lock:
            while len(self._keys) >= MAX_KEYS:
                self._keys.pop(next(iter(self._keys)))
            self._keys[key] = None
        return key

    def may(self, code: str, address: str = "127.0.0.1") -> bool:
        """Whether the caller may without a teacher code: ``code`` is a valid key, or no code is needed."""
        return not self.closed and (is_local(address) if self._code is None else code in self._keys)
