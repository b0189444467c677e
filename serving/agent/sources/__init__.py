"""Fetches adapters' artifacts from their sources.

`kinds` has a file for each kind of source: the meaning of its URIs, and the requests for the two files. `schemes`
collects those files, `http` sends requests within the policy, `download` writes one file, and `fetcher`
combines all of them.
"""
