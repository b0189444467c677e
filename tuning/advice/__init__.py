"""Prompt, retrieve, or fine-tune? From a tenant's own facts."""
