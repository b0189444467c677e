"""One module for each neighbour of the control plane, the only ones that speak HTTP to it."""
