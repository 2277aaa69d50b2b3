"""Verifiers: what the constants say of them, and what they do."""
