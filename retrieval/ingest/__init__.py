"""The ingest worker: files of the tenants become chunks in the store (`python -m retrieval.ingest`).

`scan` lists files, `plan` decides, `worker` acts, `ledger` remembers. Every step is repeatable: chunk ids follow from
the content, so repeating a step repairs a crash at any point.
"""
