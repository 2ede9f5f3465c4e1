"""Several processes that score, each the records of its own lineages and sources, and the parent that joins them."""
