"""What every area stands on: database, keys, blobs, audio, time, logs, limits, inbox, outbox, events, facts, audit."""
