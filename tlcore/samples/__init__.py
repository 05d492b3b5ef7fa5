"""Small labelled sets that Thaw draws itself, so that anyone can try it without pictures of their own."""
