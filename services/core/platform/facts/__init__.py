"""Facts: events of usage without content, from which usage metrics are computed."""
