"""Response plans (预案): what is done for a kind of incident, in order, with branches."""
