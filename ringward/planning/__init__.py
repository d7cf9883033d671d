"""How much of what a deployment needs: processes, cores, memory, disks, lines, and what gives way first.

Functions over values: what is wanted and what one unit costs come in, a plan comes out. The unit costs lie
in `costs.toml`, where each says whether it was measured, by what, and up to which size.
"""

from ringward.planning.costs import Cost, Costs, CostsError, built_in, replaced
from ringward.planning.demand import Demand
from ringward.planning.sizing import Plan, plan

__all__ = ["Cost", "Costs", "CostsError", "Demand", "Plan", "built_in", "plan", "replaced"]
