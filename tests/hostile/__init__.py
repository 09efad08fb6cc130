"""What strangers send down a bare socket, and what must come of it."""
