"""Control plane: objects in; workloads, desired adapter sets and truthful status out."""
