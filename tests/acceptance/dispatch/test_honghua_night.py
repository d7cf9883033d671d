"""The night of the procedure's example: a stranger at 22:40 who is at the door of a building at last.

One incident that climbs from a notice to critical; volunteers and the operator are told, two accept, one
leads, is there in 2 min 40 s; the operator calls the police; the next day it is reviewed.
"""

from night import DESK, Night

from alerts.incidents.actor import Actor
from alerts.incidents.lifecycle import State
from alerts.notify.models import Purpose
from alerts.review import writing as reviews
from alerts.review.rules import AlertVerdict, Cause, Draft


def test_one_incident_climbs_and_those_who_are_nearest_are_there_in_time(night: Night) -> None:
    # 22:40 at the gate: a stranger goes in behind a resident. Worth a notice.
    incident = night.raises("unknown_passed", severity=4, zone="gate", rule="R-E01", key="stranger")
    night.passes(30)
    night.forgets()

    # 22:43 by the bike sheds: urgent by now, which nobody's notice holds up.
    night.passes(150)
    night.forgets()
    same = night.raises("loitering", severity=2, zone="square", rule="R-C02", key="stranger")
    assert same == incident
    night.all_hear("incident", incident, *DESK)
    night.silence()
    night.acknowledges(incident)

    # 22:46 the door of a building is forced: critical.
    night.passes(60)
    night.raises("door.forced", severity=1, zone="hall", rule="R-B05", key="stranger")
    assert night.incident(incident).severity == 1
    heard = {one.who for one in night.phones.heard}
    assert heard >= {"op-2", "op-lead"}
    night.forgets()
    night.confirms(incident)
    night.forgets()
    night.sends(incident, "volunteer-1", "volunteer-2")
    night.all_hear("offer", incident, "volunteer-1", "volunteer-2")
    night.silence()

    # Both accept: one leads, and the other goes along.
    night.passes(8)
    night.answers("volunteer-2", "accept", incident)
    night.hears("volunteer-1", "taken", incident)
    night.passes(2)
    night.answers("volunteer-1", "assist", incident)
    night.silence()
    assert night.dispatches(incident) == {"volunteer-1": "assisting", "volunteer-2": "accepted"}
    for who in ("volunteer-2", "volunteer-1"):
        night.answers(who, "depart", incident)
    night.passes(150)
    for who in ("volunteer-2", "volunteer-1"):
        night.answers(who, "arrive", incident)
    # 2 min 40 s after they were asked: nobody had to be called.
    night.silence()
    assert night.incident(incident).state == State.ARRIVED
    assert [reason for _, reason in night.path(incident) if reason and "timeout" in reason] == []

    # 23:10 the police have taken over.
    night.passes(20 * 60)
    night.forgets()
    night.answers("volunteer-2", "resolve", incident, note="handed over")
    night.forgets()

    # 23:30 and the next day: one event, one review, by somebody who did not resolve it.
    night.passes(12 * 3600)
    night.forgets()
    with night.database.write() as session:
        reviews.review(
            session,
            "willow",
            incident,
            Draft(4, Cause.LIGHTING, AlertVerdict.RIGHT, "no lamp at the bike sheds", measure=False),
            Actor("op-lead", "operator"),
            night.clock.now(),
            responder="op-lead",
        )
    night.settles()
    assert night.incident(incident).state == State.REVIEWED
    night.passes(25 * 3600)
    assert night.incident(incident).state == State.CLOSED
    assert all(one.letter.purpose in {Purpose.SHIFT, Purpose.HANDOVER} for one in night.phones.heard)
    night.forgets()
