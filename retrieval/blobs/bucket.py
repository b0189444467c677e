"""An object store in a bucket of S3, or of an S3-compatible store. Address and keys come from AWS' own settings:
https://docs.aws.amazon.com/boto3/latest/guide/configuration.html (AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, ...)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from retrieval.errors import BlobsError

_PIECE = 256 * 1024
_CONFIG = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3, "mode": "standard"})
_ABSENT = ("NoSuchKey", "404")


class Bucket:
    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket, self._prefix = bucket, prefix
        self._client = boto3.client("s3", config=_CONFIG)

    def put(self, key: str, content: BinaryIO) -> None:
        with self._translated(key):
            self._client.upload_fileobj(content, self._bucket, self._key(key))

    def read(self, key: str, most: int) -> bytes | None:
        body = self._body(key)
        if body is None:
            return None
        with self._translated(key):
            content: bytes = body.read(most)
            return content

    def pieces(self, key: str) -> Iterator[bytes] | None:
        body = self._body(key)
        return None if body is None else self._pieces(key, body)

    def keys(self, *, older_than: float) -> Iterator[str]:
        start = self._key("")
        with self._translated("its keys"):
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start):
                for item in page.get("Contents", ()):
                    if item["LastModified"].timestamp() < older_than:
                        yield str(item["Key"]).removeprefix(start)

    def delete(self, key: str) -> None:
        with self._translated(key):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(key))
            try:
                self._client.head_object(Bucket=self._bucket, Key=self._key(key))
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return
                raise
        raise BlobsError(f"{key} is still in the bucket {self._bucket} after its deletion: it is tried again.")

    def _body(self, key: str) -> Any:
        with self._translated(key):
            try:
                return self._client.get_object(Bucket=self._bucket, Key=self._key(key))["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] in _ABSENT:
                    return None
                raise

    def _pieces(self, key: str, body: Any) -> Iterator[bytes]:
        with self._translated(key):
            yield from body.iter_chunks(_PIECE)

    def _key(self, key: str) -> str:
        return f"{self._prefix}/{key}" if self._prefix else key

    @contextmanager
    def _translated(self, key: str) -> Iterator[None]:
        try:
            yield
        except (BotoCoreError, ClientError) as error:
            remedy = "check AWS_ENDPOINT_URL, the bucket and its keys"
            message = f"The bucket {self._bucket} failed at {key} ({' '.join(str(error).split())}): {remedy}."
            raise BlobsError(message) from error
