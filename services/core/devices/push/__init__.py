"""Where guardians' phones and programs are woken when no stream of theirs is open."""
