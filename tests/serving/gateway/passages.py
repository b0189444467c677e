"""Chunks as the search sidecar returns them."""

from contract.search import Evidence


def evidence(number: int = 1, *, document: str = "file.md", text: str = "30 days", heading: str = "") -> Evidence:
    return Evidence(
        chunk_id=f"c{number}",
        document_id=f"d{number}",
        document=document,
        file_id=f"file-{number}",
        knowledge_base="handbook",
        ordinal=0,
        heading=heading,
        text=text,
        score=0.5,
        dense_score=0.5,
        lexical_score=None,
    )
