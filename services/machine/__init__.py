"""What one machine needs to run everything: Postgres, all processes supervised, a look at what is missing."""
