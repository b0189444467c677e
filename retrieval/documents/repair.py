"""Finishes steps after a crash, or after a failure of the database or the object store."""

import asyncio
import logging

from retrieval.documents.deletion_proofs import DeletionProofs
from retrieval.documents.store_library import StoreLibrary
from retrieval.documents.uploaded_files import UploadedFiles
from retrieval.errors import RetrievalError

EVERY_SECONDS = 60.0

log = logging.getLogger(__name__)


async def repair(library: StoreLibrary, files: UploadedFiles, proofs: DeletionProofs) -> None:
    """Runs until cancelled: at once, and then again and again."""
    while True:
        try:
            await asyncio.to_thread(library.follow_again)
            await asyncio.to_thread(files.finish_deletions)
            await asyncio.to_thread(files.sweep)
            await asyncio.to_thread(proofs.prove_all)
        except RetrievalError as error:
            log.warning("%s", error)
        await asyncio.sleep(EVERY_SECONDS)
