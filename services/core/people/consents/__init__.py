"""What a guardian agreed to: text version, language, time, how."""
