"""Pictures on their way in: distrusted bytes become a ``Dataset`` and an array of pixels. No TensorFlow here."""
