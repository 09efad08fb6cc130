"""What we send to businesses."""
