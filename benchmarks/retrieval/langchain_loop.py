"""The contestant: a loader by the file's type, a splitter, a store. In an environment of its own:

.venv-peers/bin/python -m benchmarks.retrieval.langchain_loop FOLDER MILVUS MODEL → one line of JSON
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from langchain_community.document_loaders import BSHTMLLoader, Docx2txtLoader, PyPDFLoader, TextLoader
from langchain_core.embeddings import Embeddings
from langchain_milvus import Milvus
from langchain_text_splitters import RecursiveCharacterTextSplitter

from retrieval.embedding.sentence_encoder import SentenceEncoder

CHUNK_CHARACTERS = 640  # as long as ours: 160 tokens
LOADERS = {".txt": TextLoader, ".md": TextLoader, ".html": BSHTMLLoader, ".docx": Docx2txtLoader, ".pdf": PyPDFLoader}


class SameModel(Embeddings):  # type: ignore[misc]  # not installed where types are checked
    """Our model, on as many threads as in the worker."""

    def __init__(self, model: Path) -> None:
        self._embedder = SentenceEncoder(model, threads=1)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._embedder.embed(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        return self.embed_documents([text])[0]


def ingest(files: Sequence[Path], store: Milvus) -> int:
    """The number of chunks."""
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARACTERS, chunk_overlap=0)
    chunks = 0
    for file in files:
        pieces = splitter.split_documents(LOADERS[file.suffix](str(file)).load())
        store.add_documents([piece.model_copy(update={"metadata": {"source": file.name}}) for piece in pieces])
        chunks += len(pieces)
    return chunks


def main() -> None:
    folder, uri, model = sys.argv[1:]
    store = Milvus(SameModel(Path(model)), connection_args={"uri": uri}, collection_name="peer", auto_id=True)
    begun = time.monotonic()
    chunks = ingest(sorted(Path(folder).iterdir()), store)
    print(json.dumps({"seconds": time.monotonic() - begun, "chunks": chunks}))


if __name__ == "__main__":
    main()
