"""Labelled sets for those who have no pictures at hand: small ones that Thaw draws itself, and public ones."""
