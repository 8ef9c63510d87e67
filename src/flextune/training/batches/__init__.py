"""Examples as padded batches (``padded``), in a reproducible order (``order``)."""
