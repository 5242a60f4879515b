"""The Hugging Face Hub: folders from it and to it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..errors import CheckpointError, MmganError
from ..system.files import own_prefix

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")


def is_id(text: str) -> bool:
    """Whether ``text`` is "owner/name"."""
    return bool(_ID.fullmatch(text))


def download(repo_id: str, patterns: Iterable[str], offline: bool = False) -> Path:
    """The local folder of a repository, with only the files of the given names or patterns.

    Args:
        offline: takes what is in the local cache and asks nobody.

    Raises:
        CheckpointError: there is no such repository, or no connection.
    """
    import huggingface_hub

    options: dict[str, Any] = {"local_files_only": True} if offline else {}
    try:
        return Path(huggingface_hub.snapshot_download(repo_id, allow_patterns=list(patterns), **options))
    except Exception as error:  # the Hub's client, its transport and the disk raise errors of many kinds
        raise CheckpointError("models.not_on_hub", name=repo_id) from error


def upload(
    write: Callable[[Path], None], repo_id: str, files: Iterable[str], token: str | None = None, private: bool = True
) -> str:
    """Has ``write`` fill a folder, uploads its ``files`` (names or patterns), and returns the address.

    Args:
        repo_id: "owner/name"; made if it is not there.
        token: the person's own, with the right to write; None takes what ``hf auth login`` stored, or ``HF_TOKEN``.
        private: whether a new repository is seen by its owner alone.

    Raises:
        MmganError: the name or token is refused, or there is no connection; the token is in no sentence.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalTokenNotFoundError

    if not is_id(repo_id or ""):
        raise MmganError("sharing.bad_repo")
    with tempfile.TemporaryDirectory(prefix=own_prefix()) as temporary:
        folder = Path(temporary) / "model"
        write(folder)
        api = HfApi(token=token)
        try:
            address = api.create_repo(repo_id, private=private, exist_ok=True)
            api.upload_folder(
                folder_path=str(folder), repo_id=repo_id, allow_patterns=sorted(files),
                commit_message="A model made with mmgan",
            )  # fmt: skip
        except (HfHubHTTPError, HFValidationError, LocalTokenNotFoundError) as error:
            status = getattr(getattr(error, "response", None), "status_code", None)
            if status in (401, 403) or isinstance(error, LocalTokenNotFoundError):
                raise MmganError("sharing.no_right", name=repo_id) from None
            raise MmganError("sharing.refused", name=repo_id, error=status or "bad name") from None
        except Exception:  # of any kind; its text is not shown, since it may hold the token
            raise MmganError("sharing.no_hub") from None
    return str(address)
