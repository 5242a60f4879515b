"""Mutations with fixed seeds: the same seed gives the same spoiled bytes or JSON value on every machine."""

from __future__ import annotations

import copy
import json
import random

# What breaks readers: wrong types, numbers at the edge of types, texts that few expect.
ODD_VALUES = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 1e308, -0.0, 1.5, float("inf"), float("nan"),
    "", " ", "\0", "a" * 10_000, "\ud800", "😀" * 80, "../../etc/passwd", "/", "C:\\x", "<script>", "{", "[[",
    "yesterday", "1e999",
    [], [[]], [None] * 50, {}, {"": ""}, {"a": {"b": {"c": []}}}, [[[[[[[[]]]]]]]],
)  # fmt: skip


def spoil_bytes(data: bytes, seed: int) -> bytes:
    """``data`` with a few bytes flipped, cut, repeated, inserted or zeroed."""
    draw = random.Random(seed)
    spoiled = bytearray(data)
    for _ in range(draw.randint(1, 4)):
        place = draw.randrange(len(spoiled) + 1)
        length = min(draw.choice((1, 1, 2, 4, 16, 256)), len(spoiled) - place)
        act = draw.randrange(6)
        if act == 0 and length:
            for index in range(place, place + length):
                spoiled[index] ^= 1 << draw.randrange(8)
        elif act == 1:
            del spoiled[place : place + length]
        elif act == 2:
            spoiled[place:place] = spoiled[place : place + length] * draw.choice((1, 2, 50))
        elif act == 3:
            spoiled[place:place] = draw.randbytes(draw.choice((1, 4, 64)))
        elif act == 4 and length:
            spoiled[place : place + length] = draw.choice((b"\0", b"\xff", b"\x7f")) * length
        elif act == 5:
            del spoiled[draw.randrange(len(spoiled) + 1) :]
    return bytes(spoiled)


def spoil_value(value, seed: int):
    """A copy of a JSON ``value`` in which one to three places hold something odd, are missing, or are new."""
    draw = random.Random(seed)
    spoiled = copy.deepcopy(value)
    for _ in range(draw.randint(1, 3)):
        places = list(_places(spoiled))
        if not places:
            return copy.deepcopy(draw.choice(ODD_VALUES))
        holder, key = draw.choice(places)
        act = draw.randrange(8)
        if act == 0:
            del holder[key]
        elif act == 1 and isinstance(holder, dict):
            holder[draw.choice(("", "x", "__class__", "id", "\0", "name"))] = copy.deepcopy(draw.choice(ODD_VALUES))
        elif act == 2:
            holder[key] = [holder[key]]
        elif act == 3:
            holder[key] = copy.deepcopy(draw.choice(places))[0]
        else:
            holder[key] = copy.deepcopy(draw.choice(ODD_VALUES))
    return spoiled


def spoil_json(data: bytes, seed: int) -> bytes:
    """JSON bytes spoiled in their values or, one time in three, in their bytes."""
    if seed % 3 == 0:
        return spoil_bytes(data, seed)
    return json.dumps(spoil_value(json.loads(data), seed)).encode("utf-8", "surrogatepass")


def _places(value):
    if isinstance(value, dict):
        for key in value:
            yield value, key
            yield from _places(value[key])
    elif isinstance(value, list):
        for index in range(len(value)):
            yield value, index
            yield from _places(value[index])
