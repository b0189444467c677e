"""One file for each registered tenant keeps its windows and verdicts across restarts.

The directory is the registration: a tenant is registered while it has a file. A file is replaced in one step, so a
crash leaves the old one or the new one, never a part. An unreadable file is set aside, and never overwritten.
"""

import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, count
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pydantic import TypeAdapter

from serving.drift.errors import StateError
from serving.drift.hours import Hours, Numbers
from serving.drift.series import Series
from serving.drift.verdict import Verdict

SUFFIX = ".npz"
DAMAGED = f"{SUFFIX}.damaged"
UNFINISHED = ".unfinished"
VERDICT: TypeAdapter[Verdict] = TypeAdapter(Verdict)
BASES: TypeAdapter[dict[str, str]] = TypeAdapter(dict[str, str])


@dataclass(frozen=True)
class Record:
    """The stored state of one signal of a tenant. `reference` is the tenant's reason for a new reference, `bases` what
    the samples depend on, by subject, and `change` the change of one that began the reference."""

    series: Series
    verdict: Verdict
    reference: str = ""
    bases: Mapping[str, str] = field(default_factory=dict)
    change: str = ""


# The stored state of one tenant, by signal.
Records = Mapping[str, Record]


class Store:
    """The files of a directory, created if missing. Names are trusted: callers check them."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        for leftover in directory.glob(f"*{UNFINISHED}"):
            leftover.unlink()

    def tenants(self) -> list[str]:
        """Tenants with a file, including damaged ones."""
        return sorted({path.name.partition(".")[0] for path in self._directory.glob(f"*{SUFFIX}*")})

    def save(self, tenant: str, records: Records) -> None:
        """Replace the tenant's file. Raises StateError."""
        try:
            with self._unfinished(tenant).open("wb") as file:
                write(file, records)
                file.flush()
                os.fsync(file.fileno())
            self._unfinished(tenant).replace(self._path(tenant))
        except OSError as failure:
            raise StateError(
                f"the state of tenant {tenant} cannot be written ({failure}); check its space and permissions"
            ) from failure

    def load(self, tenant: str, widths: Mapping[str, int]) -> Records:
        """The signals in `widths` that the file has. A damaged or foreign file is set aside, and StateError is
        raised."""
        path = self._path(tenant)
        try:
            with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                names = {name.partition(".")[0] for name in kept.files if name.endswith(".hour")}
                return {name: read(kept, name, width) for name, width in widths.items() if name in names}
        except Exception as damage:  # zipfile and numpy do not document their errors on damage
            raise StateError(
                f"the state of tenant {tenant} in {path} cannot be read ({damage}) and is kept as "
                f"{self._set_aside(tenant)}; stop the process, put a good copy at {path} and start the process again"
            ) from damage

    def delete(self, tenant: str) -> None:
        """Remove everything of the tenant. Raises StateError."""
        try:
            damaged = self._directory.glob(f"{tenant}{DAMAGED}*")
            for path in (self._path(tenant), self._unfinished(tenant), *damaged):
                path.unlink(missing_ok=True)
        except OSError as failure:
            raise StateError(
                f"the state of tenant {tenant} cannot be removed ({failure}); check permissions of the directory"
            ) from failure

    def _set_aside(self, tenant: str) -> Path:
        """Renames the damaged file. Returns its path, the old one if it cannot be renamed."""
        path = self._path(tenant)
        names = chain([""], (f".{number}" for number in count(1)))  # an earlier damaged file stays as it is
        aside = next(free for end in names if not (free := self._directory / f"{tenant}{DAMAGED}{end}").exists())
        with suppress(OSError):
            return path.replace(aside)
        return path

    def _path(self, tenant: str) -> Path:
        return self._directory / f"{tenant}{SUFFIX}"

    def _unfinished(self, tenant: str) -> Path:
        return self._directory / f"{tenant}{UNFINISHED}"


def write(file: BinaryIO, records: Records) -> None:
    """Eight arrays for each signal: SIGNAL.hour, .count, .total, .ends (of the reference, and the start of the window),
    .verdict (JSON), .reference, .bases (JSON) and .change."""
    arrays: dict[str, NDArray[Any]] = {}
    for name, record in records.items():
        series, hours = record.series, record.series.hours
        arrays[f"{name}.hour"], arrays[f"{name}.count"], arrays[f"{name}.total"] = hours.hour, hours.count, hours.total
        arrays[f"{name}.ends"] = np.array([series.reference_end, series.window_start])
        arrays[f"{name}.verdict"] = np.array(VERDICT.dump_json(record.verdict).decode())
        arrays[f"{name}.reference"] = np.array(record.reference)
        arrays[f"{name}.bases"] = np.array(BASES.dump_json(dict(record.bases)).decode())
        arrays[f"{name}.change"] = np.array(record.change)
    np.savez(file, **arrays)  # type: ignore[arg-type]  # the names of its own parameters have no dot


def read(kept: Mapping[str, NDArray[Any]], name: str, width: int) -> Record:
    hour = kept[f"{name}.hour"]
    if hour.dtype != np.int64 or hour.ndim != 1 or (np.diff(hour) <= 0).any():
        raise ValueError(f"expected ascending hours, found {hour.dtype} {hour.shape}")
    count = numbers(kept[f"{name}.count"], (len(hour),))
    if (count < 0).any():
        raise ValueError("expected counts of 0 and more")
    hours = Hours(hour, count, numbers(kept[f"{name}.total"], (len(hour), width)))
    reference_end, window_start = (int(end) for end in kept[f"{name}.ends"])
    texts = {key: str(kept[f"{name}.{key}"]) for key in ("verdict", "reference", "bases", "change")
             if f"{name}.{key}" in kept}  # fmt: skip
    return Record(
        Series(hours, reference_end, window_start),
        VERDICT.validate_json(texts["verdict"]),
        texts.get("reference", ""),
        BASES.validate_json(texts.get("bases", "{}")),
        texts.get("change", ""),
    )


def numbers(array: NDArray[Any], shape: tuple[int, ...]) -> Numbers:
    if array.dtype != np.float32 or array.shape != shape or not np.isfinite(array).all():
        raise ValueError(f"expected finite float32 of shape {shape}, found {array.dtype} {array.shape}")
    return array
