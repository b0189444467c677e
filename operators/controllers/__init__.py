"""The control loop: one cache, one queue, and a reconcile for each kind.

`backend` names what it asks of the place that it runs in: `operators.cluster` is one, `operators.local` the other.
"""
