"""What the backend saw of a watch whose fault is looked for: connections, hellos and refusals, never content."""
