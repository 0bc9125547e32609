"""Programme, site, cohort, and the scopes of staff."""
