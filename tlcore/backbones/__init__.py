"""Pretrained networks: which there are, where their weights come from, where they can be cut."""
