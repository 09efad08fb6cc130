"""A simulated Swypt, written from what is known of its API alone. No money is real here."""
