"""The API of the Train tab: runs listed, looked into, started and directed by name."""

from __future__ import annotations

import gradio as gr

from ..language import language
from ..server.access import AccessError
from ..server.owner import owner_of
from ..server.routes import address_of
from ..server.sentences import PageError, sentence, without_places
from .desk import Desk
from .watching import spoken_run

QUEUE = {"concurrency_id": "runs", "concurrency_limit": 4}
MAX_SETTINGS = 40


def add_api(desk: Desk) -> None:
    """Adds /runs, /hidden_runs, /run, /start_run, /stop_run, /pause_run, /resume_run, /delete_run to the Blocks."""
    ours = Endpoints(desk)
    directing = (ours.start_run, ours.stop_run, ours.pause_run, ours.resume_run, ours.delete_run)
    for method in (ours.runs, ours.hidden_runs, ours.run, *directing):
        gr.api(method, api_name=method.__name__, **QUEUE)


class Endpoints:
    """A method for each endpoint; gradio reads its signature and its docstring."""

    def __init__(self, desk: Desk):
        self._desk = desk

    def runs(self, request: gr.Request = None) -> list[dict]:
        """Every run that you may see, the newest first: name, state, step, share done, data, whether it has a model.

        A fine-tuning on a project is seen by whoever started it (known by the page's cookie), unless they let everybody
        see it.
        """
        may = self._desk.access.may("", address_of(request))
        return without_places([spoken_run(run, language(request)) for run in self._desk.runs(_owner(request), may)])

    def hidden_runs(self, teacher_code: str = "", request: gr.Request = None) -> list[dict]:
        """The runs of others that you may stop and delete but not see, so that you can free the computer.

        Each has a name for /stop_run and /delete_run that says nothing of it, and its state.

        Args:
            teacher_code: the code of `--teacher-code`, where the page was started with one.
        """
        try:
            self._desk.access.check(teacher_code, address_of(request))
        except AccessError as error:
            raise gr.Error(sentence(error, language(request)), print_exception=False) from error
        return without_places([run for run in self._desk.runs(_owner(request), True) if run.get("hidden")])

    def run(self, name: str, cursor: int = 0, epoch: str = "", request: gr.Request = None) -> dict:
        """One run and its metrics since a cursor.

        Answers with "run" (as in /runs), "settings", "visits" (steps with samples), and "metrics": "curves" by name
        with "x" (steps) and "y", and a "cursor" and an "epoch" to ask with next. A curve has 300 points at most; longer
        ones come as means with "low" and "high". "reset" says that earlier points are void, as after a resume.

        Args:
            name: of the run, as /runs gives it.
            cursor: of the answer before; 0 asks for everything.
            epoch: of the answer before.
        """
        spoken = language(request)
        if not name.strip():
            raise PageError("train_no_name")
        question = {"run": name, "cursor": cursor, "epoch": epoch, "version": ""}
        answer = self._desk.poll(question, spoken, _owner(request), address_of(request))
        if answer["run"] is None:
            raise PageError("runs.no_such_run", name=name[:60])
        kept = {key: answer[key] for key in ("run", "metrics", "visits", "log") if key in answer}
        return without_places(kept | self._desk.look({"what": "settings", "run": name}, spoken, _owner(request)))

    def start_run(
        self, name: str, data: str, preset: str = "tiny", loss: str = "relativistic", minutes: float = 8,
        settings: dict | None = None, start_from: str = "", teacher_code: str = "", request: gr.Request = None,
    ) -> dict:  # fmt: skip
        """Starts a training and answers with its name. One at a time runs for each two cores.

        Args:
            name: what to call it.
            data: "shapes", "digits", "emoji", or a folder or zip on the computer where mmgan runs.
            preset: the model's size: tiny, base or large.
            loss: the adversarial loss, one of those of `mmgan train --loss`.
            minutes: how long it trains.
            settings: those of `mmgan train --set`, such as {"learning_rate": 0.001}; {"minutes": 0, "steps": 5000}
                counts steps instead.
            start_from: a model of /models whose weights to go on from, and whose size then counts.
            teacher_code: the code of `--teacher-code`, where the page was started with one.
        """
        chosen = {"loss": loss, "minutes": minutes, **dict(list((settings or {}).items())[:MAX_SETTINGS])}
        if not chosen["minutes"]:
            del chosen["minutes"]
        return self._act(
            request, action="start", name=name, data=data, preset=preset, settings=chosen, start_from=start_from,
            code=teacher_code,
        )  # fmt: skip

    def stop_run(self, name: str, teacher_code: str = "", request: gr.Request = None) -> dict:
        """Saves and stops a training; the answer says at which step.

        Args:
            name: of the run, as /runs gives it.
            teacher_code: the code of `--teacher-code`, where the page was started with one.
        """
        return self._act(request, action="stop", run=name, code=teacher_code)["run"]

    def pause_run(self, name: str, teacher_code: str = "", request: gr.Request = None) -> dict:
        """Saves and pauses a training, which then uses no computing time.

        Args:
            name: of the run, as /runs gives it.
            teacher_code: the code of `--teacher-code`, where the page was started with one.
        """
        return self._act(request, action="pause", run=name, code=teacher_code)["run"]

    def resume_run(self, name: str, teacher_code: str = "", request: gr.Request = None) -> dict:
        """Lets a paused training go on, or a stopped or failed one from its last checkpoint.

        Args:
            name: of the run, as /runs gives it.
            teacher_code: the code of `--teacher-code`, where the page was started with one.
        """
        return self._act(request, action="resume", run=name, code=teacher_code)["run"]

    def delete_run(self, name: str, teacher_code: str = "", request: gr.Request = None) -> dict:
        """Deletes a run and all its files for good; refused while it is being trained.

        Args:
            name: of the run, as /runs gives it.
            teacher_code: the code of `--teacher-code`, where the page was started with one.
        """
        self._act(request, action="delete", run=name, code=teacher_code)
        return {"deleted": name}

    def _act(self, request: gr.Request, **question) -> dict:
        answer = self._desk.act(question, address_of(request), language(request), _owner(request))
        if "error" in answer:
            raise gr.Error(answer["error"], print_exception=False)
        return answer


def _owner(request: gr.Request | None) -> str:
    return owner_of(getattr(request, "cookies", None))
