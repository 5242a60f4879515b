"""The favourites' place in the page; ``assets/sample/favourites.js`` keeps them in the browser and fills it."""

from __future__ import annotations

from .cards import PLAY_ICON, ZIP_ICON, said

EMPTY = 'class="mm-empty"'


def box() -> str:
    """An empty list with its buttons, and what stands there until something is kept."""
    return (
        '<section class="mm-kept mm-none" aria-labelledby="favourites-title"><header>'
        f'<div><h2 id="favourites-title">{said("favourites")} <span class="mm-count"></span></h2></div>'
        f'<div class="mm-actions"><button type="button" class="mm-pill mm-play-all">{PLAY_ICON}'
        f"{said('play_all')}</button>"
        f'<button type="button" class="mm-pill mm-zip">{ZIP_ICON}{said("zip")}</button></div></header>'
        f'<ol class="mm-grid"></ol>{said("favourites_empty", "p", EMPTY)}'
        f"{said('no_storage', 'p', 'hidden class=mm-storage')}</section>"
    )
