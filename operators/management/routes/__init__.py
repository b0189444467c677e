"""The routes of the management API."""
