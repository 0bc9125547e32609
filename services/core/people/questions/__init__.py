"""What a guardian is asked next: at most one question a day, and the way to say not now."""
