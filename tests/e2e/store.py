"""The tenants of whom the store holds something: `python -m tests.e2e.store URL`."""

import sys

from retrieval.store import Store

if __name__ == "__main__":
    print(*Store(sys.argv[1], dimension=384).tenants())
