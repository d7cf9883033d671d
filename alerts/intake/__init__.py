"""What people report, and what is done about it without police: reports, disputes, work orders.

`kinds` says what can be reported and how grave it is, `taking` makes reports incidents, `reaction` tells
the reporter what became of it, sends disputes to mediators and faults to whoever repairs.
"""
