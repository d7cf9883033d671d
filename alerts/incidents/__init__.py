"""One incident per thing that happened: raised, amended, decided, worked off, closed."""
