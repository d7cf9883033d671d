"""Every route of the API against every role: what is not in the table does not exist."""

import pytest

from console import api, live
from console.accounts.models import Role
from console.permissions import ALLOWED, Action, action_of

# Written down once more, apart from the routes: a route that slips to another action goes red.
ROUTES = {
    ("GET", "/me"): Action.OWN_ACCOUNT,
    ("GET", "/me/sessions"): Action.OWN_ACCOUNT,
    ("DELETE", "/me/sessions/{session_id}"): Action.OWN_ACCOUNT,
    ("POST", "/me/sessions/end-others"): Action.OWN_ACCOUNT,
    ("GET", "/users"): Action.USERS_READ,
    ("POST", "/users"): Action.USERS_EDIT,
    ("PUT", "/users/{user_id}/role"): Action.USERS_EDIT,
    ("PUT", "/users/{user_id}/place"): Action.USERS_EDIT,
    ("PUT", "/users/{user_id}/active"): Action.USERS_EDIT,
    ("POST", "/users/{user_id}/setup-link"): Action.USERS_EDIT,
    ("DELETE", "/users/{user_id}/second-factor"): Action.USERS_EDIT,
    ("DELETE", "/users/{user_id}/sessions"): Action.USERS_EDIT,
    ("GET", "/tokens"): Action.TOKENS_EDIT,
    ("POST", "/tokens"): Action.TOKENS_EDIT,
    ("DELETE", "/tokens/{token_id}"): Action.TOKENS_EDIT,
    ("GET", "/push/key"): Action.CONTACTS_OWN,
    ("POST", "/push/subscriptions"): Action.CONTACTS_OWN,
    ("POST", "/push/subscriptions/end"): Action.CONTACTS_OWN,
    ("GET", "/notifications/inbox"): Action.CONTACTS_OWN,
    ("GET", "/notifications"): Action.NOTIFICATIONS_READ,
    ("GET", "/incidents/{incident_id}/notifications"): Action.NOTIFICATIONS_READ,
    ("GET", "/notifications/calls"): Action.INCIDENTS_DECIDE,
    ("POST", "/notifications/calls/{notification_id}"): Action.INCIDENTS_DECIDE,
    ("GET", "/contacts"): Action.CONTACTS_OWN,
    ("POST", "/contacts"): Action.CONTACTS_OWN,
    ("DELETE", "/contacts/{contact_id}"): Action.CONTACTS_OWN,
    ("POST", "/contacts/{contact_id}/test"): Action.CONTACTS_OWN,
    ("GET", "/contact-rules"): Action.CONTACTS_OWN,
    ("PUT", "/contact-rules"): Action.CONTACTS_OWN,
    ("GET", "/quiet-hours"): Action.CONTACTS_OWN,
    ("PUT", "/quiet-hours"): Action.CONTACTS_OWN,
    ("GET", "/channels"): Action.CONTACTS_EDIT,
    ("POST", "/channels"): Action.CONTACTS_EDIT,
    ("DELETE", "/channels/{contact_id}"): Action.CONTACTS_EDIT,
    ("POST", "/channels/{contact_id}/test"): Action.CONTACTS_EDIT,
    ("GET", "/compounds"): Action.PLACES_READ,
    ("GET", "/compounds/{compound_id}"): Action.PLACES_READ,
    ("POST", "/compounds"): Action.PLACES_EDIT,
    ("PATCH", "/compounds/{compound_id}"): Action.PLACES_EDIT,
    ("GET", "/compounds/{compound_id}/geojson"): Action.PLACES_READ,
    ("GET", "/subdistricts"): Action.PLACES_READ,
    ("POST", "/subdistricts"): Action.PLACES_EDIT,
    ("PATCH", "/subdistricts/{subdistrict_id}"): Action.PLACES_EDIT,
    ("GET", "/communities"): Action.PLACES_READ,
    ("POST", "/communities"): Action.PLACES_EDIT,
    ("PATCH", "/communities/{community_id}"): Action.PLACES_EDIT,
    ("GET", "/commands"): Action.GATES_COMMAND,
    ("GET", "/commands/{command_id}"): Action.GATES_COMMAND,
    ("POST", "/commands"): Action.GATES_COMMAND,
    ("GET", "/zones"): Action.PLACES_READ,
    ("POST", "/zones"): Action.PLACES_EDIT,
    ("PATCH", "/zones/{zone_id}"): Action.PLACES_EDIT,
    ("GET", "/buildings"): Action.PLACES_READ,
    ("POST", "/buildings"): Action.PLACES_EDIT,
    ("PATCH", "/buildings/{building_id}"): Action.PLACES_EDIT,
    ("GET", "/units"): Action.PLACES_READ,
    ("POST", "/units"): Action.PLACES_EDIT,
    ("GET", "/buildings/{building_id}/board"): Action.PEOPLE_FIND,
    ("POST", "/dwellings/{dwelling_id}/turnover"): Action.PEOPLE_EDIT,
    ("PATCH", "/units/{unit_id}"): Action.PLACES_EDIT,
    ("GET", "/dwellings"): Action.PEOPLE_FIND,
    ("POST", "/dwellings"): Action.PLACES_EDIT,
    ("GET", "/dwellings/{dwelling_id}"): Action.PEOPLE_FIND,
    ("PATCH", "/dwellings/{dwelling_id}"): Action.PLACES_EDIT,
    ("GET", "/grids"): Action.PEOPLE_FIND,
    ("POST", "/grids"): Action.PLACES_EDIT,
    ("PATCH", "/grids/{grid_id}"): Action.PLACES_EDIT,
    ("DELETE", "/grids/{grid_id}"): Action.PLACES_EDIT,
    ("POST", "/grids/{grid_id}/dwellings"): Action.PLACES_EDIT,
    ("GET", "/aliases"): Action.PEOPLE_FIND,
    ("POST", "/aliases"): Action.PLACES_EDIT,
    ("POST", "/aliases/{alias_id}/end"): Action.PLACES_EDIT,
    ("DELETE", "/aliases/{alias_id}"): Action.PLACES_EDIT,
    ("GET", "/notes"): Action.PLACES_READ,
    ("POST", "/notes"): Action.NOTES_EDIT,
    ("PATCH", "/notes/{note_id}"): Action.NOTES_EDIT,
    ("POST", "/people/search"): Action.PEOPLE_FIND,
    ("GET", "/people/{person_id}/dwellings"): Action.PEOPLE_FIND,
    ("GET", "/dwellings/{dwelling_id}/people"): Action.PEOPLE_FIND,
    ("GET", "/reports/consistency"): Action.REPORTS_READ,
    ("GET", "/reports/tenancies"): Action.REPORTS_READ,
    ("GET", "/reports/verification"): Action.REPORTS_READ,
    ("GET", "/reports/vacancies"): Action.REPORTS_READ,
    ("GET", "/devices/candidates"): Action.DEVICES_EDIT,
    ("POST", "/devices"): Action.DEVICES_EDIT,
    ("PATCH", "/devices/{device_id}"): Action.DEVICES_EDIT,
    ("GET", "/devices/{device_id}/onboarding"): Action.DEVICES_EDIT,
    ("POST", "/devices/{device_id}/stage"): Action.DEVICES_EDIT,
    ("POST", "/devices/{device_id}/walk"): Action.DEVICES_EDIT,
    ("POST", "/devices/{device_id}/sign-photo"): Action.DEVICES_EDIT,
    ("POST", "/devices/{device_id}/privacy-check"): Action.DEVICES_EDIT,
    ("POST", "/devices/{device_id}/secret"): Action.DEVICES_EDIT,
    ("POST", "/devices/{device_id}/retirement"): Action.DEVICES_EDIT,
    ("GET", "/devices/{device_id}/view"): Action.DEVICES_READ,
    ("PUT", "/devices/{device_id}/view"): Action.DEVICES_EDIT,
    ("GET", "/devices/{device_id}/stream"): Action.DEVICES_EDIT,
    ("PUT", "/devices/{device_id}/stream"): Action.DEVICES_EDIT,
    ("DELETE", "/devices/{device_id}/stream"): Action.DEVICES_EDIT,
    ("GET", "/devices"): Action.DEVICES_READ,
    ("GET", "/devices/{device_id}"): Action.DEVICES_READ,
    ("GET", "/events"): Action.EVENTS_READ,
    ("GET", "/events/{event_id}"): Action.EVENTS_READ,
    ("POST", "/searches"): Action.SEARCH,
    ("GET", "/sightings"): Action.EVENTS_READ,
    ("GET", "/sightings/{sighting_id}"): Action.EVENTS_READ,
    ("GET", "/sightings/{sighting_id}/answers"): Action.SIGHTINGS_ANSWER,
    ("POST", "/sightings/{sighting_id}/answers"): Action.SIGHTINGS_ANSWER,
    ("GET", "/face-exclusions"): Action.FACE_EXCLUSIONS,
    ("POST", "/face-exclusions/{exclusion_id}/lifting"): Action.FACE_EXCLUSIONS,
    ("GET", "/reports/recognition"): Action.RECOGNITION_READ,
    ("GET", "/threshold-proposals"): Action.RECOGNITION_READ,
    ("POST", "/threshold-proposals/{proposal_id}/decision"): Action.THRESHOLDS_DECIDE,
    ("GET", "/coverage"): Action.EVENTS_READ,
    ("GET", "/rules"): Action.RULES_READ,
    ("GET", "/rules/file"): Action.RULES_READ,
    ("PUT", "/rules/file"): Action.RULES_EDIT,
    ("POST", "/rules/check"): Action.RULES_READ,
    ("POST", "/rules/trials"): Action.RULES_EDIT,
    ("GET", "/rules/trials/{trial_id}"): Action.RULES_EDIT,
    ("POST", "/rules/trials/{trial_id}/cancelling"): Action.RULES_EDIT,
    ("POST", "/rules/trials/{trial_id}/saving"): Action.RULES_EDIT,
    ("GET", "/rules/versions"): Action.RULES_READ,
    ("GET", "/rules/versions/{number}"): Action.RULES_READ,
    ("GET", "/rules/versions/{number}/difference"): Action.RULES_READ,
    ("GET", "/reports/rules"): Action.RULES_READ,
    ("GET", "/reports/held"): Action.RULES_READ,
    ("GET", "/rule-proposals"): Action.RULES_READ,
    ("POST", "/rule-proposals/{proposal_id}/decision"): Action.RULES_EDIT,
    ("GET", "/mutes"): Action.RULES_READ,
    ("POST", "/mutes"): Action.RULES_MUTE,
    ("POST", "/mutes/{mute_id}/lifting"): Action.RULES_MUTE,
    ("GET", "/routes"): Action.ROUTES_READ,
    ("GET", "/routes/decision"): Action.ROUTES_READ,
    ("GET", "/routes/quiet"): Action.ROUTES_READ,
    ("GET", "/silences"): Action.ROUTES_READ,
    ("POST", "/silences"): Action.SILENCES_EDIT,
    ("POST", "/silences/preview"): Action.SILENCES_EDIT,
    ("GET", "/silences/like/{incident_id}"): Action.SILENCES_EDIT,
    ("DELETE", "/silences/{silence_id}"): Action.SILENCES_EDIT,
    ("GET", "/operating-modes"): Action.RULES_READ,
    ("POST", "/operating-modes"): Action.MODES_ASK,
    ("POST", "/operating-modes/{mode_id}/approval"): Action.MODES_APPROVE,
    ("POST", "/operating-modes/{mode_id}/end"): Action.MODES_ASK,
    ("GET", "/incidents"): Action.INCIDENTS_READ,
    ("GET", "/incidents/{incident_id}"): Action.TASKS,
    ("GET", "/incidents/{incident_id}/why"): Action.INCIDENTS_READ,
    ("GET", "/incidents/held"): Action.INCIDENTS_READ,
    ("GET", "/incidents/care"): Action.CARE_READ,
    ("POST", "/incidents/{incident_id}/answers"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/merges/preview"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/merges"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/link"): Action.INCIDENTS_DECIDE,
    ("POST", "/merges/{merge_id}/undo"): Action.INCIDENTS_DECIDE,
    ("GET", "/merge-proposals"): Action.INCIDENTS_READ,
    ("POST", "/merge-proposals/{proposal_id}/decision"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/steps"): Action.INCIDENTS_DECIDE,
    ("GET", "/incidents/aside"): Action.INCIDENTS_READ,
    ("POST", "/incidents/{incident_id}/put-aside"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/take-back"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/dispatches"): Action.INCIDENTS_DECIDE,
    ("GET", "/incidents/{incident_id}/plan"): Action.INCIDENTS_READ,
    ("POST", "/incidents/{incident_id}/plan/{step_id}"): Action.INCIDENTS_DECIDE,
    ("GET", "/incidents/{incident_id}/reports"): Action.INCIDENTS_READ,
    ("GET", "/intake/places"): Action.REPORT_IN,
    ("GET", "/intake"): Action.REPORT_IN,
    ("POST", "/intake"): Action.REPORT_IN,
    ("GET", "/intake/{report_id}"): Action.REPORT_IN,
    ("PUT", "/intake/{report_id}/photo"): Action.REPORT_IN,
    ("GET", "/disputes"): Action.DISPUTES,
    ("GET", "/disputes/{dispute_id}"): Action.DISPUTES,
    ("POST", "/disputes/{dispute_id}/steps"): Action.DISPUTES,
    ("GET", "/drills"): Action.DRILLS,
    ("POST", "/drills"): Action.DRILLS,
    ("GET", "/drills/{drill_id}"): Action.DRILLS,
    ("POST", "/drills/{drill_id}/end"): Action.DRILLS,
    ("GET", "/work-orders"): Action.WORK_ORDERS_READ,
    ("POST", "/work-orders"): Action.WORK_ORDERS_EDIT,
    ("POST", "/work-orders/{order_id}/steps"): Action.WORK_ORDERS_EDIT,
    ("GET", "/dispatches"): Action.TASKS,
    ("POST", "/dispatches/{dispatch_id}/{reply}"): Action.TASKS,
    ("GET", "/dispatches/{dispatch_id}/picture"): Action.TASKS,
    ("PUT", "/dispatches/{dispatch_id}/photo"): Action.TASKS,
    ("POST", "/position/agreement"): Action.TASKS,
    ("PUT", "/position"): Action.TASKS,
    ("DELETE", "/position"): Action.TASKS,
    ("GET", "/incidents/{incident_id}/candidates"): Action.INCIDENTS_READ,
    ("GET", "/incidents/{incident_id}/escalation"): Action.INCIDENTS_READ,
    ("GET", "/incidents/{incident_id}/calls"): Action.INCIDENTS_READ,
    ("POST", "/incidents/{incident_id}/calls"): Action.INCIDENTS_DECIDE,
    ("POST", "/incidents/{incident_id}/picture"): Action.INCIDENTS_DECIDE,
    ("DELETE", "/incidents/{incident_id}/picture"): Action.INCIDENTS_DECIDE,
    ("GET", "/rosters"): Action.ROSTERS_READ,
    ("POST", "/rosters"): Action.ROSTERS_EDIT,
    ("PUT", "/rosters/{roster_id}"): Action.ROSTERS_EDIT,
    ("GET", "/rosters/{roster_id}/duties"): Action.ROSTERS_READ,
    ("GET", "/roster-gaps"): Action.ROSTERS_READ,
    ("GET", "/duty-rules"): Action.ROSTERS_READ,
    ("PUT", "/duty-rules"): Action.ROSTERS_EDIT,
    ("GET", "/duty-calendar"): Action.ROSTERS_READ,
    ("PUT", "/duty-calendar/{day}"): Action.ROSTERS_EDIT,
    ("DELETE", "/duty-calendar/{day}"): Action.ROSTERS_EDIT,
    ("PUT", "/duty-calendar/years/{year}"): Action.ROSTERS_EDIT,
    ("GET", "/shifts"): Action.ROSTERS_READ,
    ("POST", "/shifts"): Action.ROSTERS_EDIT,
    ("PUT", "/shifts/{shift_id}"): Action.ROSTERS_EDIT,
    ("DELETE", "/shifts/{shift_id}"): Action.ROSTERS_EDIT,
    ("GET", "/duty-changes"): Action.ROSTERS_EDIT,
    ("POST", "/duty-changes"): Action.ROSTERS_EDIT,
    ("POST", "/duty-changes/{change_id}/end"): Action.ROSTERS_EDIT,
    ("GET", "/swaps"): Action.DUTY_OWN,
    ("POST", "/swaps"): Action.DUTY_OWN,
    ("POST", "/swaps/{swap_id}/accept"): Action.DUTY_OWN,
    ("POST", "/swaps/{swap_id}/decline"): Action.DUTY_OWN,
    ("POST", "/swaps/{swap_id}/withdrawal"): Action.DUTY_OWN,
    ("POST", "/swaps/{swap_id}/decision"): Action.ROSTERS_EDIT,
    ("GET", "/duty"): Action.DUTY_OWN,
    ("POST", "/duty/check-in"): Action.DUTY_OWN,
    ("POST", "/duty/check-out"): Action.DUTY_OWN,
    ("POST", "/duty/absences"): Action.DUTY_OWN,
    ("GET", "/duty/hours"): Action.DUTY_OWN,
    ("GET", "/duty/feeds"): Action.DUTY_OWN,
    ("POST", "/duty/feeds"): Action.DUTY_OWN,
    ("POST", "/duty/feeds/{feed_id}/revocation"): Action.DUTY_OWN,
    ("GET", "/teams"): Action.ROSTERS_READ,
    ("POST", "/teams"): Action.ROSTERS_EDIT,
    ("PATCH", "/teams/{team_id}"): Action.ROSTERS_EDIT,
    ("GET", "/teams/{team_id}/responders"): Action.ROSTERS_EDIT,
    ("GET", "/teams/{team_id}/hours"): Action.ROSTERS_EDIT,
    ("POST", "/teams/{team_id}/feeds"): Action.ROSTERS_EDIT,
    ("POST", "/responders"): Action.ROSTERS_EDIT,
    ("PATCH", "/responders/{responder_id}"): Action.ROSTERS_EDIT,
    ("GET", "/responders"): Action.INCIDENTS_READ,
    ("GET", "/people/{person_id}"): Action.PEOPLE_FIND,
    ("POST", "/people"): Action.PEOPLE_EDIT,
    ("PATCH", "/people/{person_id}"): Action.PEOPLE_EDIT,
    ("POST", "/people/{person_id}/residences"): Action.PEOPLE_EDIT,
    ("POST", "/people/{person_id}/moves"): Action.PEOPLE_EDIT,
    ("PATCH", "/residences/{residence_id}"): Action.PEOPLE_EDIT,
    ("POST", "/residences/{residence_id}/verification"): Action.RESIDENCES_VERIFY,
    ("POST", "/households"): Action.PEOPLE_EDIT,
    ("GET", "/households/{household_id}"): Action.PEOPLE_FIND,
    ("PATCH", "/households/{household_id}"): Action.PEOPLE_EDIT,
    ("POST", "/households/{household_id}/members"): Action.PEOPLE_EDIT,
    ("DELETE", "/households/{household_id}/members/{person_id}"): Action.PEOPLE_EDIT,
    ("GET", "/organisations"): Action.PEOPLE_FIND,
    ("POST", "/organisations"): Action.PEOPLE_EDIT,
    ("GET", "/organisations/{organisation_id}"): Action.PEOPLE_FIND,
    ("PATCH", "/organisations/{organisation_id}"): Action.PEOPLE_EDIT,
    ("POST", "/organisations/{organisation_id}/premises"): Action.PEOPLE_EDIT,
    ("POST", "/premises/{premises_id}/end"): Action.PEOPLE_EDIT,
    ("GET", "/organisations/{organisation_id}/staff"): Action.PEOPLE_FIND,
    ("POST", "/organisations/{organisation_id}/staff"): Action.PEOPLE_EDIT,
    ("POST", "/staff/{link_id}/end"): Action.PEOPLE_EDIT,
    ("POST", "/vehicles"): Action.PEOPLE_EDIT,
    ("POST", "/vehicles/by-plate"): Action.ENTRY_CHECK,
    ("GET", "/vehicles/to-review"): Action.PEOPLE_EDIT,
    ("GET", "/vehicles/{vehicle_id}"): Action.PEOPLE_FIND,
    ("PATCH", "/vehicles/{vehicle_id}"): Action.PEOPLE_EDIT,
    ("DELETE", "/vehicles/{vehicle_id}"): Action.PEOPLE_EDIT,
    ("POST", "/vehicles/{vehicle_id}/drivers"): Action.PEOPLE_EDIT,
    ("POST", "/drivers/{driver_id}/end"): Action.PEOPLE_EDIT,
    ("GET", "/people/{person_id}/credentials"): Action.CREDENTIALS_EDIT,
    ("POST", "/people/{person_id}/credentials"): Action.CREDENTIALS_EDIT,
    ("GET", "/credentials/to-review"): Action.CREDENTIALS_EDIT,
    ("POST", "/credentials/revocations"): Action.CREDENTIALS_EDIT,
    ("PATCH", "/credentials/{credential_id}"): Action.CREDENTIALS_EDIT,
    ("POST", "/credentials/{credential_id}/{step}"): Action.CREDENTIALS_EDIT,
    ("POST", "/entry"): Action.ENTRY_CHECK,
    ("POST", "/belongs"): Action.ENTRY_CHECK,
    ("POST", "/dwellings/{dwelling_id}/belongs"): Action.ENTRY_CHECK,
    ("GET", "/zones/{zone_id}/entitled"): Action.ENTRY_CHECK,
    ("GET", "/people/{person_id}/consents"): Action.PEOPLE_FIND,
    ("GET", "/people/{person_id}/absences"): Action.CARE_AWAY,
    ("POST", "/people/{person_id}/absences"): Action.CARE_AWAY,
    ("POST", "/people/{person_id}/absences/{absence_id}/end"): Action.CARE_AWAY,
    ("GET", "/me/absences"): Action.OWN_DATA,
    ("POST", "/me/absences"): Action.OWN_DATA,
    ("POST", "/me/absences/{absence_id}/end"): Action.OWN_DATA,
    ("POST", "/people/{person_id}/consents"): Action.CONSENTS_RECORD,
    ("DELETE", "/people/{person_id}/consents/{purpose}"): Action.CONSENTS_RECORD,
    ("POST", "/people/{person_id}/templates"): Action.FACES_ENROL,
    ("POST", "/people/{person_id}/erasure"): Action.ERASE,
    ("GET", "/erasures"): Action.ERASURES_READ,
    ("GET", "/erasures/{erasure_id}"): Action.ERASURES_READ,
    ("POST", "/people/{person_id}/requests"): Action.REQUESTS_HANDLE,
    ("GET", "/people/{person_id}/data"): Action.REQUESTS_HANDLE,
    ("GET", "/requests"): Action.REQUESTS_HANDLE,
    ("GET", "/requests/{request_id}"): Action.REQUESTS_HANDLE,
    ("POST", "/requests/{request_id}/close"): Action.REQUESTS_HANDLE,
    ("GET", "/me/data"): Action.OWN_DATA,
    ("GET", "/me/looks"): Action.OWN_DATA,
    ("GET", "/me/consents"): Action.OWN_DATA,
    ("POST", "/me/consents"): Action.OWN_DATA,
    ("DELETE", "/me/consents/{purpose}"): Action.OWN_DATA,
    ("POST", "/me/requests"): Action.OWN_DATA,
    ("GET", "/devices/{device_id}/list"): Action.DEVICES_READ,
    ("PUT", "/devices/{device_id}/list"): Action.TERMINAL_LISTS_EDIT,
    ("POST", "/devices/{device_id}/list/resync"): Action.TERMINAL_LISTS_EDIT,
    ("GET", "/terminal-orders"): Action.TERMINAL_ORDERS,
    ("POST", "/terminal-orders/{order_id}/answer"): Action.TERMINAL_ORDERS,
    ("GET", "/deadletters"): Action.EVENTS_READ,
    ("GET", "/deadletters/{letter_id}"): Action.EVENTS_READ,
    ("POST", "/deadletters/replay"): Action.DEVICES_EDIT,
    ("POST", "/deadletters/giving-up"): Action.DEVICES_EDIT,
    ("POST", "/deadletters/{letter_id}/replay"): Action.DEVICES_EDIT,
    ("GET", "/media/{media_id}"): Action.MEDIA_VIEW,
    ("GET", "/audit"): Action.AUDIT_READ,
    ("GET", "/audit/verification"): Action.AUDIT_READ,
    ("GET", "/stream"): Action.TASKS,
    ("GET", "/passes"): Action.PASSES_READ,
    ("GET", "/passes/{pass_id}"): Action.PASSES_READ,
    ("POST", "/passes"): Action.PASSES_REQUEST,
    ("POST", "/organisations/{organisation_id}/passes"): Action.PASSES_DECIDE,
    ("POST", "/passes/{pass_id}/decision"): Action.PASSES_DECIDE,
    ("POST", "/passes/{pass_id}/revocation"): Action.PASSES_DECIDE,
    ("POST", "/passes/{pass_id}/extension"): Action.PASSES_DECIDE,
    ("POST", "/passes/{pass_id}/token"): Action.PASSES_DECIDE,
    ("POST", "/passes/search"): Action.PASSES_USE,
    ("GET", "/gate/expected"): Action.PASSES_USE,
    ("POST", "/passes/{pass_id}/check"): Action.PASSES_USE,
    ("PUT", "/passes/{pass_id}/card"): Action.PASSES_USE,
    ("DELETE", "/passes/{pass_id}/card"): Action.PASSES_USE,
    ("POST", "/passes/{pass_id}/uses"): Action.PASSES_USE,
    ("GET", "/watchlist"): Action.WATCHLIST_READ,
    ("GET", "/watchlist/changes"): Action.WATCHLIST_READ,
    ("GET", "/watchlist/applications"): Action.WATCHLIST_READ,
    ("GET", "/watchlist/{entry_id}"): Action.WATCHLIST_READ,
    ("GET", "/watchlist/{entry_id}/hits"): Action.WATCHLIST_READ,
    ("POST", "/watchlist/applications"): Action.WATCHLIST_APPLY,
    ("POST", "/watchlist/{entry_id}/renewals"): Action.WATCHLIST_APPLY,
    ("POST", "/watchlist/{entry_id}/lifting"): Action.WATCHLIST_APPLY,
    ("DELETE", "/watchlist/applications/{application_id}"): Action.WATCHLIST_APPLY,
    ("POST", "/watchlist/applications/{application_id}/decision"): Action.WATCHLIST_APPROVE,
    ("GET", "/holds"): Action.HOLDS_READ,
    ("POST", "/holds"): Action.HOLDS_APPLY,
    ("POST", "/holds/{hold_id}/approval"): Action.HOLDS_APPROVE,
    ("POST", "/holds/{hold_id}/release"): Action.HOLDS_APPROVE,
    ("GET", "/disclosures"): Action.DISCLOSURES_APPROVE,
    ("GET", "/disclosures/own"): Action.DISCLOSURES_REQUEST,
    ("POST", "/disclosures"): Action.DISCLOSURES_REQUEST,
    ("POST", "/disclosures/{disclosure_id}/decision"): Action.DISCLOSURES_APPROVE,
    ("POST", "/disclosures/{disclosure_id}/delivery"): Action.DISCLOSURES_DELIVER,
    ("GET", "/assessments"): Action.ASSESSMENT_READ,
    ("GET", "/assessments/facts"): Action.ASSESSMENT_READ,
    ("GET", "/assessments/{version}"): Action.ASSESSMENT_READ,
    ("GET", "/assessments/{version}/document"): Action.ASSESSMENT_READ,
    ("POST", "/assessments"): Action.ASSESSMENT_MAKE,
    ("GET", "/retention"): Action.RETENTION_READ,
    ("GET", "/retention/proofs"): Action.RETENTION_READ,
    ("GET", "/filing-tasks"): Action.RETENTION_READ,
    ("POST", "/filing-tasks/{task_id}/completion"): Action.ASSESSMENT_MAKE,
    ("POST", "/breaches/affected"): Action.BREACH_EXPORT,
    ("POST", "/imports"): Action.REGISTRY_IMPORT,
    ("POST", "/imports/photos"): Action.REGISTRY_IMPORT,
    ("GET", "/imports"): Action.REGISTRY_IMPORT,
    ("GET", "/imports/{import_id}"): Action.REGISTRY_IMPORT,
    ("GET", "/imports/{import_id}/faults"): Action.REGISTRY_IMPORT,
    ("POST", "/imports/{import_id}/undo"): Action.REGISTRY_IMPORT,
    ("GET", "/exports/registry"): Action.REGISTRY_EXPORT,
    ("GET", "/reviews"): Action.REVIEWS_READ,
    ("GET", "/reviews/waiting"): Action.REVIEWS_READ,
    ("POST", "/incidents/{incident_id}/review"): Action.REVIEWS_WRITE,
    ("POST", "/incidents/{incident_id}/invitations"): Action.REVIEWS_WRITE,
    ("GET", "/ratings"): Action.RATE,
    ("POST", "/ratings/{rating_id}"): Action.RATE,
    ("GET", "/needs"): Action.REVIEWS_READ,
    ("POST", "/needs"): Action.MEASURES_EDIT,
    ("POST", "/needs/{need_id}/end"): Action.MEASURES_EDIT,
    ("GET", "/measures"): Action.REVIEWS_READ,
    ("POST", "/measures"): Action.MEASURES_EDIT,
    ("PATCH", "/measures/{measure_id}"): Action.MEASURES_EDIT,
    ("GET", "/handovers"): Action.HANDOVERS_READ,
    ("POST", "/handovers"): Action.HANDOVERS_SIGN,
    ("GET", "/handovers/{handover_id}"): Action.HANDOVERS_READ,
    ("POST", "/handovers/{handover_id}/signatures"): Action.HANDOVERS_SIGN,
    ("POST", "/handovers/{handover_id}/entries"): Action.HANDOVERS_SIGN,
    ("GET", "/reports/month"): Action.REVIEWS_READ,
    ("GET", "/reports/month.csv"): Action.REVIEWS_READ,
    ("GET", "/patrols/routes"): Action.PATROLS_READ,
    ("POST", "/patrols/routes"): Action.PATROLS_EDIT,
    ("PUT", "/patrols/routes/{route_id}"): Action.PATROLS_EDIT,
    ("POST", "/patrols/routes/{route_id}/retirement"): Action.PATROLS_EDIT,
    ("POST", "/patrols/routes/{route_id}/schedules"): Action.PATROLS_EDIT,
    ("POST", "/patrols/schedules/{schedule_id}/end"): Action.PATROLS_EDIT,
    ("GET", "/patrols/points"): Action.PATROLS_READ,
    ("POST", "/patrols/points"): Action.PATROLS_EDIT,
    ("PUT", "/patrols/points/{point_id}"): Action.PATROLS_EDIT,
    ("POST", "/patrols/points/{point_id}/code"): Action.PATROLS_EDIT,
    ("POST", "/patrols/points/{point_id}/retirement"): Action.PATROLS_EDIT,
    ("GET", "/patrols/rounds"): Action.PATROLS_READ,
    ("GET", "/patrols/rounds/mine"): Action.PATROLS_WALK,
    ("GET", "/patrols/rounds/{round_id}"): Action.PATROLS_READ,
    ("POST", "/patrols/rounds"): Action.PATROLS_WALK,
    ("POST", "/patrols/rounds/{round_id}/start"): Action.PATROLS_WALK,
    ("POST", "/patrols/rounds/{round_id}/abort"): Action.PATROLS_WALK,
    ("POST", "/patrols/visits"): Action.PATROLS_WALK,
    ("GET", "/patrols/visits"): Action.PATROLS_READ,
    ("GET", "/patrols/report"): Action.PATROLS_READ,
}

# A phone's receipt needs nobody signed in: what it names is a secret of the letter's own.
OPEN = {("POST", "/notifications/receipts")}


MERGES = {
    ("POST", "/incidents/{incident_id}/answers"): {"answer": "cannot_tell"},
    ("POST", "/incidents/{incident_id}/merges/preview"): {"source": "another"},
    ("POST", "/incidents/{incident_id}/merges"): {"source": "another"},
    ("POST", "/incidents/{incident_id}/link"): {"right": True},
    ("POST", "/incidents/{incident_id}/put-aside"): {"reason": "answer_awaited", "minutes": 2},
    ("POST", "/incidents/{incident_id}/take-back"): {},
    ("POST", "/incidents/{incident_id}/calls"): {"number": "110"},
    ("POST", "/incidents/{incident_id}/picture"): {"media_id": "0" * 64, "reason": "to know them again"},
    ("PUT", "/position"): {"longitude": 0, "latitude": 0, "accuracy": 5},
    ("POST", "/merge-proposals/{proposal_id}/decision"): {"into": None},
}


INTAKE = {
    ("POST", "/intake"): {"json": {"kind": "damaged", "zone": "gate"}},
    ("PUT", "/intake/{report_id}/photo"): {"files": {"file": b"\xff\xd8\xff"}},
    ("PUT", "/dispatches/{dispatch_id}/photo"): {"files": {"file": b"\xff\xd8\xff"}},
    ("POST", "/disputes/{dispute_id}/steps"): {"json": {"to": "accepted"}},
    ("POST", "/drills"): {"json": {"scenario": "flood"}},
    ("POST", "/work-orders"): {"json": {"fault": "lamp", "zone": "gate"}},
    ("POST", "/work-orders/{order_id}/steps"): {"json": {"to": "done"}},
}


_ROSTER = {"team": "none", "name": "夜班", "slots": [], "starts_on": "2026-11-01"}
_SPAN = {"starts_at": "2026-11-25T00:00:00Z", "ends_at": "2026-11-25T08:00:00Z"}
DUTY = {
    ("POST", "/rosters"): {"json": _ROSTER},
    ("PUT", "/rosters/{roster_id}"): {"json": _ROSTER | {"version": 1}},
    ("PUT", "/duty-rules"): {
        "json": {"rest_h": 11, "check_in_h": 4, "approve_swaps": False, "check_coverage": True}
    },
    ("PUT", "/duty-calendar/{day}"): {"json": {"kind": "holiday", "name": "社区日"}},
    ("PUT", "/duty-calendar/years/{year}"): {
        "json": {"source": "国办", "days": {"2031-01-01": {"kind": "holiday", "name": "元旦"}}}
    },
    ("POST", "/shifts"): {"json": {"responder": "none"} | _SPAN},
    ("PUT", "/shifts/{shift_id}"): {"json": _SPAN},
    ("POST", "/duty-changes"): {"json": {"instead_of": "none"} | _SPAN},
    ("POST", "/duty/absences"): {"json": _SPAN},
    ("POST", "/swaps"): {"json": {"shift": "none"}},
    ("POST", "/swaps/{swap_id}/decision"): {"json": {"approved": False}},
    ("GET", "/duty/hours"): {"params": {"month": "2026-11"}},
    ("GET", "/teams/{team_id}/hours"): {"params": {"month": "2026-11"}},
    ("POST", "/teams"): {"json": {"name": "夜巡队", "kind": "patrol"}},
    ("PATCH", "/teams/{team_id}"): {"json": {"name": "夜巡队"}},
    ("POST", "/responders"): {"json": {"name": "某人", "team": "none"}},
    ("PATCH", "/responders/{responder_id}"): {"json": {"capacity": 2}},
}


ACCOUNTS = {
    ("POST", "/users"): {"name": "somebody", "role": "guard"},
    ("PUT", "/users/{user_id}/role"): {"role": "guard"},
    ("PUT", "/users/{user_id}/place"): {"compounds": ["honghua"]},
    ("PUT", "/users/{user_id}/active"): {"active": False},
    ("POST", "/tokens"): {
        "name": "report",
        "owner": "guard",
        "scopes": ["read"],
        "expires_at": "2026-12-24T00:00:00Z",
    },
}


class Ids(dict):
    """Ids of what the world holds; of anything else one that nothing has."""

    def __missing__(self, key: str) -> str:
        return "none"


def filled(path: str, world) -> str:
    ids = Ids(
        compound_id="honghua",
        device_id="cam-1",
        event_id=world.event,
        incident_id=world.sent,
        dispatch_id=world.own,
        reply="accept",
        person_id="adult",
        purpose="face_access",
        letter_id=world.letter,
        media_id=world.picture,
        sighting_id=world.sighting,
        zone_id="gate",
        household_id="h1",
        step="suspend",
        version=1,
        number=1,
        day="2026-12-24",
        year="2031",
    )
    return "/api/v1" + path.format_map(ids)


REVIEWS = {
    ("POST", "/incidents/{incident_id}/review"): {
        "score": 4,
        "cause": "lighting",
        "alert": "right",
        "lesson": "the lamp",
    },
    ("POST", "/incidents/{incident_id}/invitations"): {},
    ("POST", "/ratings/{rating_id}"): {"score": 4},
    ("POST", "/needs"): {"what": "a lamp"},
    ("POST", "/measures"): {"what": "a lamp", "due_at": "2026-12-01T00:00:00Z", "team": "none"},
    ("PATCH", "/measures/{measure_id}"): {"state": "doing"},
    ("POST", "/handovers/{handover_id}/signatures"): {"side": "outgoing", "digest": "0" * 64},
    ("POST", "/handovers/{handover_id}/entries"): {"text": "a note"},
}


def body(method: str, path: str) -> dict:
    if (method, path) in REVIEWS:
        return {"json": REVIEWS[method, path]}
    if (method, path) in ACCOUNTS:
        return {"json": ACCOUNTS[method, path]}
    if (method, path) in DUTY:
        return DUTY[method, path]
    if (method, path) in INTAKE:
        return INTAKE[method, path]
    if (method, path) in MERGES:
        return {"json": MERGES[method, path]}
    if path.endswith("/answers") and method == "POST":
        return {"json": {"verdict": "cannot_tell"}}
    if path == "/threshold-proposals/{proposal_id}/decision":
        return {"json": {"verdict": "refuse"}}
    if path.endswith("/absences") and method == "POST":
        return {"json": {"ends_at": "2026-12-01T00:00:00Z"}}
    if path.endswith("/absences"):
        return {"params": {"purpose": "resident_request"}}
    if path == "/searches":
        window = {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T01:00:00Z"}
        return {"json": {"purpose": "review", "person": "adult", **window}}
    if path == "/coverage":
        return {"params": {"from": "2026-11-23T00:00:00Z", "to": "2026-11-23T01:00:00Z"}}
    if path == "/incidents/{incident_id}/plan/{step_id}":
        return {"json": {"state": "done"}}
    if path.endswith("/steps"):
        return {"json": {"to": "resolved"}}
    if path.endswith("/dispatches") and method == "POST":
        return {"json": {"responder_ids": ["wang"]}}
    if path.endswith("/erasure"):
        return {"json": {"kind": "face"}}
    if path.endswith("/requests") and method == "POST":
        return {"json": {"kind": "access"}}
    if path.endswith("/close"):
        return {"json": {"state": "done"}}
    if (method, path) == ("POST", "/commands"):
        return {"json": {"device": "no-device", "kind": "open", "reason": "a guest waits"}}
    if (method, path) == ("POST", "/deadletters/replay"):
        return {"json": {"reason": "bad_json"}}
    if (method, path) == ("POST", "/deadletters/giving-up"):
        return {"json": {"reason": "bad_json", "why": "test"}}
    if path.endswith("/answer"):
        return {"json": {"result": "deleted"}}
    if path.endswith("/consents") and method == "POST":
        given = {"purpose": "face_access", "wording": "I agree", "channel": "counter", "given_by": "self"}
        return {"json": given}
    if (method, path) in PEOPLE_AND_ENTRY:
        return PEOPLE_AND_ENTRY[method, path]
    if method == "POST" and path in VISITORS_AND_WATCH_LIST:
        return {"json": VISITORS_AND_WATCH_LIST[path]}
    if (method, path) in PLACES:
        return PLACES[method, path]
    if (method, path) in KEEPING:
        return {"json": KEEPING[method, path]}
    if method == "POST" and path in {"/imports", "/imports/photos"}:
        return {"files": {"file": b"no sheet"}, "params": {"kind": "people"}}
    if path == "/exports/registry":
        return {"params": {"purpose": "registry_maintenance"}}
    if path == "/devices/{device_id}/list":
        purpose = {"params": {"purpose": "monitoring"}}
        return purpose if method == "GET" else {"json": {"carries": "cards"}}
    if (method, path) == ("PUT", "/passes/{pass_id}/card"):
        return {"json": {"card": "CAFE01"}}
    if path.endswith("/templates"):
        return {"files": {"photo": b"a face"}}
    if (method, path) in DEVICES:
        return DEVICES[method, path]
    if (method, path) in RULES:
        return RULES[method, path]
    if (method, path) in PATROLS:
        return PATROLS[method, path]
    looks = ("/people", "/passes/", "/watchlist")
    return {"params": {"purpose": "monitoring"}} if path.startswith(looks) else {}


PEOPLE_AND_ENTRY = {
    ("POST", "/people"): {"json": {"name": "王五"}},
    ("PATCH", "/people/{person_id}"): {"json": {"version": 1, "name": "王五"}},
    ("POST", "/people/{person_id}/residences"): {
        "json": {"dwelling": "none", "kind": "tenant", "since": "2026-01-01"}
    },
    ("POST", "/people/{person_id}/moves"): {"json": {"on": "2026-11-23"}},
    ("PATCH", "/residences/{residence_id}"): {"json": {"version": 1}},
    ("POST", "/residences/{residence_id}/verification"): {"json": {"version": 1}},
    ("POST", "/households"): {"json": {"head": "adult"}},
    ("GET", "/households/{household_id}"): {"params": {"purpose": "monitoring"}},
    ("PATCH", "/households/{household_id}"): {"json": {"version": 1}},
    ("POST", "/households/{household_id}/members"): {"json": {"person": "adult", "version": 1}},
    ("DELETE", "/households/{household_id}/members/{person_id}"): {"params": {"version": 1}},
    ("POST", "/organisations"): {"json": {"name": "诊所", "kind": "company"}},
    ("PATCH", "/organisations/{organisation_id}"): {"json": {"version": 1, "name": "店", "kind": "shop"}},
    ("POST", "/organisations/{organisation_id}/premises"): {
        "json": {"dwelling": "none", "since": "2026-01-01"}
    },
    ("POST", "/premises/{premises_id}/end"): {"json": {"last_day": "2026-11-23"}},
    ("GET", "/organisations/{organisation_id}/staff"): {"params": {"purpose": "monitoring"}},
    ("POST", "/organisations/{organisation_id}/staff"): {"json": {"person": "adult", "since": "2026-01-01"}},
    ("POST", "/staff/{link_id}/end"): {"json": {"last_day": "2026-11-23"}},
    ("POST", "/vehicles"): {"json": {"plate": "云M54321", "owner": "adult"}},
    ("POST", "/vehicles/by-plate"): {"params": {"purpose": "monitoring"}, "json": {"plate": "云M54321"}},
    ("GET", "/vehicles/to-review"): {"params": {"purpose": "monitoring"}},
    ("GET", "/vehicles/{vehicle_id}"): {"params": {"purpose": "monitoring"}},
    ("PATCH", "/vehicles/{vehicle_id}"): {"json": {"version": 1, "plate": "云M54321", "owner": "adult"}},
    ("DELETE", "/vehicles/{vehicle_id}"): {"params": {"version": 1}},
    ("POST", "/vehicles/{vehicle_id}/drivers"): {"json": {"person": "adult", "since": "2026-01-01"}},
    ("POST", "/drivers/{driver_id}/end"): {"json": {"last_day": "2026-11-23"}},
    ("GET", "/people/{person_id}/credentials"): {"params": {"purpose": "monitoring"}},
    ("POST", "/people/{person_id}/credentials"): {"json": {"kind": "card", "ref": "1234AB"}},
    ("GET", "/credentials/to-review"): {"params": {"purpose": "monitoring"}},
    ("POST", "/credentials/revocations"): {"json": {"credentials": ["none"]}},
    ("PATCH", "/credentials/{credential_id}"): {"json": {"version": 1, "zones": []}},
    ("POST", "/credentials/{credential_id}/{step}"): {"json": {"version": 1}},
    ("POST", "/entry"): {
        "params": {"purpose": "monitoring"},
        "json": {"zone": "gate", "credential_kind": "card", "ref": "1"},
    },
    ("POST", "/belongs"): {
        "params": {"purpose": "monitoring"},
        "json": {"address": "1-1-101", "name": "张三"},
    },
    ("POST", "/dwellings/{dwelling_id}/belongs"): {
        "params": {"purpose": "monitoring"},
        "json": {"name": "张三"},
    },
    ("GET", "/zones/{zone_id}/entitled"): {"params": {"purpose": "monitoring"}},
    ("GET", "/gate/expected"): {"params": {"zone": "gate"}},
}


DEVICES = {
    ("POST", "/devices"): {"json": {"id": "cam-7", "zone": "gate", "kind": "door"}},
    ("PATCH", "/devices/{device_id}"): {"json": {"name": "东门"}},
    ("POST", "/devices/{device_id}/stage"): {"json": {"to": "quarantined"}},
    ("POST", "/devices/{device_id}/walk"): {"json": {"direction": "in"}},
    ("POST", "/devices/{device_id}/sign-photo"): {"files": {"file": b"\xff\xd8\xff"}},
    ("POST", "/devices/{device_id}/secret"): {"json": {}},
    ("PUT", "/devices/{device_id}/view"): {"json": {"policy": "always"}},
    ("PUT", "/devices/{device_id}/stream"): {
        "json": {"url": "http://192.168.10.21", "username": "reader", "password": "north-gate-7"}
    },
}


PATROLS = {
    ("POST", "/patrols/routes"): {"json": {"name": "夜巡", "team": "none", "points": ["none"]}},
    ("PUT", "/patrols/routes/{route_id}"): {"json": {"name": "夜巡", "team": "none", "points": ["none"]}},
    ("POST", "/patrols/routes/{route_id}/schedules"): {
        "json": {"times": [1320], "lasts_min": 30, "weekdays": [0]}
    },
    ("POST", "/patrols/points"): {"json": {"name": "东门", "zone": "gate", "kind": "qr"}},
    ("PUT", "/patrols/points/{point_id}"): {"json": {"name": "东门", "zone": "gate", "kind": "qr"}},
    ("POST", "/patrols/rounds"): {"json": {"route": "none"}},
    ("POST", "/patrols/rounds/{round_id}/abort"): {"json": {"reason": "storm"}},
    ("POST", "/patrols/visits"): {"json": {"client": "visit-0001", "code": "none"}},
    ("GET", "/patrols/report"): {"params": {"month": "2026-11"}},
}


RULES = {
    ("PUT", "/rules/file"): {"json": {"text": "version = 1", "note": "as it comes", "since": 0}},
    ("POST", "/rules/trials"): {"json": {"since": 0, "text": "version = 1"}},
    ("POST", "/rules/trials/{trial_id}/saving"): {"json": {"note": "longer"}},
    ("POST", "/rules/check"): {"json": {"text": "version = 1"}},
    ("GET", "/rules/versions/{number}/difference"): {"params": {"against": 1}},
    ("POST", "/rule-proposals/{proposal_id}/decision"): {"json": {"verdict": "refuse"}},
    ("POST", "/silences"): {
        "json": {"matchers": ["ring = building"], "ends_at": "2026-12-01T00:00:00Z", "comment": "works"}
    },
    ("POST", "/silences/preview"): {"json": {"matchers": ["ring = building"]}},
    ("GET", "/routes/decision"): {"params": {"ring": "building", "kind": "door.forced"}},
    ("POST", "/mutes"): {
        "json": {"rule": "R-B05", "ends_at": "2026-12-01T00:00:00Z", "reason": "the lock is replaced"}
    },
    ("POST", "/operating-modes"): {"json": {"mode": "heightened", "hours": 8, "reason": "break-ins"}},
}


PLACES = {
    ("POST", "/compounds"): {"json": {"id": "meilin", "name": "梅林苑"}},
    ("PATCH", "/compounds/{compound_id}"): {"json": {"name": "红花苑"}},
    ("POST", "/subdistricts"): {"json": {"name": "青华街道"}},
    ("PATCH", "/subdistricts/{subdistrict_id}"): {"json": {"name": "青华街道"}},
    ("POST", "/communities"): {"json": {"name": "红花社区", "subdistrict": "none"}},
    ("PATCH", "/communities/{community_id}"): {"json": {"name": "红花社区"}},
    ("POST", "/zones"): {"json": {"name": "西门", "ring": "entrance", "kind": "gate"}},
    ("PATCH", "/zones/{zone_id}"): {"json": {"version": 1, "name": "东门"}},
    ("POST", "/buildings"): {
        "json": {"name": "7幢", "zone": "yard", "x": 0, "y": 0, "width": 9, "height": 9}
    },
    ("PATCH", "/buildings/{building_id}"): {"json": {"version": 1, "name": "8幢"}},
    ("POST", "/units"): {"json": {"building": "b1", "name": "1单元"}},
    ("PATCH", "/units/{unit_id}"): {"json": {"name": "2单元"}},
    ("POST", "/dwellings"): {"json": {"unit": "none", "floor": 1, "room_no": "101"}},
    ("PATCH", "/dwellings/{dwelling_id}"): {"json": {"version": 1, "state": "let"}},
    ("POST", "/grids"): {"json": {"code": "01", "name": "东网格"}},
    ("PATCH", "/grids/{grid_id}"): {"json": {"version": 1, "name": "东网格"}},
    ("DELETE", "/grids/{grid_id}"): {"params": {"version": 1}},
    ("POST", "/grids/{grid_id}/dwellings"): {"json": {"building": "b1"}},
    ("POST", "/aliases"): {
        "json": {"place_kind": "building", "place": "b1", "kind": "colloquial", "text": "老红楼"}
    },
    ("POST", "/aliases/{alias_id}/end"): {"json": {"last_day": "2026-11-23"}},
    ("POST", "/notes"): {
        "json": {
            "place_kind": "zone",
            "place": "gate",
            "kind": "hazard",
            "text": "结冰",
            "starts_at": "2026-11-23T00:00:00Z",
        }
    },
    ("PATCH", "/notes/{note_id}"): {"json": {"version": 1, "text": "结冰"}},
    ("POST", "/people/search"): {"params": {"purpose": "monitoring"}, "json": {"name": "张三"}},
    ("GET", "/dwellings/{dwelling_id}/people"): {"params": {"purpose": "monitoring"}},
}


KEEPING = {
    ("POST", "/holds"): {
        "subject_kind": "person",
        "subject": "adult",
        "reason": "r",
        "ends_at": "2026-12-01T00:00:00Z",
    },
    ("POST", "/disclosures"): {
        "requester_org": "o",
        "document_no": "3",
        "reason": "r",
        "scope": {"kind": "person", "id": "adult"},
        "from_at": "2026-11-01T00:00:00Z",
        "to_at": "2026-11-02T00:00:00Z",
    },
    ("POST", "/disclosures/{disclosure_id}/decision"): {"verdict": "refuse"},
    ("POST", "/disclosures/{disclosure_id}/delivery"): {},
    ("POST", "/assessments"): {"assessment": "necessary"},
    ("POST", "/breaches/affected"): {"classes": ["register"]},
}


ORDER = {"document_no": "3", "applicant_org": "o", "reason": "r", "ends_at": "2026-12-01T00:00:00Z"}
VISITORS_AND_WATCH_LIST = {
    "/passes": {"kind": "contractor", "max_uses": 1},
    "/organisations/{organisation_id}/passes": {"visitors": [{"plate": "云M12345"}]},
    "/passes/{pass_id}/decision": {"verdict": "refuse", "version": 1},
    "/passes/{pass_id}/revocation": {"version": 1},
    "/passes/{pass_id}/extension": {"version": 1, "ends_at": "2026-12-01T00:00:00Z"},
    "/passes/{pass_id}/token": {"version": 1},
    "/passes/search": {"plate": "云M12345"},
    "/passes/{pass_id}/check": {"zone": "gate"},
    "/passes/{pass_id}/uses": {"zone": "gate", "use_id": "u-1"},
    "/watchlist/{entry_id}/renewals": ORDER,
    "/watchlist/applications/{application_id}/decision": {"verdict": "refuse"},
    "/watchlist/applications": ORDER
    | {
        "subject_kind": "plate",
        "subject": "云M12345",
        "legal_basis": "owners_resolution",
        "rings": ["common"],
    },
}


def guards(dependant) -> set[Action]:
    """The actions that a route's dependencies ask for, however deep they lie."""
    found = set()
    for inner in dependant.dependencies:
        action = action_of(inner.call)
        found |= {action} if action else guards(inner)
    return found


def routes(router):
    """All routes below a router, whichever way it includes others."""
    for route in router.routes:
        inner = getattr(route, "original_router", None)
        yield from [route] if inner is None else routes(inner)


def test_every_route_asks_for_the_action_of_the_table(app):
    found = {
        (method, route.path): guards(route.dependant)
        for route in routes(api.router)
        for method in route.methods
    }
    assert found == {route: {action} for route, action in ROUTES.items()} | {route: set() for route in OPEN}
    # And the application serves no other under the same roof.
    served = {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in app.openapi()["paths"].items()
        if path.startswith("/api/v1/")
        for method in operations
    }
    assert served == set(ROUTES) | OPEN


def test_every_action_has_roles_and_an_administrator_or_is_somebodys_own():
    assert set(ALLOWED) == set(Action)
    own = {Action.OWN_DATA, Action.TERMINAL_ORDERS}
    assert all(Role.ADMINISTRATOR in roles for action, roles in ALLOWED.items() if action not in own)


@pytest.mark.parametrize("role", [None, *Role], ids=str)
async def test_routes_answer_those_they_are_for(monkeypatch, world, signed_in, anonymous, role):
    # A stream that is allowed would not end.
    monkeypatch.setattr(live, "WATCHERS_MAX", 0)
    browser = signed_in(role, responder_id=world.responder) if role else anonymous
    for (method, path), action in ROUTES.items():
        answer = await browser.request(method, filled(path, world), **body(method, path))
        told = (method, path, answer.status_code, answer.text[:200])
        if role is None:
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), told
        elif role in ALLOWED[action]:
            assert answer.status_code not in {401, 403, 405, 500}, told
        else:
            assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), told


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.DEVICE}))
async def test_user_of_another_compound_gets_nothing(world, signed_in, database, role):
    browser = signed_in(role)
    with database.write() as session:
        session.get_one(type(browser.user), browser.user.id).compounds = ["sifang"]
    for (method, path), action in ROUTES.items():
        if role not in ALLOWED[action]:
            continue
        answer = await browser.request(method, filled(path, world), **body(method, path))
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), (method, path)
