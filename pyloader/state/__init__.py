"""What the sensor knows, kept across its end: graphs of objects as bytes, and the files that hold them."""
