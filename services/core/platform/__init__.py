"""Foundation of every area: database, keys, blobs, audio, time, logs, limits, inbox, outbox, events, facts, audit."""
