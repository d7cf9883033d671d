"""Whether somebody may enter here now, and what a guard may ask."""
