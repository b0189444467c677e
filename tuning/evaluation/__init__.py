"""Which variant answers a tenant's questions best: base, prompt, examples, documents, adapter, or both."""
