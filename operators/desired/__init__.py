"""Spec → desired state (pure): command lines, desired adapter sets, desired knowledge bases."""
