"""Fills a folder with a model of the Hugging Face hub. It runs by itself, with the engine image's Python:
`python -c SOURCE REPOSITORY REVISION FOLDER`.

Writes a line of JSON every few seconds (`bytes`, `total`), and one with the `error` where it cannot go on. A pod that
is killed goes on with the files that it has. The model of the fill before stays for the engines still reading it; all
others are removed.
"""

import json
import shutil
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

PERIOD_S = 5.0
SAFE = ".safetensors"
WEIGHTS = (".bin", ".pt", ".pth")
OTHERS = (".json", ".txt", ".model", ".tiktoken", ".jinja", ".py")
BEFORE = "filled.json"  # the commit of the last complete fill


def main() -> int:
    repository, revision, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    try:
        fill(repository, revision or None, folder)
    except Exception as error:
        say({"error": f"{repository}: {error}"})
        return 1
    return 0


def fill(repository: str, revision: str | None, folder: Path) -> None:
    """Raises ValueError if the claim is too small, and the hub's errors."""
    from huggingface_hub import HfApi, snapshot_download

    folder.mkdir(parents=True, exist_ok=True)
    model = HfApi().model_info(repository, revision=revision, files_metadata=True)
    sizes = {file.rfilename: file.size or 0 for file in model.siblings or ()}
    files = wanted(sizes)
    total = sum(sizes[name] for name in files)
    remove_others(folder, {str(model.sha), before(folder)})
    others = size_of_others(folder, str(model.sha))
    room = shutil.disk_usage(folder).free + present(folder) - others
    if total > room:
        raise ValueError(f"it takes {total / 1e9:.1f} GB, and the claim has {room / 1e9:.1f}; raise spec.cache.size")
    ended = threading.Event()
    threading.Thread(target=report, args=(folder, others, total, ended), daemon=True).start()
    snapshot_download(repository, revision=revision, cache_dir=folder, allow_patterns=files)
    ended.set()
    (folder / BEFORE).write_text(json.dumps(model.sha))
    say({"bytes": total, "total": total})


def wanted(names: Iterable[str]) -> list[str]:
    """What engines read: one form of the weights, and what describes them. Files in folders are other forms."""
    top = [name for name in names if "/" not in name]
    weights = [name for name in top if name.endswith(SAFE)] or [name for name in top if name.endswith(WEIGHTS)]
    return sorted([*weights, *(name for name in top if name.endswith(OTHERS))])


def before(folder: Path) -> str:
    try:
        return str(json.loads((folder / BEFORE).read_text()))
    except (OSError, ValueError):
        return ""


def remove_others(folder: Path, kept: set[str]) -> None:
    from huggingface_hub import scan_cache_dir

    commits = [revision.commit_hash for repo in scan_cache_dir(folder).repos for revision in repo.revisions]
    scan_cache_dir(folder).delete_revisions(*(commit for commit in commits if commit not in kept)).execute()


def size_of_others(folder: Path, commit: str) -> int:
    """Bytes of other files beside the model."""
    from huggingface_hub import scan_cache_dir

    revisions = (revision for repo in scan_cache_dir(folder).repos for revision in repo.revisions)
    return sum(revision.size_on_disk for revision in revisions if revision.commit_hash != commit)


def report(folder: Path, others: int, total: int, ended: threading.Event) -> None:
    while not ended.wait(PERIOD_S):
        say({"bytes": max(0, present(folder) - others), "total": total})


def present(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.glob("*/blobs/*") if path.is_file())


def say(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
