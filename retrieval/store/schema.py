"""The schema and indexes of a tenant's collection."""

from pymilvus import CollectionSchema, DataType, MilvusClient
from pymilvus.milvus_client import IndexParams

TEXT_BYTES = 65_535  # the limit of Milvus' VARCHAR
NAME_BYTES = 4_096  # for paths relative to their source, and for headings
ID_BYTES = 64

TEXT_FIELDS = {
    "tenant": 256,
    "knowledge_base": 256,
    "document_id": ID_BYTES,
    "document": NAME_BYTES,
    "version": ID_BYTES,
    "heading": NAME_BYTES,
    "text": TEXT_BYTES,
    "terms": TEXT_BYTES,
    "content": ID_BYTES,
}


def collection_schema(dimension: int) -> CollectionSchema:
    """One row for each chunk, and one row (a card) for each knowledge base."""
    schema = MilvusClient.create_schema(auto_id=False, enable_dynamic_field=False)
    schema.add_field("id", DataType.VARCHAR, is_primary=True, max_length=ID_BYTES)
    for name, size in TEXT_FIELDS.items():
        schema.add_field(name, DataType.VARCHAR, max_length=size)
    schema.add_field("ordinal", DataType.INT64)
    schema.add_field("legible", DataType.BOOL)
    schema.add_field("dense", DataType.FLOAT_VECTOR, dim=dimension)
    schema.add_field("lexical", DataType.SPARSE_FLOAT_VECTOR)
    return schema


def index_params() -> IndexParams:
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("dense", index_type="AUTOINDEX", metric_type="COSINE")
    indexes.add_index("lexical", index_type="SPARSE_INVERTED_INDEX", metric_type="IP")
    return indexes
