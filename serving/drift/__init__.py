"""Drift: does a tenant's traffic still look as before?

Observations of finished requests arrive over HTTP, go into windows per tenant, and are tested against the tenant's
reference. The result is a state, `ok`, `drift` or `insufficient_evidence`, exported as a gauge. `windows`, `verdict`,
`budget` and `statistics` are pure; `detector` carries out their decisions.
"""
