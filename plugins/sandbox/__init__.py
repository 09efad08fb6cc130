"""The world in a box: simulated providers, written from their papers and sharing no code with what they judge."""
