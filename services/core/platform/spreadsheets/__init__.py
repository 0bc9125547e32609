"""Parsing of lists and workbooks that programme staff upload."""
