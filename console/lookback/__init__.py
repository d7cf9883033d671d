"""Looking back: incidents of the past, who or what was where, and what could not have been seen."""
