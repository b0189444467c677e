"""Drift: does a tenant's traffic still look like it did?

Observations of finished requests come in over HTTP, go into windows per tenant, and are tested
against the tenant's reference. The answer is a state, `ok`, `drift` or `insufficient_evidence`, as
a gauge. `windows`, `verdict`, `budget` and `statistics` are pure; `detector` acts on what they decide.
"""
