"""One plain mail to a provider."""

from __future__ import annotations

from email.message import EmailMessage

from portal import outward


def send(smtp_url: str, *, sender: str, recipient: str, subject: str, body: str) -> None:
    """Hand one mail to the server of SMTP_URL. Raises MailNotSent."""
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = sender, recipient, subject
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no out-of-office answers
    message.set_content(body)
    outward.send_mail(smtp_url, message)
