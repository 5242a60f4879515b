"""Which emoji are things to draw, by rules on emojibase's list, and their row of the table.

Of 1,949 entries 1,275 stay. Left out are letters, flags of countries and signs of typography; of things that come as a
man, a woman and a person, all but the person; and what differs in size or direction alone.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

LEFT_OUT = frozenset(
    (
        "country-flag", "subdivision-flag", "keycap", "zodiac", "skin-tone", "hair-style", "alphanum", "av-symbol",
        "other-symbol", "arrow", "religion", "punctuation", "math", "gender", "currency",
    )
)  # fmt: skip
MAN, WOMAN, JOINED, FACING_RIGHT = "1F468", "1F469", "-200D-", "-200D-27A1-FE0F"
OF_ONE_GENDER = frozenset(("1F930", "1FAC3", "1F46B", "1F46C", "1F46D"))  # pregnant and couples, without a joiner
SMALLER_SQUARES = frozenset(("25FC", "25FB", "25FE", "25FD", "25AA", "25AB", "1F518", "1F533", "1F532"))
WORDS_OF_ONE_GENDER = frozenset(  # which stay, for they are words of their own
    (
        "1F466", "1F467", MAN, WOMAN, "1F474", "1F475", "1F934", "1F478", "1F9D5", "1F385", "1F936", "1F483", "1F57A",
    )
)  # fmt: skip
HELD_OUT = 64  # concepts whose pictures no training sees: those of the lowest SHA-256
MIRRORED = {"fluentflat": {"1f449": "backhand-index-pointing-right"}}  # which the set's list of characters leaves out
RENDERED_UP_TO = 15.0  # Emoji version; newer ones have no 3D picture
COLUMNS = (
    "hexcode", "emoji", "group", "subgroup", "name_en", "tags_en", "name_zh", "tags_zh", "name_es", "name_fr",
    "name_de", "name_ja", "styles", "split", "gendered_word",
)  # fmt: skip


def is_thing(entry: Mapping, subgroup: str) -> bool:
    """Whether an entry of emojibase is one of the concepts."""
    code = entry["hexcode"]
    gendered = "gender" in entry or code.startswith((MAN + JOINED, WOMAN + JOINED)) or code in OF_ONE_GENDER
    return not (gendered or subgroup in LEFT_OUT or code.endswith(FACING_RIGHT) or code in SMALLER_SQUARES)


def rendered_name(entry: Mapping) -> str | None:
    """The file name, without its ending, of an entry's 3D picture; None where there is none."""
    if entry["version"] > RENDERED_UP_TO:
        return None
    code = entry["hexcode"].lower()
    return code if entry["type"] or code.endswith("-fe0f") else f"{code}-fe0f"


def drawing_name(characters: Mapping[str, str], code: str) -> str | None:
    """What a set of drawings calls the emoji; None where the set lacks it."""
    code = code.lower()
    return characters.get(code) or characters.get(code.replace("-fe0f", ""))


def table(lists: Mapping[str, list[dict]], groups: Mapping, characters: Mapping[str, Mapping[str, str]]) -> list[dict]:
    """The rows of concepts.csv, in emoji order.

    Args:
        lists: emojibase's entries by language.
        groups: its names of groups and subgroups.
        characters: of each set of drawings, in the order of the styles, the names of its drawings by code.
    """
    entries = {language: {entry["hexcode"]: entry for entry in some} for language, some in lists.items()}
    rows = []
    for code, entry in entries["en"].items():
        if entry.get("group") is None or not is_thing(entry, groups["subgroups"][str(entry["subgroup"])]):
            continue
        styles = ["fluent3d"] if rendered_name(entry) else []
        styles += [style for style, names in characters.items() if drawing_name(names, code)]
        named = {f"name_{language}": entries[language][code]["label"] for language in lists}
        tags = {f"tags_{language}": "|".join(entries[language][code].get("tags", ())) for language in ("en", "zh")}
        rows.append(
            {
                "hexcode": code, "emoji": entry["emoji"], "group": groups["groups"][str(entry["group"])],
                "subgroup": groups["subgroups"][str(entry["subgroup"])], **named, **tags, "styles": "|".join(styles),
                "split": "train", "gendered_word": int(code in WORDS_OF_ONE_GENDER),
            }
        )  # fmt: skip
    for row in sorted(rows, key=lambda row: hashlib.sha256(row["hexcode"].encode()).hexdigest())[:HELD_OUT]:
        row["split"] = "val"
    return rows
