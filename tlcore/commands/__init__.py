"""The same rooms without a browser: one file per family of commands."""
