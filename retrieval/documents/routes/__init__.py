"""OpenAI's routes for files and vector stores, below `/v1/tenants/NAME`: the gateway takes the tenant from the key."""

TENANT = "/v1/tenants/{tenant}"
