"""One file for each protocol: `make bench-NAME` runs it, prints a table and writes build/bench/NAME.json."""
