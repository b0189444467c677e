"""Shared by all services: HTTP application, tokens, sockets, logs, files, back-off."""
