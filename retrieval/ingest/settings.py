"""The settings of the ingest worker: `QUIVER_INGEST_*`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from retrieval.ingest.limits import Limits
from retrieval.settings import ServiceSettings


class Settings(ServiceSettings):
    model_config = SettingsConfigDict(env_prefix="QUIVER_INGEST_", frozen=True)

    port: int = Field(default=8311, ge=0, le=65_535)
    ledger: Path = Field(description="SQLite file; created if missing")
    database: SecretStr = Field(
        description="Address of the database of files and vector stores: sqlite:///PATH, or "
        "postgresql+psycopg://USER:PASSWORD@HOST/NAME"
    )
    objects: str = Field(description="Where uploaded files lie: an absolute path, or s3://BUCKET/PREFIX")
    signing_file: Path = Field(description="File with the key that signs records of deletions; made if missing")
    web_allow_private: bool = Field(
        default=False, description="Whether web sources may be at private addresses, which tenants could then read"
    )
    web_delay_seconds: float = Field(default=1.0, ge=0, description="Seconds between two requests to one web host")
    rescan_seconds: float = Field(
        default=5.0, gt=0, description="Seconds between two scans, even if no change was noticed"
    )
    max_document_bytes: int = Field(default=50_000_000, ge=1)
    max_document_characters: int = Field(default=3_000_000, ge=1)
    max_document_chunks: int = Field(default=5_000, ge=1)
    max_documents: int = Field(default=10_000, ge=1, description="Files of one knowledge base")
    parse_seconds: int = Field(
        default=60, ge=1, description="CPU time of one parse; the wall-clock limit is four times that"
    )
    parse_memory_bytes: int = Field(default=1_500_000_000, ge=300_000_000)
    ocr_languages: str = Field(
        default="",
        pattern=r"^([A-Za-z_]+(\+[A-Za-z_]+)*)?$",
        description="Languages in which the program `tesseract` reads scans, such as eng+kor; if empty, scans are not "
        "read",
    )

    @property
    def limits(self) -> Limits:
        return Limits(
            file_bytes=self.max_document_bytes,
            characters=self.max_document_characters,
            chunks=self.max_document_chunks,
            files=self.max_documents,
            parse_seconds=self.parse_seconds,
            parse_memory_bytes=self.parse_memory_bytes,
            ocr_languages=self.ocr_languages,
        )
