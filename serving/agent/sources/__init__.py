"""Adapters' artifacts from where they are: a file for each kind of source, and `fetcher` for all of them.

`uri` says what a source names; `web`, `hub`, `s3`, `gs` and `oci` say which requests get its two files; `http` sends
them within the policy; `download` goes on where an earlier attempt stopped. `local` copies.
"""
