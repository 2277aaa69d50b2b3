"""Tests of the rules: golden cases for each id, tables of spellings, hostile files, secrets that are never shown."""
