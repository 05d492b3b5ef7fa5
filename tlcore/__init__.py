"""Thaw's rooms without a browser: pictures in, a proven model out.

Every room takes one plain value and hands on the next:
``Dataset -> Recipe -> Run -> Event ... -> Report -> Export``. Nothing here imports streamlit.
"""

__version__ = "0.1.0"
