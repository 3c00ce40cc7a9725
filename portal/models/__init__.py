"""The tables, one module per aggregate. Import the classes from here.

May import: the ground.
Begin at `appointments.py` and `google.py`.
"""

from __future__ import annotations

from portal.models.appointments import (
    Appointment,
    AppointmentHistory,
    AppointmentKind,
    AppointmentSeries,
    AppointmentStatus,
    SeriesFrequency,
)
from portal.models.audit import AuditEntry, AuditRule
from portal.models.care import CheckRequest, Checkup, Mail
from portal.models.drafts import Draft
from portal.models.feeds import Feed, FeedRead
from portal.models.form_keys import FormKey
from portal.models.google import (
    CardKind,
    ChangeCard,
    Connection,
    ConnectionPhase,
    EventLink,
    GoogleCalendar,
    GoogleEvent,
    GoogleOccurrence,
    LinkState,
    PushChannel,
    SyncRun,
)
from portal.models.offers import AppointmentType, Location
from portal.models.people import (
    Client,
    ClientDisplayNumber,
    LoginSession,
    NameDisplay,
    OfficeHours,
    Practice,
    Provider,
    SyncMode,
)
from portal.models.undo import UndoStep

__all__ = [
    "Appointment",
    "AppointmentHistory",
    "AppointmentKind",
    "AppointmentSeries",
    "AppointmentStatus",
    "AppointmentType",
    "AuditEntry",
    "AuditRule",
    "CardKind",
    "ChangeCard",
    "CheckRequest",
    "Checkup",
    "Client",
    "ClientDisplayNumber",
    "Connection",
    "ConnectionPhase",
    "Draft",
    "EventLink",
    "Feed",
    "FeedRead",
    "FormKey",
    "GoogleCalendar",
    "GoogleEvent",
    "GoogleOccurrence",
    "LinkState",
    "Location",
    "LoginSession",
    "Mail",
    "NameDisplay",
    "OfficeHours",
    "Practice",
    "Provider",
    "PushChannel",
    "SeriesFrequency",
    "SyncMode",
    "SyncRun",
    "UndoStep",
]
