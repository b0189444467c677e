"""OpenAI's routes for files and vector stores, below `/v1/tenants/NAME`: the gateway puts in whose key it was."""

TENANT = "/v1/tenants/{tenant}"
