"""`make bench-retrieval`: search, citations and the life of documents. Each protocol is a module beside this one.

ARGS=--quick: fewer repetitions, within five minutes. ARGS="--only search vectors": these alone.
"""

import argparse
import sys
from collections.abc import Callable, Mapping

from benchmarks.report import Bar, report
from benchmarks.retrieval import citations, documents, ingest, scale, search, vectors
from examples.demo.workspace import AlreadyRunning

Protocol = Callable[[bool], tuple[dict[str, Bar], list[str]]]
"""Takes whether to be quick; gives bars, and what is published beside them."""

PROTOCOLS: Mapping[str, Protocol] = {
    "search": search.run,
    "vectors": vectors.run,
    "ingest": ingest.run,
    "scale": scale.run,
    "citations": citations.run,
    "documents": documents.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    parser.add_argument("--only", nargs="+", choices=PROTOCOLS, default=list(PROTOCOLS), help="these alone")
    given = parser.parse_args()
    bars: dict[str, Bar] = {}
    notes: list[str] = []
    try:
        for name in given.only:
            print(f"{name} …", file=sys.stderr, flush=True)
            more, remarks = PROTOCOLS[name](given.quick)
            bars |= more
            notes += remarks
    except AlreadyRunning as error:
        print(f"bench-retrieval: {error}", file=sys.stderr)
        return 1
    return report("retrieval", bars, notes=notes)


if __name__ == "__main__":
    sys.exit(main())
