"""What a watch and the backend say to each other. Pure: no I/O, no database, nothing of ours outside this folder."""
