"""The console: pages for tenants' people and the platform's, on the management API alone."""
