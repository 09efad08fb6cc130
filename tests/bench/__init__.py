"""How fast it is, as ratios against a ceiling measured in the same run; never asserted on a clock."""
