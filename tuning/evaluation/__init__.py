"""Compares variants on a tenant's questions: base, prompt, examples, documents, adapter, or both."""
