"""What the scripts of the Train tab ask: three questions, each a JSON object that is answered with one."""

from __future__ import annotations

import functools

from starlette.requests import Request
from starlette.routing import BaseRoute, Route

from ..language import language
from ..server.owner import owner_of
from ..server.routes import address_of, answering, read_question
from ..server.sentences import without_places
from ..server.turns import Turns, visitor_of
from ..tab import Studio


def routes(studio: Studio) -> list[BaseRoute]:
    """``/poll`` says what is new, ``/act`` does what only some may, ``/look`` answers what costs more."""
    desk = studio.desk
    turns = Turns("mmgan-runs", at_once=8, each=2, asked=16)  # a request to a run may wait seconds for its answer

    def route(name: str) -> Route:
        async def answer(request: Request) -> dict:
            question, address = await read_question(request), address_of(request)
            # Visitors know the folders that they learn from; where other files are here is nobody's business.
            may = desk.access.may(str(question.get("code", "")), address)
            told = {"language": language(request), "owner": owner_of(request.cookies), "address": address}
            ask = functools.partial(getattr(desk, name), question, **told)
            return without_places(await turns.run(visitor_of(request), ask), keep=("data",) if may else ())

        return Route(f"/{name}", answering(answer), methods=["POST"])

    return [route("poll"), route("act"), route("look")]
