"""Events of usage without content, from which usage is computed."""
