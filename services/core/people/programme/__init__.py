"""Programme, site, cohort, and which staff serve them."""
