"""What leaves the house: a model that a stranger can use, with proof that it answers the same."""
