"""A run is a folder: its events, its lock, the process that works on it."""
