"""Lists and workbooks that programme staff upload."""
