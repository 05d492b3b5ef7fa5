"""What people see: one file = one page; a page draws and asks, it never computes."""
