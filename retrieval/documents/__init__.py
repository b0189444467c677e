"""Uploaded files and vector stores: their records in SQL, their bytes in an object store, and OpenAI's API for both.

A record says what people want; the ingest worker makes the index follow. Nothing here can be rebuilt from elsewhere, so
an answer is given only after the record is committed.
"""
