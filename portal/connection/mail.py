"""Sending one plain mail through the SMTP server of SMTP_URL. The only place that knows smtplib."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from urllib.parse import SplitResult, unquote, urlsplit

from portal.errors import MailNotSent

TIMEOUT_SECONDS = 15
PORTS = {"smtp": 25, "smtps": 465}


def send(smtp_url: str, *, sender: str, recipient: str, subject: str, body: str) -> None:
    """Hand one mail to the server: `smtps://` speaks TLS at once, `smtp://` when it is offered.

    Raises MailNotSent. The answer of the server is not kept: it may repeat addresses.
    """
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(body)
    try:
        with _open(urlsplit(smtp_url)) as server:
            server.send_message(message)
    except (OSError, smtplib.SMTPException, ValueError) as error:
        raise MailNotSent(type(error).__name__) from error


def _open(url: SplitResult) -> smtplib.SMTP:
    """A connection, encrypted and signed in as far as the URL says."""
    host, port = url.hostname or "localhost", url.port or PORTS.get(url.scheme, 25)
    context = ssl.create_default_context()
    server: smtplib.SMTP
    if url.scheme == "smtps":
        server = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT_SECONDS)
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=context)
    if url.username:
        server.login(unquote(url.username), unquote(url.password or ""))
    return server
