"""What a watch's message does, whatever the transport: one handler a kind."""
