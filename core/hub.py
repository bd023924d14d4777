"""Checkpoints of the Hugging Face hub by id: ``owner/name``, or ``owner/name@revision``, where no such path is here.

A revision is resolved to a commit first, and what is read is that commit, from huggingface_hub's own cache: once it is
there, it opens without the network. That package is imported for an id alone, since the page must open fast.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from os.path import dirname, exists
from pathlib import Path

from core.errors import CheckpointError
from core.json_files import shown
from core.layouts import CONFIG, INDEX, SCHEDULER
from core.layouts.diffusers import NAMES, NETWORKS

MAX_BYTES = 4_000_000_000
_ID = re.compile(r"([\w.-]{1,96}/[\w.-]{1,96})(?:@(\w[\w./-]{0,199}))?", re.ASCII)
_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True)
class Located:
    """Where a checkpoint lies. path: absolute. name: how it is called. text: how a command line names it again from any
    folder, a hub's by its commit. notes: what is to be said of a hub's, a sentence each."""

    path: Path
    name: str
    text: str
    notes: tuple[str, ...] = ()


def hub_id(text: str) -> tuple[str, str | None] | None:
    """(owner/name, the revision) of an id of the hub, or None where the text is a path: one that exists, one in a
    folder that exists, or whatever no id can be."""
    found = read_id(text)
    # in a folder that exists it is a path mistyped, and the hub is not told of it
    return None if found is None or exists(text) or exists(dirname(found[0])) else found


def read_id(text: str) -> tuple[str, str | None] | None:
    """(owner/name, the revision) of what can be an id of the hub; whether there is such a path is not asked."""
    match = _ID.fullmatch(text)
    if match is None or ".." in text:
        return None
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

    try:
        validate_repo_id(match[1])
    except HFValidationError:
        return None
    return match[1], match[2]


def locate(text: str | Path) -> Located:
    """Where the checkpoint of a path or of a hub's id lies, downloaded if need be. Raises CheckpointError for an id
    that cannot be had, and for what can be no path; whether a path exists is not asked."""
    try:
        found = hub_id(str(text))
        path = Path(text).expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:  # links that go round, no such user, a zero byte
        raise CheckpointError(f"{shown(str(text))} is no path of a folder: give the path of a checkpoint.") from error
    if found is None:
        return Located(path, path.name, str(path))
    return from_hub(*found)


def from_hub(repo: str, revision: str | None) -> Located:
    """The checkpoint of an id, downloaded if need be. Raises CheckpointError where it cannot be had."""
    path = _fetched(repo, revision)
    notes = (f"It is {repo} of the Hugging Face hub at commit {path.name}.", *_average(repo))
    return Located(path, repo.split("/")[1], f"{repo}@{path.name}", notes)


def _average(repo: str) -> tuple[str, ...]:
    """Of the DDPM authors' own checkpoints: they come in pairs, and only the name tells which is which."""
    if repo.startswith("google/ddpm-ema-"):
        return ("The weights are the average over training (EMA), as its name says.",)
    if repo.startswith("google/ddpm-"):
        return ("The weights are not averaged (non-EMA): google/ddpm-ema-… are the averages, and sample better.",)
    return ()


def wanted(files: Iterable[str]) -> list[str]:
    """Which files of a repository are read: configs, and one set of weights, a pickle only without safetensors."""
    there = sorted(files)
    chosen = [f for f in there if f in (INDEX, SCHEDULER, CONFIG, f"scheduler/{SCHEDULER}")]
    # the configs of further networks tell that this is no plain DDPM
    chosen += [f for f in there if f.count("/") == 1 and f.endswith(f"/{CONFIG}")]
    folder = next((f"{n}/" for n in NETWORKS if f"{n}/{CONFIG}" in chosen), "")
    if {CONFIG, SCHEDULER} <= set(chosen):
        folder = ""
    for name in sorted(NAMES, key=lambda name: ".bin" in name):
        if folder + name in there:
            return [*chosen, folder + name, *(_shards(there, folder, name) if name.endswith(".json") else ())]
    return chosen


def _shards(there: list[str], folder: str, index: str) -> list[str]:
    kind = ".bin" if ".bin" in index else ".safetensors"
    numbered = re.compile(rf"{folder}diffusion_pytorch_model[\w.-]*-of-[\w.-]*{kind}", re.ASCII)
    return [f for f in there if numbered.fullmatch(f) and ("fp16" in f) == ("fp16" in index)]


def _fetched(repo: str, revision: str | None) -> Path:
    """The folder of the commit, whose name is its hash. Raises CheckpointError."""
    from httpx2 import HTTPError  # what huggingface_hub speaks through, and lets through
    from huggingface_hub import HfApi, errors

    unreached = errors.OfflineModeIsEnabled, errors.LocalEntryNotFoundError, errors.RevisionResolutionError
    try:
        if revision is not None and _COMMIT.fullmatch(revision):
            commit = revision
        else:  # without the network, the one last seen
            commit = HfApi().resolve_revision(repo, revision=revision).resolved
        return _cached(repo, commit) or _downloaded(repo, commit)
    except errors.GatedRepoError as error:
        remedy = f"accept its terms at huggingface.co/{repo}, and sign in with hf auth login."
        raise CheckpointError(f"{repo} is gated: {remedy}") from error
    except errors.RepositoryNotFoundError as error:
        remedy = "check the id, or sign in with hf auth login; neither is there a folder of that name here."
        raise CheckpointError(f"There is no {repo} on the Hugging Face hub, or it is private: {remedy}") from error
    except errors.RevisionNotFoundError as error:
        raise CheckpointError(f"{repo} has no revision {revision}: name a branch, a tag or a whole commit.") from error
    except (HTTPError, *unreached) as error:
        remedy = "check the network, or give the path of a folder."
        raise CheckpointError(
            f"The Hugging Face hub cannot be reached, and {repo} is not in the cache: {remedy}"
        ) from error
    except OSError as error:
        remedy = "make room, or set HF_HOME to a folder with more."
        raise CheckpointError(f"{repo} cannot be kept ({error.strerror or error}): {remedy}") from error


def _cached(repo: str, commit: str) -> Path | None:
    from huggingface_hub import get_cached_repo_tree, snapshot_download
    from huggingface_hub.errors import CachedRepoTreeNotFoundError, IncompleteSnapshotError, LocalEntryNotFoundError

    try:
        files = wanted(f.path for f in get_cached_repo_tree(repo, revision=commit))
        return Path(snapshot_download(repo, revision=commit, allow_patterns=files, local_files_only=True))
    except (CachedRepoTreeNotFoundError, IncompleteSnapshotError, LocalEntryNotFoundError):
        return None


def _downloaded(repo: str, commit: str) -> Path:
    from huggingface_hub import HfApi, RepoFile, snapshot_download

    tree = HfApi().list_repo_tree(repo, revision=commit, recursive=True)
    sizes = {entry.path: entry.size for entry in tree if isinstance(entry, RepoFile)}
    files = wanted(sizes)
    if not any(Path(file).name in NAMES for file in files):
        raise CheckpointError(f"{repo} is no checkpoint in diffusers' layout: name one with diffusion_pytorch_model.")
    total = sum(sizes[file] for file in files)
    if total > MAX_BYTES:
        raise CheckpointError(
            f"{repo} holds {total / 1e9:.1f} GB of weights, and {MAX_BYTES / 1e9:.0f} are the most: name a smaller one."
        )
    return Path(snapshot_download(repo, revision=commit, allow_patterns=files))
