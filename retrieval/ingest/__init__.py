"""The ingest worker: files of the tenants become chunks in the store (`python -m retrieval.ingest`).

`scan` sees what is there, `plan` decides, `worker` acts, `ledger` remembers. Every step can be repeated: chunk ids
follow from the content, so a crash at any line is made good by doing the same again.
"""
