"""Web pages and sites as documents: looked at on a schedule, in one part of a site, as its robots.txt allows."""
