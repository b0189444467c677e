"""The HTTP routes of the query path; `health` serves the ingest worker as well."""
