"""Accounts: what is public of them, published from the accounts' outbox. Keyed by user id."""

from schemas import user
from topics.topic import Kind, Topic

USER_REGISTERED = Topic("ecommerce.user.registered", user.UserSnapshot, "user_id", Kind.EVENT, "user")
USER_UPDATED = Topic("ecommerce.user.updated", user.UserSnapshot, "user_id", Kind.EVENT, "user")
