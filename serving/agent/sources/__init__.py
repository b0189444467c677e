"""Adapters' artifacts from where they are.

`kinds` has a file for each kind of source: what its URIs name, and which requests get the two files. `schemes` finds
those files, `http` sends requests within the policy, `download` goes on where an earlier attempt stopped, and
`fetcher` is for all of them together.
"""
