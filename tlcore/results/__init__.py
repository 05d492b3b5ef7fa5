"""What a model is worth, measured on exam pictures that the training never saw."""
