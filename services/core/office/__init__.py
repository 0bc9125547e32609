"""Staff operations on families and watches, without access to messages or positions."""
