"""Runs on the Hugging Face Hub: hub:OWNER/NAME, or hub:OWNER/NAME@REVISION, in place of the folder of a run."""

import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mt.core.errors import UserError, shorten
from mt.corpora.hub import reachable

PREFIX = "hub:"
REPOSITORY = re.compile(r"[\w][\w.-]*/[\w][\w.-]*")
LOGIN = "log in with `hf auth login`, or set HF_TOKEN"


def is_on_hub(path: Path) -> bool:
    """Tell whether a run is named by its place on the Hub."""
    return path.as_posix().startswith(PREFIX)


def name_on_hub(path: Path) -> str:
    """Return the name of a run on the Hub, without its owner and revision."""
    return _parse(path)[0].partition("/")[2]


def check_repository(name: str) -> str:
    """Return OWNER/NAME. Raises UserError where that is no such name."""
    if not REPOSITORY.fullmatch(name):
        raise UserError(f"{shorten(name)} is no name on the Hub: write OWNER/NAME, where OWNER is you or your group")
    return name


def fetch(path: Path, patterns: Sequence[str]) -> Path:
    """Return the folder in the Hub's cache that holds a run, its files of these names brought there where they are not.

    Without a network it is what an earlier call has left. Raises UserError in plain words.
    """
    import huggingface_hub

    repository, revision = _parse(path)
    offline = not reachable()
    with telling(f"{path.as_posix()} cannot be fetched"):
        return Path(
            huggingface_hub.snapshot_download(
                repository, revision=revision, allow_patterns=[*patterns], local_files_only=offline
            )
        )


def upload(folder: Path, repository: str, patterns: Sequence[str], *, public: bool) -> None:
    """Make a folder what a repository holds of these names, which is made where there is none. Nothing else is touched.

    Raises UserError in plain words, also where the repository is public and is not meant to be, or the reverse.
    """
    import huggingface_hub
    from huggingface_hub import errors

    if huggingface_hub.get_token() is None:
        raise UserError(f"the Hub wants to know who you are: {LOGIN}")
    api = huggingface_hub.HfApi()
    with telling(f"{repository} cannot be written"):
        try:
            private = api.repo_info(repository).private
        except errors.RepositoryNotFoundError:
            api.create_repo(repository, private=not public)
            private = not public
        if public and private:
            raise UserError(
                f"{repository} is private: make it public in its settings on the Hub, or leave out --public"
            )
        if not public and not private:
            raise UserError(f"{repository} is public, so that all would see the run: add --public if they may")
        api.upload_folder(
            repo_id=repository, folder_path=folder, commit_message="A run of mt", delete_patterns=[*patterns]
        )


@contextmanager
def telling(what: str) -> Iterator[None]:
    """Tell by UserError, and by nothing else, what goes wrong with the Hub; show no bars where nobody looks."""
    from huggingface_hub import errors
    from huggingface_hub.utils.tqdm import disable_progress_bars

    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)
    if not sys.stderr.isatty():
        disable_progress_bars()
    try:
        yield
    except errors.LocalEntryNotFoundError as error:
        raise UserError(
            f"{what}: it is not in the cache, and the Hub cannot be reached; check the network (and HF_HUB_OFFLINE, "
            f"HF_ENDPOINT)"
        ) from error
    except errors.GatedRepoError as error:
        raise UserError(f"{what}: its owner gives it to those who ask: ask there, and {LOGIN}") from error
    except errors.RepositoryNotFoundError as error:
        raise UserError(
            f"{what}: there is no such repository, or it is private and you may not see it: {LOGIN}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise UserError(f"{what}: it has no such revision") from error
    except errors.HfHubHTTPError as error:
        refused = getattr(error.response, "status_code", 0) in {401, 403}
        why = f"you may not do that: {LOGIN}, with a token that may" if refused else _first(error)
        raise UserError(f"{what}: {why}") from error
    except UserError:
        raise
    except Exception as error:  # anything: of the network its transport raises a dozen types
        raise UserError(f"{what}: {_first(error)}") from error


def _first(error: Exception) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__


def _parse(path: Path) -> tuple[str, str | None]:
    """Return the repository and the revision. Raises UserError where they are none."""
    repository, at, revision = path.as_posix().removeprefix(PREFIX).partition("@")
    if not REPOSITORY.fullmatch(repository) or (at and not revision):
        raise UserError(f"{path.as_posix()} is no run on the Hub: write hub:OWNER/NAME, or hub:OWNER/NAME@REVISION")
    return repository, revision or None
