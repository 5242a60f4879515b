"""What the library says, in Chinese: its English sentence, with a named place for each value -> the Chinese one.

The library knows nothing of this. Its sentences stand in English where they are raised, and
:func:`mmgan.ui.translation.in_chinese` knows them again. Tests read the library's code: a sentence that has no entry
here fails them, and so does an entry that no code says any more.

The value of a place named as one of ``SAID`` is itself a sentence, or a part of one, and is translated too.
"""

from __future__ import annotations

from . import data, models, training

SAID = frozenset({"reason", "advice", "said", "where", "what", "other", "again", "listed", "why"})
TEXTS: dict[str, str] = {**data.TEXTS, **models.TEXTS, **training.TEXTS}
