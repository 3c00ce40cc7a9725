"""Whether an appointment is in Google, in words: each verdict of `proof.prove`, and what can be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from portal.words.buttons import ANSWER, Button

ON_ITS_WAY = frozenset({"waiting", "leaving"})  # fine, unless nothing goes until somebody acts
WORTH_A_LOOK = frozenset({"deleted-there", "held", "refused"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What a proof's words are told from. Instants are words already; what is not known is empty."""

    verdict: str
    appointment_id: int = 0
    needs_a_person: bool = False  # nothing goes out until somebody acts
    can_push_again: bool = False
    when: str = ""  # the appointment's time
    status: str = ""  # "archived" or its status, as within a sentence
    confirmed: str = ""  # how long ago Google was known to hold it
    error: str = ""  # Google's code


@dataclass(frozen=True, slots=True)
class ProofWords:
    """A proof as it stands on the page. `shows_title`: what it is called outside follows the title."""

    title: str
    sentence: str
    is_fine: bool
    button: Button | None
    shows_title: bool = False


SEE_SYNC = Button("Sync Calendar", "sync.index")
WITH_TITLE = frozenset({"in-google", "waiting"})

TITLES: Mapping[str, str] = {
    "in-google": "In Google as",
    "waiting": "On its way to Google as",
    "leaving": "On its way out of Google",
    "deleted-there": "Not in Google: it was deleted there",
    "held": "Google shows something else",
    "refused": "Not as it should be in Google",
    "too-old": "Not in Google",
    "over": "Not in Google",
}
SENTENCES: Mapping[str, str] = {
    "in-google": "{when}, confirmed {confirmed}",
    "waiting": "Usually within seconds.",
    "leaving": "It is {status} here.",
    "deleted-there": "The appointment is untouched, and waits for your word.",
    "held": "It was changed there together with many others; which holds waits for your word.",
    "refused": "Google refused it; we go on trying. Code {error}.",
    "too-old": "It ended more than 30 days before you connected.",
    "over": "Because it is {status}; the time is free there.",
}
WAITS_FOR_THE_SYNC = "It waits until the sync works again: see Sync Calendar."


def proof_words(told: Told) -> ProofWords:
    """The words of one proof."""
    is_stuck = told.needs_a_person and told.verdict in ON_ITS_WAY
    sentence = WAITS_FOR_THE_SYNC if is_stuck and told.verdict == "waiting" else SENTENCES[told.verdict]
    return ProofWords(
        title=TITLES[told.verdict],
        sentence=sentence.format(
            when=told.when, confirmed=told.confirmed, status=told.status, error=told.error
        ),
        is_fine=told.verdict not in WORTH_A_LOOK and not is_stuck,
        button=_button(told),
        shows_title=told.verdict in WITH_TITLE,
    )


def _button(told: Told) -> Button | None:
    if told.verdict in ("deleted-there", "held"):
        return ANSWER
    if not told.can_push_again:
        return None
    if told.needs_a_person:
        return SEE_SYNC
    return Button(
        "Push again", "sync.proving.push_again", "post", values={"appointment_id": told.appointment_id}
    )
