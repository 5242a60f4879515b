"""From prompts to pictures and sounds."""
