"""One training, top to bottom: a ``Recipe`` and a ``Dataset`` become a model."""
