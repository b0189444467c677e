"""The control loop: one cache, one queue, and a reconcile for each kind.

`backend` defines its two back ends as protocols: `operators.cluster` and `operators.local` implement them.
"""
