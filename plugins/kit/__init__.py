"""What plugins share: HTTP with deadlines, and no provider's name."""
