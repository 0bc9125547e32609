"""The API of programme staff; it imports nothing that holds content, places or contacts."""
