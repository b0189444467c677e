"""Finishes steps after a crash, or after a failure of the database or the object store."""

import asyncio
import logging
from collections.abc import Callable

from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.uploaded_files import UploadedFiles
from retrieval.documents.web_library import WebLibrary
from retrieval.errors import RetrievalError

REPAIR_SECONDS = 60.0
SWEEP_SECONDS = 3_600.0  # a sweep lists the whole object store

log = logging.getLogger(__name__)


async def repair(library: StoreLibrary, files: UploadedFiles, proofs: DeletionProofs) -> None:
    """Finishes begun steps, until cancelled."""
    await _repeat(REPAIR_SECONDS, library.follow_again, files.finish_deletions, proofs.prove_all)


async def sweep(files: UploadedFiles, web: WebLibrary) -> None:
    """Deletes what nothing refers to, until cancelled."""
    await _repeat(SWEEP_SECONDS, web.sweep, files.sweep)


async def _repeat(seconds: float, *steps: Callable[[], None]) -> None:
    """A failing step is logged, and the others go on."""
    while True:
        for step in steps:
            try:
                await asyncio.to_thread(step)
            except RetrievalError as error:
                log.warning("%s", error)
        await asyncio.sleep(seconds)
