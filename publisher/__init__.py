"""Publish jwks.json files for many tenants from reviewed key-set YAML in Git."""

from importlib.metadata import version

__version__ = version("jwks-publisher")
