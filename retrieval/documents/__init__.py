"""Uploaded files and vector stores: their records in SQL, their bytes in an object store, and OpenAI's API for both.

The records are the wishes of people; the ingest worker makes the index follow. They cannot be rebuilt from elsewhere,
so an answer is given only after the record is committed.
"""
