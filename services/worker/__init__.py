"""Background work: sweeps, text messages, transcoding, exports, push."""
