"""Hand-over (交接班): what the next shift has to know, signed by both."""
