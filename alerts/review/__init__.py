"""Review (一事一评): what an incident taught, whether the alert was right, what is to be done about it."""
