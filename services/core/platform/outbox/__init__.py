"""The outbox: external effects, written in the transaction of their cause."""
