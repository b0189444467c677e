"""Files in an agent's store that it shares with the plugin in its engine (`serving.engine.paging`)."""

# The engine's variable for the store.
STORE = "QUIVER_ADAPTER_STORE"
# Written by the agent: a JSON list of the engine names of versions that keep their places in memory.
RESIDENTS = "residents.json"
# Written by the plugin: requests that met their adapter in memory, and others, as `FORMAT` of struct.
COUNTS = "paging"
FORMAT = "<QQ"
# In the ids of the agent's own requests, which are not counted.
PROBE = "quiver-probe"
