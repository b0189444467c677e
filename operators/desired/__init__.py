"""Spec → what should be (pure): command lines, desired adapter sets, desired knowledge bases."""
