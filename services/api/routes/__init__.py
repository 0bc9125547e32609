"""One file a noun; each router declares an access rule on every route."""
