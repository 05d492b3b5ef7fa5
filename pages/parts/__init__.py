"""What several pages draw: the frame, the network, pictures, messages."""
