"""How a benchmark says what it found: a table for people, a file for programs."""

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

FOLDER = Path("build/bench")
PACKAGES = ("quiver", "aiohttp", "uvicorn", "pymilvus", "milvus-lite", "onnxruntime", "openai")


@dataclass(frozen=True)
class Bar:
    """`bar` is the least value, or the largest where `at_most`."""

    value: float
    bar: float
    unit: str
    at_most: bool = False

    @property
    def holds(self) -> bool:
        return self.value <= self.bar if self.at_most else self.value >= self.bar


def report(name: str, bars: Mapping[str, Bar], *, notes: Sequence[str] = ()) -> int:
    """Print and write what was found, `notes` being what is published beside. The status to end with: 1 if a bar was
    missed."""
    found = {key: {**asdict(bar), "holds": bar.holds} for key, bar in bars.items()}
    text = {
        "name": name,
        "machine": _machine(),
        "versions": {p: version(p) for p in PACKAGES},
        "bars": found,
        "notes": list(notes),
    }
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.json").write_text(json.dumps(text, indent=2) + "\n")
    width = max(map(len, bars))
    for key, bar in bars.items():
        sign = "≤" if bar.at_most else "≥"
        print(
            f"{key:{width}}  {bar.value:8.3f} {bar.unit:9} bar {sign} {bar.bar:g}  {'holds' if bar.holds else 'MISSED'}"
        )
    return int(not all(bar.holds for bar in bars.values()))


def _machine() -> dict[str, object]:
    cores = len(os.sched_getaffinity(0))
    return {"system": platform.platform(), "python": platform.python_version(), "cores": cores}
