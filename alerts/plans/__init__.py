"""Response plans (预案): what is done for a kind of incident, in order, with branches.

`plan` is the plan as a value and how far one has come, `reading` reads plans from a file and says what
is wrong with it, `release` says which doors a fire opens, `progress` writes down what was done.
"""

from alerts.plans.plan import Do, Plan, Step, StepKind, plan_for
from alerts.plans.reading import PlanFault, default_plans, read

__all__ = ["Do", "Plan", "PlanFault", "Step", "StepKind", "default_plans", "plan_for", "read"]
