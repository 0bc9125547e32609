"""The documents for makers of apps and watches: additions to OpenAPI, and the pages that show the documents."""
