"""The management API: objects, releases, keys, records of changes, and what people do with documents and answers."""
