"""The schema and indexes of a collection."""

from collections.abc import Mapping
from typing import Any

from pymilvus import CollectionSchema, DataType, MilvusClient
from pymilvus.milvus_client import IndexParams

TEXT_BYTES = 65_535  # the limit of Milvus' VARCHAR
NAME_BYTES = 4_096  # for paths relative to their source, and for headings
ID_BYTES = 64
LEXICAL = "lexical"  # the field with the sparse vector

TEXT_FIELDS = {
    "tenant": 256,
    "knowledge_base": 256,
    "document_id": ID_BYTES,
    "document": NAME_BYTES,
    "file_id": ID_BYTES,
    "version": ID_BYTES,
    "heading": NAME_BYTES,
    "text": TEXT_BYTES,
    "terms": TEXT_BYTES,
    "content": ID_BYTES,
    "embedder": ID_BYTES,
}


def collection_schema(dimension: int, *, sparse: bool, partitioned: bool) -> CollectionSchema:
    """One row for each chunk, and one row (a card) for each knowledge base. Without `sparse`, no row has a vector of
    its words. With `partitioned`, the tenant is the partition key."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=ID_BYTES)
    for name, size in TEXT_FIELDS.items():
        is_key = partitioned and name == "tenant"
        schema.add_field(name, DataType.VARCHAR, max_length=size, is_partition_key=is_key)
    schema.add_field("attributes", DataType.JSON)
    schema.add_field("dated", DataType.INT64)
    schema.add_field("ordinal", DataType.INT64)
    schema.add_field("page", DataType.INT64)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
    if sparse:
        schema.add_field(LEXICAL, DataType.SPARSE_FLOAT_VECTOR)
    return schema


def index_params(*, sparse: bool) -> IndexParams:
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("dense", index_type="AUTOINDEX", metric_type="COSINE")
    if sparse:
        indexes.add_index(LEXICAL, index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    return indexes


def is_current(description: Mapping[str, Any], *, sparse: bool) -> bool:
    """True if a collection's description has the fields of the present schema. Earlier releases had fewer."""
    expected = {*TEXT_FIELDS, "id", "attributes", "dated", "ordinal", "page", "dense", *((LEXICAL,) if sparse else ())}
    return {field["name"] for field in description["fields"]} == expected
