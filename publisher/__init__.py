"""Publish jwks.json files for many tenants from reviewed key-set YAML in Git."""

__version__ = "0.2.0"
