"""The pages: built files, texts in four languages, and how they are served."""
