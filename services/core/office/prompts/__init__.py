"""Weekly conversation prompts for guardians, and reminders after a silent day."""
