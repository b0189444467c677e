"""HTTP clients of the control plane, one module for each service."""
