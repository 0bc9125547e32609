"""Push endpoints: how guardians' phones and programs are notified while they hold no open stream."""
